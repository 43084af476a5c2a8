namespace Quarters.Node;

/// <summary>How patient a <see cref="Puller"/> is.</summary>
public sealed record PullerSettings
{
    /// <summary>A connection must stand within this time.</summary>
    public TimeSpan ConnectWithin { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>An attempt ends when this time brought fewer than <see cref="Puller.ProgressBytes"/> bytes.</summary>
    public TimeSpan StallAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A document, and what proves it, must be there within this time (beside the wait that was asked for): a
    /// peer that sends a little now and then must not hold its reader.</summary>
    public TimeSpan DocumentWithin { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Certificates (PEM) of authorities that are trusted beside the system's; null for none.</summary>
    public string? AuthoritiesFile { get; init; }

    /// <summary>A download that failed is tried so many times more; the count begins anew whenever bytes
    /// came.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>The first pause between tries; each further one is about twice as long.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>No pause is longer.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(1);
}
