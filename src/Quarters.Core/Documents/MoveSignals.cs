using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary>Move packages from one repository to another: all of a package base, for all architectures, at
/// once.</summary>
public sealed record MovePackages : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "move";

    /// <summary>Names of package bases or packages; none with <see cref="Closure"/>: all that can go.</summary>
    public ImmutableArray<string> Names { get => field.IsDefault ? [] : field; init; }

    /// <summary>The repository that holds them.</summary>
    public required string From { get; init; }

    /// <summary>The repository that they go to.</summary>
    public required string To { get; init; }

    /// <summary>Whether the largest part of them goes that breaks nothing, instead of all or none.</summary>
    public bool Closure { get; init; }

    /// <summary>Whether only to tell what would be done.</summary>
    public bool DryRun { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Take packages out of a repository.</summary>
public sealed record RemovePackages : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "remove";

    /// <summary>Names of package bases or packages.</summary>
    public ImmutableArray<string> Names { get => field.IsDefault ? [] : field; init; }

    /// <summary>The repository that holds them.</summary>
    public required string From { get; init; }

    /// <summary>Whether only to tell what would be done.</summary>
    public bool DryRun { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Take a change of the repositories back, as one step.</summary>
public sealed record UndoChange : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "undo";

    /// <summary>The revision that the change was told with.</summary>
    public required long Revision { get; init; }

    /// <summary>Whether only to tell what would be done.</summary>
    public bool DryRun { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}
