using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Quarters.Core.Documents;

namespace Quarters.Core.Planning;

/// <summary>Where a job stands.</summary>
[JsonConverter(typeof(CamelCase<JobStatus>))]
public enum JobStatus
{
    /// <summary>Something that it needs is missing, failed, or itself waiting to be built.</summary>
    Blocked,

    /// <summary>Everything is there: a builder may claim it.</summary>
    Ready,

    /// <summary>A builder said that it builds it.</summary>
    Building,

    /// <summary>Its packages were accepted.</summary>
    Built,

    /// <summary>It is broken: it rests until its source, a dependency, or an operator gives a reason to try
    /// again.</summary>
    Failed,

    /// <summary>A newer source took its place.</summary>
    Superseded,
}

/// <summary>One package base, at one version of its source, to be built for one architecture.</summary>
public sealed record Job
{
    /// <summary>Its name, safe as a file name; see <see cref="JobId"/>.</summary>
    public required string Id { get; init; }

    /// <summary>The package base.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>The version to build.</summary>
    public required string Version { get; init; }

    /// <summary>The architecture to build on; <c>any</c> where the packages do not depend on it.</summary>
    public required string Architecture { get; init; }

    /// <summary>SHA-256 of the source package.</summary>
    public required string SourceSha256 { get; init; }

    /// <summary>The mass rebuild that it belongs to, and in whose side repository its packages go; null for
    /// none.</summary>
    public string? Rebuild { get; init; }

    /// <summary>Where it stands.</summary>
    public required JobStatus Status { get; init; }

    /// <summary>When it came to stand there.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>When its source was first seen.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it last came to lack nothing; null before that.</summary>
    public DateTimeOffset? ReadyAt { get; init; }

    /// <summary>What it lacks while <see cref="JobStatus.Blocked"/>.</summary>
    public ImmutableArray<Blocker> Blockers { get => field.IsDefault ? [] : field; init; }

    /// <summary>The attempt that is next or runs, from 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>Not to be claimed before this: a pause after a failure of the environment.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Why it will not be tried again, in a part of a sentence; null while it may be.</summary>
    public string? Verdict { get; init; }

    /// <summary>The builder of the attempt that runs; null when none does.</summary>
    public string? Builder { get; init; }

    /// <summary>The snapshot that the attempt that runs is built against, as its builder says; null when it does
    /// not.</summary>
    public string? Snapshot { get; init; }

    /// <summary>How many builders must build the same, each for itself, before it is published.</summary>
    public int Wanted { get; init; } = 1;

    /// <summary>Where several shall build the same, the snapshot that all of them build against; null until the first
    /// has begun.</summary>
    public string? Pinned { get; init; }

    /// <summary>The attempts that ended; of very many the last.</summary>
    public ImmutableArray<Attempt> Attempts { get => field.IsDefault ? [] : field; init; }

    /// <summary>The reasons for which it was begun anew: attempts before the last one's count no more.</summary>
    public ImmutableArray<Retry> Retries { get => field.IsDefault ? [] : field; init; }

    /// <summary>
    /// Dependencies that it does not wait for, since they wait for it: here the cycle was cut when the job, or the last
    /// of the cycle, was added.
    /// </summary>
    public ImmutableArray<string> Cut { get => field.IsDefault ? [] : field; init; }

    /// <summary>
    /// Of <see cref="Cut"/> those of which it is built against an older package than the one that waits for it: as it
    /// would be now while it is open, and as its snapshot says it was once it is built.
    /// </summary>
    public ImmutableArray<string> BuiltAgainstOlder { get => field.IsDefault ? [] : field; init; }

    /// <summary>How long the build is expected to take on a builder of weight 1, in seconds: as recorded when the job
    /// was added.</summary>
    public double EstimatedSeconds { get; init; }

    /// <summary>The expected seconds from its start to the end of the longest chain of open jobs that wait for
    /// it.</summary>
    public double Priority { get; init; }

    /// <summary>Whether it builds its source for a stage of a bootstrap.</summary>
    [JsonIgnore]
    public bool IsStaged => Rebuild is not null && Id.EndsWith("@" + Rebuild, StringComparison.Ordinal);

    /// <summary>Whether a result is still wanted.</summary>
    public bool IsOpen => Status is JobStatus.Blocked or JobStatus.Ready or JobStatus.Building;

    /// <summary>The attempts since it was last begun anew: those that decide what is done next.</summary>
    public ImmutableArray<Attempt> CurrentAttempts() => Retries is [.., var last]
        ? Attempts.RemoveAll(attempt => attempt.Number < last.Attempt)
        : Attempts;
}

/// <summary>A reason to begin a job anew.</summary>
/// <param name="Attempt">The first attempt that is made for it.</param>
/// <param name="Why">The reason, in a sentence.</param>
/// <param name="Time">When it was given.</param>
public sealed record Retry(int Attempt, string Why, DateTimeOffset Time);

/// <summary>How an attempt ended, as the master settled it.</summary>
[JsonConverter(typeof(CamelCase<AttemptEnd>))]
public enum AttemptEnd
{
    /// <summary>The packages were accepted and published.</summary>
    Accepted,

    /// <summary>The builder said that it failed.</summary>
    Failed,

    /// <summary>The packages are right, and wait until enough other builders have built the same.</summary>
    Witnessed,

    /// <summary>The builder's result was not believed.</summary>
    Refused,

    /// <summary>The builder's build is gone without a result, or the builder was not heard of any more.</summary>
    Lost,

    /// <summary>The builder says that it ended the build on purpose: that says nothing of the job, and counts for
    /// nothing.</summary>
    GivenUp,
}

/// <summary>One attempt that ended.</summary>
public sealed record Attempt
{
    /// <summary>Its number, from 1.</summary>
    public required int Number { get; init; }

    /// <summary>Who made it.</summary>
    public required string Builder { get; init; }

    /// <summary>How it ended.</summary>
    public required AttemptEnd End { get; init; }

    /// <summary>Why, in a sentence; empty when it was accepted.</summary>
    public required string Reason { get; init; }

    /// <summary>The builder's own account; null when it gave none.</summary>
    public BuildResult? Result { get; init; }

    /// <summary>When the master settled it.</summary>
    public required DateTimeOffset Settled { get; init; }

    /// <summary>Whether it was lost while the master heard of nobody: that says nothing of the builder or the
    /// job.</summary>
    public bool Excused { get; init; }

    /// <summary>The stem of its log at the master.</summary>
    /// <param name="job">The job's id.</param>
    public string LogName(string job) => End == AttemptEnd.Witnessed
        ? JobId.WitnessName(job, Number, Builder)
        : JobId.AttemptName(job, Number);
}

/// <summary>One reason why a job cannot start.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="Relation">The dependency, as the PKGBUILD writes it.</param>
/// <param name="Pkgbase">Who should provide it; null when nobody does.</param>
public sealed record Blocker(BlockerKind Kind, string Relation, string? Pkgbase);

/// <summary>What is wrong with a dependency.</summary>
[JsonConverter(typeof(CamelCase<BlockerKind>))]
public enum BlockerKind
{
    /// <summary>Nobody provides it: no repository, and no source.</summary>
    Missing,

    /// <summary>Its provider is itself waiting to be built, or builds.</summary>
    Waiting,

    /// <summary>Its provider failed to build, and no repository holds one that would do.</summary>
    Failed,
}
