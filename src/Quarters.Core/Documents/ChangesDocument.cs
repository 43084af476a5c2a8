using System.Collections.Immutable;

namespace Quarters.Core.Documents;

/// <summary><c>/v1/changes.json</c>: the changes of the repositories that can be taken back.</summary>
public sealed record ChangesDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Changes;

    /// <summary>The state's revision; only grows.</summary>
    public required long Revision { get; init; }

    /// <summary>The newest changes, newest first. What builds put into repositories is none.</summary>
    public required ImmutableArray<ChangeSummary> Changes { get; init; }
}

/// <summary>A move, promotion, removal, merge or adoption, or that one was taken back.</summary>
public sealed record ChangeSummary
{
    /// <summary>What takes it back: the revision of the state with it.</summary>
    public required long Revision { get; init; }

    /// <summary>When it happened.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What it was, for people.</summary>
    public required string Why { get; init; }

    /// <summary>How many packages came, went or were replaced, counted in each repository.</summary>
    public required int Packages { get; init; }
}
