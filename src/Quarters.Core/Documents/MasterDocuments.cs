using System.Collections.Immutable;

namespace Quarters.Core.Documents;

/// <summary>The farm in numbers: the master's <c>/v1/state.json</c>.</summary>
public sealed record MasterStateDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.MasterState;

    /// <summary>Grows with every change; never goes back.</summary>
    public required long Revision { get; init; }

    /// <summary>The master's name.</summary>
    public required string Name { get; init; }

    /// <summary>How many packages are in which status.</summary>
    public required StatusCounts Counts { get; init; }

    /// <summary>The sources, and what their polls cost.</summary>
    public required ImmutableArray<SourceStatus> Sources { get; init; }

    /// <summary>The repositories.</summary>
    public required ImmutableArray<RepositoryStatus> Repositories { get; init; }

    /// <summary>Jobs that are not built: blocked, ready, building and failed, at most a thousand.</summary>
    public required ImmutableArray<JobSummary> Jobs { get; init; }

    /// <summary>Packages that cannot be read, by source and path, at most a hundred.</summary>
    public ImmutableArray<UnreadableStatus> Unreadable { get => field.IsDefault ? [] : field; init; }

    /// <summary>Changes that need review or were rejected, by package base, at most a thousand.</summary>
    public ImmutableArray<ReviewStatus> Reviews { get => field.IsDefault ? [] : field; init; }

    /// <summary>What needs an operator's decision, a sentence each: packages that are linked with libraries that went
    /// away. At most a hundred.</summary>
    public ImmutableArray<string> Advice { get => field.IsDefault ? [] : field; init; }

    /// <summary>The builders as last seen.</summary>
    public required ImmutableArray<BuilderStatus> Builders { get; init; }
}

/// <summary>A change that is not built until an operator accepts it.</summary>
/// <param name="Name">The package base.</param>
/// <param name="Version">The version that it would have.</param>
/// <param name="Source">The source that it comes from.</param>
/// <param name="ArchiveSha256">Its source package, <c>/src/SHA256.tar.zst</c>.</param>
/// <param name="Since">Since when it waits.</param>
/// <param name="Rejected">True when an operator did not want it.</param>
/// <param name="Findings">What should be seen, a sentence each.</param>
public sealed record ReviewStatus(
    string Name,
    string Version,
    string Source,
    string ArchiveSha256,
    DateTimeOffset Since,
    bool Rejected,
    ImmutableArray<string> Findings)
{
    /// <summary>How it differs from what was accepted last, cut where it is long; only in the package's own
    /// document.</summary>
    public string? Diff { get; init; }
}

/// <summary>A package that cannot be read.</summary>
/// <param name="Name">Its pkgbase where that is known, else its directory's name.</param>
/// <param name="Source">The source that holds it.</param>
/// <param name="Path">Its directory there; empty for the top.</param>
/// <param name="Reason">What bash, or the reader, said: at most a few lines.</param>
public sealed record UnreadableStatus(string Name, string Source, string Path, string Reason);

/// <summary>How many packages are in which status.</summary>
public sealed record StatusCounts(
    int Packages, int Blocked, int Ready, int Building, int Built, int Failed, int Unreadable);

/// <summary>One source of packages and its last poll.</summary>
public sealed record SourceStatus
{
    /// <summary>Its name in the configuration.</summary>
    public required string Name { get; init; }

    /// <summary><c>git</c>, <c>directory</c>, ….</summary>
    public required string Kind { get; init; }

    /// <summary>When a poll last succeeded; null if never.</summary>
    public DateTimeOffset? LastSuccess { get; init; }

    /// <summary>Why the last poll failed; null if it did not.</summary>
    public string? Error { get; init; }

    /// <summary>Packages in the source.</summary>
    public int Packages { get; init; }

    /// <summary>PKGBUILDs that the last poll that found something new had read.</summary>
    public int LastParsed { get; init; }

    /// <summary>PKGBUILDs read since the master began.</summary>
    public long TotalParsed { get; init; }

