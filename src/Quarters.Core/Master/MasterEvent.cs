using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// Something that happened to the master. Its journal is a list of these, and its state is what they add up to.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(MasterStarted), "masterStarted")]
[JsonDerivedType(typeof(Configured), "configured")]
[JsonDerivedType(typeof(BuilderListed), "builderListed")]
[JsonDerivedType(typeof(BuilderDescribed), "builderDescribed")]
[JsonDerivedType(typeof(BuilderDrained), "builderDrained")]
[JsonDerivedType(typeof(BuilderRemoved), "builderRemoved")]
[JsonDerivedType(typeof(SignalSettled), "signalSettled")]
[JsonDerivedType(typeof(SourcePolled), "sourcePolled")]
[JsonDerivedType(typeof(ChangeJudged), "changeJudged")]
[JsonDerivedType(typeof(OutsidePinned), "outsidePinned")]
[JsonDerivedType(typeof(ClaimSeen), "claimSeen")]
[JsonDerivedType(typeof(ClaimLost), "claimLost")]
[JsonDerivedType(typeof(ClaimGivenUp), "claimGivenUp")]
[JsonDerivedType(typeof(AttemptFailed), "attemptFailed")]
[JsonDerivedType(typeof(ResultAccepted), "resultAccepted")]
[JsonDerivedType(typeof(ResultWitnessed), "resultWitnessed")]
[JsonDerivedType(typeof(ResultRefused), "resultRefused")]
[JsonDerivedType(typeof(Retried), "retried")]
[JsonDerivedType(typeof(RepositoriesChanged), "repositoriesChanged")]
[JsonDerivedType(typeof(RebuildBegun), "rebuildBegun")]
[JsonDerivedType(typeof(RebuildBumped), "rebuildBumped")]
[JsonDerivedType(typeof(RebuildSettling), "rebuildSettling")]
[JsonDerivedType(typeof(RebuildEnded), "rebuildEnded")]
[JsonDerivedType(typeof(BootstrapBegun), "bootstrapBegun")]
[JsonDerivedType(typeof(StageFinished), "stageFinished")]
[JsonDerivedType(typeof(StageUnreadable), "stageUnreadable")]
[JsonDerivedType(typeof(BootstrapEnded), "bootstrapEnded")]
[JsonDerivedType(typeof(BuildOrdered), "buildOrdered")]
[JsonDerivedType(typeof(JobCancelled), "jobCancelled")]
[JsonDerivedType(typeof(PackageHeld), "packageHeld")]
[JsonDerivedType(typeof(PackageReleased), "packageReleased")]
[JsonDerivedType(typeof(RepositoryPublished), "repositoryPublished")]
[JsonDerivedType(typeof(HistoryForgotten), "historyForgotten")]
public abstract record MasterEvent;

/// <summary>The master began to run. Each start has a revision of its own, so that no document goes back.</summary>
/// <param name="Version">The software's version.</param>
public sealed record MasterStarted(string Version) : MasterEvent;

/// <summary>The configuration was read and differs from what was known.</summary>
public sealed record Configured(MasterSettings Settings) : MasterEvent;

/// <summary>An operator listed a builder: its results are looked at from now on. One of that name is listed with
/// another address.</summary>
/// <param name="Name">The name it is known by here.</param>
/// <param name="Url">The base URL of its public tree.</param>
/// <param name="PublicKey">The key that it must prove, <c>sha256:HEX</c>.</param>
public sealed record BuilderListed(string Name, string Url, string PublicKey) : MasterEvent;

/// <summary>A listed builder says something else of itself than what was known.</summary>
public sealed record BuilderDescribed(string Name, BuilderDescription Description) : MasterEvent;

/// <summary>An operator asked a builder to take nothing new, or allowed it again. What it builds still
/// counts.</summary>
public sealed record BuilderDrained(string Name, bool Draining) : MasterEvent;

/// <summary>An operator took a builder off the list: what it builds is lost at once, and no result of it is looked at
/// any more.</summary>
public sealed record BuilderRemoved(string Name) : MasterEvent;

