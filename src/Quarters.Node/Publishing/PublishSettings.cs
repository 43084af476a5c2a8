namespace Quarters.Node;

/// <summary>How a node that nobody can reach publishes its tree to a web space.</summary>
public sealed record PublishSettings
{
    /// <summary>The folder that the tree is written into. What is in its <c>v1</c> and <c>out</c> belongs to the
    /// node.</summary>
    public required string Folder { get; init; }

    /// <summary>
    /// The program that copies the folder to where everybody can read it, and its arguments. Two more are added: what
    /// to do, and the folder. It ends with 0 when that is done.
    /// <list type="bullet">
    /// <item><c>files</c>: adds what is new below <c>out</c>.</item>
    /// <item><c>documents</c>: makes <c>v1</c> what it is in the folder, its state the last.</item>
    /// <item><c>cleanup</c>: takes away what is no longer below <c>out</c>.</item>
    /// </list>
    /// <c>documents</c> may run while <c>files</c> does; no other two run at once.
    /// </summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The least time from the start of one copy of documents to the start of the next.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A command that copies documents for longer is killed, with all that it started.</summary>
    public TimeSpan DocumentsWithin { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A command that copies files for longer is killed, with all that it started.</summary>
    public TimeSpan FilesWithin { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The longest pause after the first failure; it doubles with each.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>No pause after failures is longer.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(5);
}
