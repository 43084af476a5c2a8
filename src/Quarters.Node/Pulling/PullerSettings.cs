namespace Quarters.Node;

/// <summary>How patient a <see cref="Puller"/> is.</summary>
public sealed record PullerSettings
{
    /// <summary>A connection must stand within this time.</summary>
    public TimeSpan ConnectWithin { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>An attempt ends when this time brought fewer than <see cref="Puller.ProgressBytes"/> bytes.</summary>
    public TimeSpan StallAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A download that failed is tried so many times more; the count begins anew whenever bytes
    /// came.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>The first pause between tries; each further one is about twice as long.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>No pause is longer.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(1);
}
