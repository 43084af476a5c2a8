using System.Collections.Immutable;

namespace Quarters.Core.Sources;

/// <summary>What one poll of a source found: only what changed since the cursor that the poll was given.</summary>
public sealed record SourceReport
{
    /// <summary>The source's name in the configuration.</summary>
    public required string Source { get; init; }

    /// <summary>Opaque to all but the source: where the next poll goes on. Equal cursors mean nothing
    /// changed.</summary>
    public required string Cursor { get; init; }

    /// <summary>Packages that are new or differ from what the last cursor stood for.</summary>
    public ImmutableArray<SourcePackage> Changed { get => field.IsDefault ? [] : field; init; }

    /// <summary>Paths (<see cref="SourceOrigin.Path"/>) that hold no package any more.</summary>
    public ImmutableArray<string> RemovedPaths { get => field.IsDefault ? [] : field; init; }

    /// <summary>Packages that are there but could not be read.</summary>
    public ImmutableArray<UnreadablePackage> Unreadable { get => field.IsDefault ? [] : field; init; }

    /// <summary>True when <see cref="Changed"/> and <see cref="Unreadable"/> together list everything that the source
    /// holds, so that what is not among them is gone: a first import, or one after the source's memory was lost.
    /// </summary>
    public bool Complete { get; init; }

    /// <summary>How many PKGBUILDs bash read for this report: the price of the poll.</summary>
    public int Parsed { get; init; }

    /// <summary>How many packages the source holds in all.</summary>
    public int Total { get; init; }
}

/// <summary>A package whose PKGBUILD could not be read; every other package of its source goes on.</summary>
public sealed record UnreadablePackage
{
    /// <summary>Its directory inside the source; empty for the top.</summary>
    public required string Path { get; init; }

    /// <summary>The name to show it under: its pkgbase if that is known, else its directory's name.</summary>
    public required string Name { get; init; }

    /// <summary>What bash, or the reader, said: at most a few lines.</summary>
    public required string Reason { get; init; }

    /// <summary>The commit or revision it was read from.</summary>
    public required string Revision { get; init; }

    /// <summary>When that commit was made (UTC).</summary>
    public required DateTimeOffset Time { get; init; }
}
