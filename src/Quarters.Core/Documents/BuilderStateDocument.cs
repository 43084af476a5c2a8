using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary>What a builder does and has done: its <c>/v1/state.json</c>.</summary>
public sealed record BuilderStateDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.BuilderState;

    /// <summary>Grows with every change; never goes back.</summary>
    public required long Revision { get; init; }

    /// <summary>The builder's name.</summary>
    public required string Name { get; init; }

    /// <summary>Architectures that it builds.</summary>
    public required ImmutableArray<string> Architectures { get; init; }

    /// <summary>How many builds it runs at once.</summary>
    public required int Slots { get; init; }

    /// <summary>How fast it is, as its owner says: 1 is a builder on which a job takes what it is estimated
    /// to.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>The most memory that one build may use, in bytes; 0 where it is not known.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Whether it finishes what it has and takes nothing new.</summary>
    public bool Draining { get; init; }

    /// <summary>When it wrote this, at least every minute while it lives: a claim lives as long as this
    /// moves.</summary>
    public required DateTimeOffset Alive { get; init; }

    /// <summary>What keeps it from working and what to do about it, in sentences; null when nothing does.</summary>
    public string? Trouble { get; init; }

    /// <summary>The jobs that it has claimed or builds.</summary>
    public required ImmutableArray<Claim> Claims { get; init; }

    /// <summary>Results that the master has not settled yet.</summary>
    public required ImmutableArray<BuildResult> Results { get; init; }

    /// <summary>The builds that it last ended on purpose without a result: a crash is not among them.</summary>
    public ImmutableArray<GivenUpBuild> GivenUp { get => field.IsDefault ? [] : field; init; }
}

/// <summary>A build that its builder ended on purpose without a result: it was stopped.</summary>
public sealed record GivenUpBuild
{
    /// <summary>The job's id.</summary>
    public required string Job { get; init; }

    /// <summary>The attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>Why, in a sentence.</summary>
    public required string Reason { get; init; }
}

/// <summary>How far a claim has come. The later beats the earlier.</summary>
[JsonConverter(typeof(CamelCase<ClaimPhase>))]
public enum ClaimPhase
{
    /// <summary>Chosen to be next; its sources and dependencies are fetched. An idle builder may take it.</summary>
    Reserved,

    /// <summary>Posted; the builder looks whether a better claim stands.</summary>
    Claimed,

    /// <summary>The build runs.</summary>
    Building,
}

/// <summary>A builder's word that it builds, or is about to build, an attempt of a job.</summary>
public sealed record Claim
{
    /// <summary>The job's id.</summary>
    public required string Job { get; init; }

    /// <summary>The attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>How far it has come.</summary>
    public required ClaimPhase Phase { get; init; }

    /// <summary>Since when it is in this phase.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The snapshot that it is or will be built against: the master keeps that for as long.</summary>
    public string? Snapshot { get; init; }

    /// <summary>What the build does now: <c>root</c>, <c>dependencies</c>, <c>sources</c>, <c>build</c>, …; null before
    /// it runs.</summary>
    public string? Stage { get; init; }
}

/// <summary>How a build ended.</summary>
[JsonConverter(typeof(CamelCase<ResultOutcome>))]
public enum ResultOutcome
{
    /// <summary>The packages are there.</summary>
    Built,

    /// <summary>There are none; <see cref="BuildResult.Failure"/> says why.</summary>
    Failed,
}

/// <summary>Whose fault a failure is, and so what is done about it.</summary>
[JsonConverter(typeof(CamelCase<FailureKind>))]
public enum FailureKind
{
    /// <summary>The package does not build: it will fail elsewhere too.</summary>
    Package,

    /// <summary>Disk, download, kernel, a dying machine: another try may work.</summary>
    Environment,

    /// <summary>It took too long, or was silent and idle for too long.</summary>
    Timeout,
}

/// <summary>Why there is no package.</summary>
public sealed record BuildFailure
{
    /// <summary>Where it ended: <c>dependencies</c>, <c>sources</c>, <c>prepare</c>, <c>build</c>, <c>check</c>,
    /// <c>package</c>, ….</summary>
    public required string Stage { get; init; }

    /// <summary>Whose fault it is.</summary>
    public required FailureKind Kind { get; init; }

    /// <summary>A sentence for people.</summary>
    public required string Message { get; init; }

    /// <summary>The last lines of the log.</summary>
    public ImmutableArray<string> LastLines { get => field.IsDefault ? [] : field; init; }
}

/// <summary>The end of one attempt, with all that the master needs to fetch and judge it.</summary>
public sealed record BuildResult
{
    /// <summary>The job's id.</summary>
    public required string Job { get; init; }

    /// <summary>The attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>The snapshot that it was built against, or was to be.</summary>
    public required string Snapshot { get; init; }

    /// <summary>How it ended.</summary>
    public required ResultOutcome Outcome { get; init; }

    /// <summary>The packages, at <c>/out/JOB.ATTEMPT/NAME</c>; empty when it failed.</summary>
    public ImmutableArray<ResultFile> Files { get => field.IsDefault ? [] : field; init; }

    /// <summary>Why it failed; null when it was built.</summary>
    public BuildFailure? Failure { get; init; }

    /// <summary>When the attempt began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>What each phase cost, in order.</summary>
    public ImmutableArray<PhaseCost> Costs { get => field.IsDefault ? [] : field; init; }

    /// <summary>How fast its builder was then (<see cref="BuilderStateDocument.Weight"/>): what the costs are
    /// multiplied by to be those of a builder of weight 1. 0 where it does not say, which counts as 1.</summary>
    public double Weight { get; init; }

    /// <summary>Size of the log, at <c>/v1/logs/JOB.ATTEMPT.log</c>, in bytes.</summary>
    public long LogBytes { get; init; }
}

/// <summary>One file of a result.</summary>
public sealed record ResultFile(string Name, long Bytes, string Sha256);

/// <summary>What one phase of a build cost.</summary>
public sealed record PhaseCost
{
    /// <summary>The phase's name.</summary>
    public required string Phase { get; init; }

    /// <summary>Wall-clock time in seconds.</summary>
    public required double ElapsedSeconds { get; init; }

    /// <summary>Processor time in seconds.</summary>
    public double CpuSeconds { get; init; }

    /// <summary>The most memory in use at once, in bytes; 0 where it is not known.</summary>
    public long PeakMemoryBytes { get; init; }
}
