namespace Quarters.Core.Master;

/// <summary>How much of what nothing needs any more is kept all the same.</summary>
public sealed record KeepPolicy
{
    /// <summary>So many versions of every package stay in a repository's directory, the newest, beside those that are
    /// needed.</summary>
    public int Versions { get; init; } = 3;

    /// <summary>So many jobs of every package base are remembered, the newest, with the logs of their
    /// attempts.</summary>
    public int Builds { get; init; } = 10;

    /// <summary>Whatever came to its end more recently stays, in seconds.</summary>
    public long Seconds { get; init; } = 30 * 24 * 3600;
}