/// <summary>A signal was read, judged, and acted on: the events of what it brought about stand before this one in the
/// same batch.</summary>
/// <param name="Signal">The signal.</param>
/// <param name="Refusal">Why nothing was done, in a sentence; null when it was done.</param>
public sealed record SignalSettled(Signal Signal, string? Refusal) : MasterEvent
{
    /// <summary>The operator who published it; null when it was in the spool.</summary>
    public string? Operator { get; init; }

    /// <summary>What is to be told of it besides, a line each.</summary>
    public ImmutableArray<string> Details { get => field.IsDefault ? [] : field; init; }
}

/// <summary>A source had something new.</summary>
public sealed record SourcePolled(SourceReport Report) : MasterEvent
{
    /// <summary>The changes in it that wait until an operator accepts them.</summary>
    public ImmutableArray<NeededReview> Reviews { get => field.IsDefault ? [] : field; init; }
}

/// <summary>An operator accepted a change that waited for it, or rejected it.</summary>
/// <param name="Pkgbase">The package base.</param>
/// <param name="ArchiveSha256">The archive that was looked at.</param>
/// <param name="Rejected">True when it is not to be built.</param>
public sealed record ChangeJudged(string Pkgbase, string ArchiveSha256, bool Rejected) : MasterEvent;

/// <summary>The database of a repository of others was fetched and pinned.</summary>
/// <param name="Repository">The repository's name.</param>
/// <param name="Architecture">Its architecture.</param>
/// <param name="Sha256">SHA-256 of the database.</param>
/// <param name="Bytes">Its size.</param>
public sealed record OutsidePinned(string Repository, string Architecture, string Sha256, long Bytes) : MasterEvent
{
    /// <summary>
    /// What the database offers. Not in the journal, which names the file by its hash: the shell reads it before the
    /// event is applied, at recovery too.
    /// </summary>
    [JsonIgnore]
    public PackageIndex Index { get; init; } = PackageIndex.Empty;
}

/// <summary>A builder's state says that it builds this attempt, and against which snapshot.</summary>
public sealed record ClaimSeen(string Job, int Attempt, string Builder, string? Snapshot = null) : MasterEvent;

/// <summary>A builder that said so says so no more, without a result, or was not heard of for too long.</summary>
/// <param name="Job">The job.</param>
/// <param name="Attempt">Its attempt.</param>
/// <param name="Builder">Who had claimed it.</param>
/// <param name="Reason">What was seen, in a sentence.</param>
/// <param name="Excused">Whether nobody else was heard of either: then the master's own link is the likelier
/// reason.</param>
public sealed record ClaimLost(string Job, int Attempt, string Builder, string Reason, bool Excused = false)
    : MasterEvent;

/// <summary>A builder says that it ended a build on purpose, without a result.</summary>
/// <param name="Job">The job.</param>
/// <param name="Attempt">Its attempt.</param>
/// <param name="Builder">Who had claimed it.</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record ClaimGivenUp(string Job, int Attempt, string Builder, string Reason) : MasterEvent;

/// <summary>A builder presents a failure.</summary>
public sealed record AttemptFailed(string Builder, BuildResult Result) : MasterEvent;

/// <summary>A builder's packages were fetched, checked and stored; they enter the repository now.</summary>
public sealed record ResultAccepted(string Builder, BuildResult Result, ImmutableArray<RepositoryPackage> Packages)
    : MasterEvent;

/// <summary>A builder's packages were fetched and checked; they are published when enough other builders have built
/// the same.</summary>
/// <param name="Builder">The builder.</param>
/// <param name="Result">Its result.</param>
/// <param name="Difference">What of it is not as another builder built it, in a sentence; null when nothing is.</param>
public sealed record ResultWitnessed(string Builder, BuildResult Result, string? Difference) : MasterEvent;

/// <summary>A builder's result was not believed; nothing of it is published.</summary>
public sealed record ResultRefused(string Builder, BuildResult Result, string Reason) : MasterEvent;

/// <summary>Somebody wants what failed to be tried again at once, by anybody: what was counted against it is
/// forgotten.</summary>
/// <param name="Name">A job's id; or a package base, for all its jobs.</param>
/// <param name="Why">Who wants it and why, in a sentence.</param>
public sealed record Retried(string Name, string Why) : MasterEvent;

