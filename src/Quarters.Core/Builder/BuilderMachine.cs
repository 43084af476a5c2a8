using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Quarters.Core.Documents;

namespace Quarters.Core.Builder;

/// <summary>Something that happened to a builder: the lines of its journal.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Started), "started")]
[JsonDerivedType(typeof(Reserved), "reserved")]
[JsonDerivedType(typeof(Claimed), "claimed")]
[JsonDerivedType(typeof(BuildBegun), "buildBegun")]
[JsonDerivedType(typeof(BuildEnded), "buildEnded")]
[JsonDerivedType(typeof(ClaimDropped), "claimDropped")]
[JsonDerivedType(typeof(ResultSettled), "resultSettled")]
public abstract record BuilderEvent;

/// <summary>The builder began to run. Each start has a revision of its own, so that a document never goes
/// back.</summary>
/// <param name="Version">The software's version.</param>
public sealed record Started(string Version) : BuilderEvent;

/// <summary>It wants to build this job next, and fetches what it needs.</summary>
public sealed record Reserved(QueueJob Job) : BuilderEvent;

/// <summary>It wants to build this job now; it may have been reserved.</summary>
public sealed record Claimed(QueueJob Job) : BuilderEvent;

/// <summary>The build runs.</summary>
public sealed record BuildBegun(string Job, int Attempt) : BuilderEvent;

/// <summary>The build ended; its files are on disk.</summary>
public sealed record BuildEnded(BuildResult Result) : BuilderEvent;

/// <summary>The claim is given up without a result.</summary>
/// <param name="Job">The job.</param>
/// <param name="Attempt">Its attempt.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="IsCrash">Whether nobody wanted that: the claim was found in the journal of a builder that did not stop
/// but ended, and the build may be what ended it.</param>
public sealed record ClaimDropped(string Job, int Attempt, string Reason, bool IsCrash = false) : BuilderEvent;

/// <summary>The master has settled the attempt: its files need not be kept.</summary>
public sealed record ResultSettled(string Job, int Attempt, string How) : BuilderEvent;

/// <summary>A claim and the job as the queue described it when it was made.</summary>
public sealed record ClaimedJob
{
    /// <summary>The job.</summary>
    public required QueueJob Job { get; init; }

    /// <summary>How far it has come.</summary>
    public required ClaimPhase Phase { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The builder's revision in which it came to stand so.</summary>
    public long Revision { get; init; }
}

/// <summary>What a builder knows: the sum of its journal.</summary>
public sealed record BuilderState
{
    /// <summary>Knows nothing yet.</summary>
    public static BuilderState Empty { get; } = new();

    /// <summary>How many events it is made of.</summary>
    public long Revision { get; init; }

    /// <summary>Its claims, the oldest first.</summary>
    public ImmutableArray<ClaimedJob> Claims { get => field.IsDefault ? [] : field; init; }

    /// <summary>Results that the master has not settled.</summary>
    public ImmutableArray<BuildResult> Results { get => field.IsDefault ? [] : field; init; }

    /// <summary>The builds that it ended on purpose without a result, the last one last; at most <see
    /// cref="BuilderMachine.GivenUpAtMost"/>.</summary>
    public ImmutableArray<GivenUpBuild> GivenUp { get => field.IsDefault ? [] : field; init; }
}

/// <summary>What a builder's own decisions depend on.</summary>
/// <param name="PublicKey">Who it is: <c>sha256:HEX</c>.</param>
/// <param name="Architectures">What it builds.</param>
/// <param name="Slots">How many builds run at once.</param>
/// <param name="Draining">Whether it finishes what it has and takes nothing new.</param>
public sealed record BuilderTerms(string PublicKey, ImmutableArray<string> Architectures, int Slots, bool Draining);

/// <summary>The builder as a function: what an event does to its state. What it wants next is in <see
/// cref="Claiming"/>.</summary>
public static class BuilderMachine
{
    /// <summary>
    /// The revision of a builder's document is the number of its events times this, plus the number of changes since
    /// that are not worth an event (a stage, a sign of life). Each start is an event, so the sum never goes back; below
    /// 2^53 it is exact in every JSON reader for 2^33 events.
    /// </summary>
    public const long ChangesPerEvent = 1 << 20;

