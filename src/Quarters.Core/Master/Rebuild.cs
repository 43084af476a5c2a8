using System.Collections.Immutable;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// A named mass rebuild: its packages are built in a side repository of its name, installing from there first, until
/// all of it is merged or dropped.
/// </summary>
public sealed record Rebuild
{
    /// <summary>Its name, and that of its side repository.</summary>
    public required string Name { get; init; }

    /// <summary>How releases are raised.</summary>
    public required Documents.BumpKind Bump { get; init; }

    /// <summary>Why its packages were chosen, for people.</summary>
    public required string Why { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Begun { get; init; }

    /// <summary>The revision of the state with which it began.</summary>
    public long Revision { get; init; }

    /// <summary>Whether what was built against something older is to be built once more in the end.</summary>
    public bool Settle { get; init; }

    /// <summary>Whether that has begun.</summary>
    public bool Settled { get; init; }

    /// <summary>Which stage of a bootstrap it is; null for a rebuild.</summary>
    public BootstrapStage? Stage { get; init; }

    /// <summary>Its packages, by package base.</summary>
    public ImmutableSortedDictionary<string, RebuildMember> Members { get; init; } =
        ImmutableSortedDictionary.Create<string, RebuildMember>(StringComparer.Ordinal);

    /// <summary>Whether a package is built here and nowhere else for now. A bootstrap takes nothing from where it is
    /// built every day.</summary>
    public bool Has(string pkgbase) => Stage is null && Members.ContainsKey(pkgbase);

    /// <summary>Whether the source packages of all are there, or will not be: then building begins, in order.</summary>
    public bool IsPrepared() => Members.Values.All(member => member.Source is not null || member.Problem is not null);
}

/// <summary>A package of a rebuild.</summary>
public sealed record RebuildMember
{
    /// <summary>SHA-256 of the source package that <see cref="Source"/> was made of.</summary>
    public string? Of { get; init; }

    /// <summary>What is built: the source package with its release raised, or as it is where it is newer than what is
    /// published. Null while that is not made, or cannot be.</summary>
    public SourcePackage? Source { get; init; }

    /// <summary>Why it cannot be made; null when it can.</summary>
    public string? Problem { get; init; }

    /// <summary>What differs from the source's own PKGBUILD: lines that begin with - or +.</summary>
    public ImmutableArray<string> Diff { get => field.IsDefault ? [] : field; init; }
}

/// <summary>A source package of a rebuild that is to be made.</summary>
/// <param name="Rebuild">The rebuild.</param>
/// <param name="Source">The source package to make it of.</param>
/// <param name="Release">The release that it is to have; null to take it as it is.</param>
public sealed record BumpWish(string Rebuild, SourcePackage Source, string? Release);
