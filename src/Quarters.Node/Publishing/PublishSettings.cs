namespace Quarters.Node;

/// <summary>How a node that nobody can reach publishes its tree to a web space.</summary>
public sealed record PublishSettings
{
    /// <summary>The folder that the tree is written into. What is in its <c>v1</c> and <c>out</c> belongs to the
    /// node.</summary>
    public required string Folder { get; init; }

    /// <summary>The program that copies the folder to where everybody can read it, and its arguments; the folder is
    /// added as the last. It ends with 0 when the copy is there.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The least time from the start of one copy to the start of the next.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A command that takes longer is killed, with all that it started.</summary>
    public TimeSpan CommandWithin { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The longest pause after the first failure; it doubles with each.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>No pause after failures is longer.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(5);
}