    /// <summary>How long the last poll took, in seconds.</summary>
    public double LastPollSeconds { get; init; }

    /// <summary>The cursor: for git the commit.</summary>
    public string Cursor { get => field ?? ""; init; }
}

/// <summary>A repository that the master publishes, or pins from elsewhere.</summary>
public sealed record RepositoryStatus
{
    /// <summary>Its name, as in pacman.conf.</summary>
    public required string Name { get; init; }

    /// <summary>Its architecture.</summary>
    public required string Architecture { get; init; }

    /// <summary>Whether it is published here; else it is pinned from elsewhere.</summary>
    public required bool Own { get; init; }

    /// <summary>Packages in it.</summary>
    public required int Packages { get; init; }

    /// <summary>SHA-256 of its database as published or pinned; null before the first.</summary>
    public string? DatabaseSha256 { get; init; }

    /// <summary>Why it could not be looked at when last tried; null when it could, and for our own.</summary>
    public string? Error { get; init; }
}

/// <summary>A job in one line.</summary>
public sealed record JobSummary
{
    /// <summary>The job's id.</summary>
    public required string Id { get; init; }

    /// <summary>Its package base.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>The version to build.</summary>
    public required string Version { get; init; }

    /// <summary>The architecture to build on.</summary>
    public required string Architecture { get; init; }

    /// <summary>Where it stands.</summary>
    public required Planning.JobStatus Status { get; init; }

    /// <summary>Why it stands there, in a sentence; empty when there is nothing to say.</summary>
    public required string Reason { get; init; }

    /// <summary>The attempt that is next, or runs, or was the last.</summary>
    public required int Attempt { get; init; }

    /// <summary>Who builds or built it; null if nobody.</summary>
    public string? Builder { get; init; }

    /// <summary>When its status last changed.</summary>
    public required DateTimeOffset Since { get; init; }
}

/// <summary>The whole history of one job: <c>/v1/jobs/ID.json</c>.</summary>
public sealed record JobDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Job;

    /// <summary>The master's revision when this job last changed.</summary>
    public required long Revision { get; init; }

    /// <summary>The job as planned.</summary>
    public required Planning.Job Job { get; init; }

    /// <summary>Why it stands where it stands.</summary>
    public required string Reason { get; init; }

    /// <summary>
    /// Who claims the current attempt, as the master last saw it. Null until the master has read every builder since it
    /// began: before that it could miss one.
    /// </summary>
    public ImmutableArray<SeenClaim>? Seen { get; init; }
}

/// <summary>One builder's claim as the master last read it.</summary>
/// <param name="PublicKey">The builder: <c>sha256:HEX</c>.</param>
/// <param name="Attempt">The attempt that it claims.</param>
/// <param name="Phase">How far it has come.</param>
/// <param name="Revision">The revision of the builder's document that says so.</param>
/// <param name="Draining">Whether an operator had the builder take nothing new before that was read. It may not have
/// read the list of builders since then, and takes the claim away.</param>
public sealed record SeenClaim(string PublicKey, int Attempt, ClaimPhase Phase, long Revision, bool Draining = false);

/// <summary>All that is known of one package base: <c>/v1/packages/PKGBASE.json</c>.</summary>
public sealed record PackageDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Package;

    /// <summary>The package base.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>Its source; null when it has none any more, or could not be read.</summary>
    public Sources.SourcePackage? Source { get; init; }

    /// <summary>Why it is not built, or that it is, in sentences.</summary>
    public required ImmutableArray<string> Why { get; init; }

    /// <summary>Its change that needs review or was rejected; null when there is none.</summary>
    public ReviewStatus? Review { get; init; }

    /// <summary>Its jobs, newest first.</summary>
    public required ImmutableArray<JobSummary> Jobs { get; init; }

    /// <summary>What the repositories hold of it.</summary>
    public required ImmutableArray<Planning.RepositoryPackage> Published { get; init; }
}
