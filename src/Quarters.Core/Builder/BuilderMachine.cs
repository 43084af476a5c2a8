using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Core.Builder;

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
