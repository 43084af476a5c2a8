using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary>How a rebuild raises releases.</summary>
[JsonConverter(typeof(CamelCase<BumpKind>))]
public enum BumpKind
{
    /// <summary>N becomes N.1: the source's own next release is newer.</summary>
    Fraction,

    /// <summary>N becomes N+1: its maintainer is to do the same in the source.</summary>
    Integer,
}

/// <summary>Begin a mass rebuild. What is chosen is all that any of the members chooses.</summary>
public sealed record BeginRebuild : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "rebuild";

    /// <summary>The name of the rebuild, and of its side repository.</summary>
    public required string Name { get; init; }

    /// <summary>Package bases or packages.</summary>
    public ImmutableArray<string> Names { get => field.IsDefault ? [] : field; init; }

    /// <summary>All that need one of these packages to be built or to run.</summary>
    public ImmutableArray<string> DependentsOf { get => field.IsDefault ? [] : field; init; }

    /// <summary>Whether also those that need the dependents, and so on.</summary>
    public bool Recursive { get; init; }

    /// <summary>All that are linked with one of these libraries, such as <c>libfoo.so=2-64</c>.</summary>
    public ImmutableArray<string> Sonames { get => field.IsDefault ? [] : field; init; }

    /// <summary>All that this repository holds.</summary>
    public string? Repository { get; init; }

    /// <summary>Everything.</summary>
    public bool All { get; init; }

    /// <summary>Whether what was built against something older, since a cycle was cut there, is built once more when
    /// all others are built.</summary>
    public bool Settle { get; init; }

    /// <summary>How releases are raised.</summary>
    public BumpKind Bump { get; init; }

    /// <summary>Whether only to tell what would be done, in which order.</summary>
    public bool DryRun { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Publish a rebuild, all at once.</summary>
public sealed record MergeRebuild : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "merge";

    /// <summary>The rebuild.</summary>
    public required string Name { get; init; }

    /// <summary>Whether what is not built is left out.</summary>
    public bool BuiltOnly { get; init; }

    /// <summary>Whether only to tell what would be done.</summary>
    public bool DryRun { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}

/// <summary>Forget a rebuild.</summary>
public sealed record DropRebuild : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "drop";

    /// <summary>The rebuild.</summary>
    public required string Name { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}