    /// <summary>So many builds that were given up are told of: as many as one stop can end.</summary>
    public const int GivenUpAtMost = 256;

    /// <summary>The state after an event. An event about a claim that is not there changes nothing but the
    /// revision.</summary>
    public static BuilderState Apply(BuilderState state, BuilderEvent happened, DateTimeOffset time)
    {
        var next = happened switch
        {
            Started => state,
            Reserved reserved => Enter(state, reserved.Job, ClaimPhase.Reserved, time),
            Claimed claimed => Enter(state, claimed.Job, ClaimPhase.Claimed, time),
            BuildBegun begun => state with
            {
                Claims = [.. state.Claims.Select(c => Is(c, begun.Job, begun.Attempt)
                    ? c with { Phase = ClaimPhase.Building, Since = time, Revision = state.Revision + 1 }
                    : c)],
            },
            BuildEnded { Result: var result } => state with
            {
                Claims = state.Claims.RemoveAll(c => Is(c, result.Job, result.Attempt)),
                Results = state.Results.Add(result),
            },
            ClaimDropped dropped => state with
            {
                Claims = state.Claims.RemoveAll(c => Is(c, dropped.Job, dropped.Attempt)),
                GivenUp = GiveUp(state, dropped),
            },
            ResultSettled settled => state with
            {
                Results = state.Results.RemoveAll(r => r.Job == settled.Job && r.Attempt == settled.Attempt),
            },
            _ => throw new InvalidOperationException($"no rule for the event {happened.GetType().Name}"),
        };
        return next with { Revision = state.Revision + 1 };
    }

    /// <summary>What to journal before a builder that was told to stop ends: at the next start nothing is found, so
    /// the master learns that these builds did not bring it down.</summary>
    public static ImmutableArray<BuilderEvent> BeforeStop(BuilderState state) =>
        [.. state.Claims.Select(c => new ClaimDropped(c.Job.Id, c.Job.Attempt, "the builder was stopped"))];

    /// <summary>What to journal first after a start: nothing that was claimed before is being built now. Whoever stops
    /// in good order leaves no claims, so those that are found were ended by a crash.</summary>
    public static ImmutableArray<BuilderEvent> AfterRestart(BuilderState state) =>
        [.. state.Claims.Select(c => new ClaimDropped(
            c.Job.Id, c.Job.Attempt, "the builder ended without having been stopped", IsCrash: true))];

    private static ImmutableArray<GivenUpBuild> GiveUp(BuilderState state, ClaimDropped dropped)
    {
        // The master follows builds, not claims.
        if (dropped.IsCrash
            || !state.Claims.Any(c => c.Phase == ClaimPhase.Building && Is(c, dropped.Job, dropped.Attempt)))
            return state.GivenUp;
        var all = state.GivenUp.Add(
            new GivenUpBuild { Job = dropped.Job, Attempt = dropped.Attempt, Reason = dropped.Reason });
        return all.RemoveRange(0, Math.Max(0, all.Length - GivenUpAtMost));
    }

    private static BuilderState Enter(BuilderState state, QueueJob job, ClaimPhase phase, DateTimeOffset time)
    {
        var entered = new ClaimedJob { Job = job, Phase = phase, Since = time, Revision = state.Revision + 1 };
        return state with
        {
            Claims = state.Claims.Any(c => Is(c, job.Id, job.Attempt))
                ? [.. state.Claims.Select(c => Is(c, job.Id, job.Attempt) ? entered : c)]
                : state.Claims.Add(entered),
        };
    }

    private static bool Is(ClaimedJob claim, string job, int attempt) =>
        claim.Job.Id == job && claim.Job.Attempt == attempt;
}
