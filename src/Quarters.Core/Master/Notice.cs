using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Quarters.Core.Master;

/// <summary>Something that people want to be told of: an entry of a feed. It holds facts; the words are the
/// feed's.</summary>
public sealed record Notice
{
    /// <summary>What it tells of.</summary>
    public required NoticeKind Kind { get; init; }

    /// <summary>The revision of the state with which it was first told: with <see cref="Number"/> its name, for
    /// ever.</summary>
    public required long Revision { get; init; }

    /// <summary>Which of the notices of that revision it is, from 0.</summary>
    public int Number { get; init; }

    /// <summary>When it was first told.</summary>
    public required DateTimeOffset Told { get; init; }

    /// <summary>When there was last something new to tell of it.</summary>
    public required DateTimeOffset Updated { get; init; }

    /// <summary>The package base, or the rebuild; of a change of the repositories what it was.</summary>
    public required string Subject { get; init; }

    /// <summary>The version; empty where there is none.</summary>
    public string Version { get; init; } = "";

    /// <summary>The architecture; empty where there is none.</summary>
    public string Architecture { get; init; } = "";

    /// <summary>The repository; empty where there is none, or several.</summary>
    public string Repository { get; init; } = "";

    /// <summary>Whose package it is; empty where that is nobody's, or not known.</summary>
    public string Packager { get; init; } = "";

    /// <summary>The job; empty where there is none.</summary>
    public string Job { get; init; } = "";

    /// <summary>The job's attempt that it tells of.</summary>
    public int Attempt { get; init; }

    /// <summary>Why, in a sentence; empty where there is nothing to say.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Since when what recovered had failed.</summary>
    public DateTimeOffset? FailedSince { get; init; }

    /// <summary>Packages, or what changed, a line each: of many the first.</summary>
    public ImmutableArray<string> Lines { get => field.IsDefault ? [] : field; init; }

    /// <summary>How many lines were left out.</summary>
    public int More { get; init; }

    /// <summary>How far a rebuild came; null for all else.</summary>
    public RebuildCount? Count { get; init; }
}

/// <summary>What a notice tells of.</summary>
[JsonConverter(typeof(CamelCase<NoticeKind>))]
public enum NoticeKind
{
    /// <summary>A package was built and is in its repository.</summary>
    Published,

    /// <summary>The same, of a package whose failure was told before.</summary>
    Recovered,

    /// <summary>A package does not build: the first time since it was last built.</summary>
    Failed,

    /// <summary>A package that could be read cannot be read any more.</summary>
    Unreadable,

    /// <summary>It can be read again.</summary>
    Readable,

    /// <summary>An operator, or a promotion, changed what repositories hold.</summary>
    Changed,

    /// <summary>A mass rebuild began.</summary>
    RebuildBegun,

    /// <summary>It was merged.</summary>
    RebuildMerged,

    /// <summary>It was dropped.</summary>
    RebuildDropped,
}

/// <summary>How far a rebuild came.</summary>
/// <param name="Packages">Its package bases.</param>
/// <param name="Built">Those of them that are built.</param>
/// <param name="Failed">Those that failed, or of which no source package could be made.</param>
public sealed record RebuildCount(int Packages, int Built, int Failed);

/// <summary>A failure that was told, of a package that was not built since.</summary>
/// <param name="Architecture">The architecture of its job.</param>
/// <param name="Since">When it was told.</param>
public sealed record ToldFailure(string Architecture, DateTimeOffset Since);
