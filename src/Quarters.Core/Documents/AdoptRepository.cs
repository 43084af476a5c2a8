using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary>Take the packages of a repository that somebody else made, such as repo-add, into one of ours.</summary>
public sealed record AdoptRepository : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "adopt";

    /// <summary>No path is longer than this many characters.</summary>
    public const int MaxPathLength = 4096;

    /// <summary>The absolute path, on the master's machine, of a directory with a database and its packages, or of the
    /// database.</summary>
    public required string Path { get; init; }

    /// <summary>The repository that they enter.</summary>
    public required string Into { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}