/// <summary>Packages came, went, or took the place of others in our repositories, all in one step. Their files were put
/// there before.</summary>
/// <param name="Replacements">What changed.</param>
/// <param name="Why">What it was, for people.</param>
public sealed record RepositoriesChanged(ImmutableArray<Replacement> Replacements, string Why) : MasterEvent
{
    /// <summary>The rebuild that it merges; null for none.</summary>
    public string? Rebuild { get; init; }
}

/// <summary>A mass rebuild begins.</summary>
/// <param name="Name">Its name, and that of its side repository.</param>
/// <param name="Pkgbases">Its packages.</param>
/// <param name="Bump">How releases are raised.</param>
/// <param name="Why">Why these, for people.</param>
public sealed record RebuildBegun(string Name, ImmutableArray<string> Pkgbases, BumpKind Bump, string Why)
    : MasterEvent
{
    /// <summary>Whether what was built against something older is built once more in the end.</summary>
    public bool Settle { get; init; }
}

/// <summary>The source package of a rebuild's package was made of the source's own, or cannot be.</summary>
public sealed record RebuildBumped(string Name, string Pkgbase, RebuildMember Member) : MasterEvent;

/// <summary>All of a rebuild was built, or cannot be: these of its packages, which were built against something older,
/// are built once more.</summary>
public sealed record RebuildSettling(string Name, ImmutableArray<string> Pkgbases) : MasterEvent;

/// <summary>A mass rebuild was merged or dropped: its side repository is gone.</summary>
public sealed record RebuildEnded(string Name, bool IsMerged) : MasterEvent;

/// <summary>A bootstrap begins, with its first stage.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Seeds">The repositories of others that builds install from.</param>
/// <param name="Pkgbases">Its packages: their sources as they are now are built in every stage.</param>
/// <param name="MaxStages">How many stages are built at most.</param>
public sealed record BootstrapBegun(
    string Name, ImmutableArray<string> Seeds, ImmutableArray<string> Pkgbases, int MaxStages) : MasterEvent
{
    /// <summary>What was left out of it, and why, a sentence each.</summary>
    public ImmutableArray<string> LeftOut { get => field.IsDefault ? [] : field; init; }
}

/// <summary>All of a bootstrap's stage is built and was compared with the stage before: the next one begins, or it
/// ends.</summary>
public sealed record StageFinished(string Name, FinishedStage Stage) : MasterEvent;

/// <summary>All of a bootstrap's stage is built, and it cannot be compared with the stage before until files are put
/// back.</summary>
/// <param name="Name">The bootstrap.</param>
/// <param name="Stage">The stage's number.</param>
/// <param name="Problem">What is wrong, in a sentence.</param>
public sealed record StageUnreadable(string Name, int Stage, string Problem) : MasterEvent;

/// <summary>A bootstrap was merged or dropped: its stages are gone.</summary>
public sealed record BootstrapEnded(string Name, bool IsMerged) : MasterEvent;

/// <summary>An operator wants a package built as its source says now, whatever our repositories hold.</summary>
public sealed record BuildOrdered(string Pkgbase) : MasterEvent;

/// <summary>An operator wants a job not to be built.</summary>
public sealed record JobCancelled(string Job) : MasterEvent;

/// <summary>An operator holds a package: it is neither built nor moved.</summary>
public sealed record PackageHeld(string Pkgbase, string Reason) : MasterEvent;

/// <summary>An operator holds a package no longer.</summary>
public sealed record PackageReleased(string Pkgbase) : MasterEvent;

/// <summary>A repository's database was written and switched to.</summary>
public sealed record RepositoryPublished(string Repository, string Architecture, string Sha256, long Bytes)
    : MasterEvent;

/// <summary>What is old and many enough was forgotten, as the configuration wants it. The journal still has
/// it.</summary>
/// <param name="Jobs">The jobs, with the logs of their attempts.</param>
/// <param name="Snapshots">The snapshots.</param>
public sealed record HistoryForgotten(ImmutableArray<string> Jobs, ImmutableArray<string> Snapshots) : MasterEvent;
