using System.Collections.Immutable;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Builder;

/// <summary>
/// What a builder wants next, by all that it knows: the protocol of claims, as docs/internals/claims.md describes it.
/// The shell does what a step says (writes events down and shows them, reads whom it names), and asks again with what
/// came of it. A step that is taken twice does no harm.
/// </summary>
public static class Claiming
{
    /// <summary>The next step.</summary>
    /// <param name="state">The builder's own state.</param>
    /// <param name="view">What it has read of others.</param>
    /// <param name="terms">Who it is and what it may do.</param>
    /// <param name="pace">How fast claims go.</param>
    /// <param name="now">Now, on the clock of <paramref name="view"/>.</param>
    public static ClaimStep Next(
        BuilderState state, BuilderView view, BuilderTerms terms, ClaimPace pace, TimeSpan now)
    {
        var step = new ClaimStepBuilder(state, view, terms, pace, now);
        step.Settle();
        // What was recorded changes what is wanted: that is another step.
        if (step.HasEvents) return step.ToStep();
        foreach (var claim in state.Claims.Where(c => c.Phase == ClaimPhase.Claimed)) Attend(step, claim);
        foreach (var claim in state.Claims.Where(c => c.Phase == ClaimPhase.Reserved)) Keep(step, claim);
        if (!step.HasEvents && !terms.Draining) Seek(step);
        return step.ToStep();
    }

    /// <summary>A posted claim: build, wait, or yield.</summary>
    private static void Attend(ClaimStepBuilder step, ClaimedJob claim)
    {
        var (job, name) = (claim.Job, JobId.AttemptName(claim.Job.Id, claim.Job.Attempt));
        if (!step.View.Posted.TryGetValue(name, out var posted)) return;
        if (step.Now - posted >= step.Pace.GiveUpAfter)
        {
            step.Drop(claim, "it came no further: the master or a rival does not move");
            return;
        }

        if (step.View.Jobs.TryGetValue(job.Id, out var known) && known.AnsweredAt >= posted
            && known.Document is { Job.Status: JobStatus.Blocked })
        {
            // What it would be built against is from before what it waits for.
            step.Drop(claim, "it waits for something again");
            return;
        }

        var seen = OwnSeen(step, claim);
        if (seen is { Draining: true })
        {
            step.Drop(claim, "the master has the builder take nothing new");
            return;
        }

        step.WakeAt(posted + step.Pace.GiveUpAfter);
        // Both are needed whatever the other says; they are read side by side.
        var areRead = step.HasRead(Around(step, job, name), posted);
        if (seen is null || !areRead) return;
        var rivals = Rivals(step, job, name);
        var ahead = rivals.Building + rivals.Better;
        if (ahead >= job.Wanted)
        {
            step.Drop(claim, rivals.Building > 0 ? "another builder has it" : "a better claim stands");
            return;
        }

        if (ahead + rivals.Worse < job.Wanted) step.Begin(claim);
        else step.ReadAgain(rivals.WorseOnes, posted);
    }

    /// <summary>A reserved job: claimed when there is a slot for it, unless somebody else has it by then.</summary>
    private static void Keep(ClaimStepBuilder step, ClaimedJob claim)
    {
        var (job, name) = (claim.Job, JobId.AttemptName(claim.Job.Id, claim.Job.Attempt));
        if (!step.View.Posted.TryGetValue(name, out var posted)) return;
        if (!step.IsOffered(job))
        {
            step.Drop(claim, "another builder has it");
            return;
        }

        if (step.Terms.Draining)
        {
            step.Drop(claim, "the builder takes nothing new");
            return;
        }

        if (step.FreeSlots > 0) step.Claim(job);
    }

    /// <summary>Looks for something to claim, or to reserve while all slots are busy.</summary>
    private static void Seek(ClaimStepBuilder step)
    {
        var phase = step.FreeSlots > 0 ? ClaimPhase.Claimed : ClaimPhase.Reserved;
        if (phase == ClaimPhase.Reserved && !step.MayReserve) return;
        if (step.Look is { } look && (look.Phase != phase || !step.IsOffered(look.Job))) step.Look = null;
        while (true)
        {
            if (step.Look is null && (phase == ClaimPhase.Reserved || step.MayLook())) step.Look = Choose(step, phase);
            if (step.Look is not { } looking) return;
            var (job, name) = (looking.Job, JobId.AttemptName(looking.Job.Id, looking.Job.Attempt));
            if (!step.HasRead(Around(step, job, name), looking.Since)) return;
            step.Look = null;
            var rivals = Rivals(step, job, name);
            var taken = rivals.Building + rivals.Better + rivals.Worse
                + (phase == ClaimPhase.Reserved ? rivals.BetterReserved + rivals.WorseReserved : 0);
            if (taken < job.Wanted)
            {
                if (phase == ClaimPhase.Claimed) step.Claim(job);
                else step.Reserve(job);
                return;
            }

            // The digest did not tell: a newer one is wanted before the next is looked at.
            step.Pass(name);
            step.DistrustDigest();
        }
    }

    /// <summary>The job to look at: the most urgent of those for which this builder is the first; else the most urgent
    /// of those whose ring has opened to it.</summary>
    private static Look? Choose(ClaimStepBuilder step, ClaimPhase phase)
    {
        if (step.View.Queue is not { } queue || step.Me is not { } me) return null;
        QueueJob? open = null;
        QueueJob? first = null;
        foreach (var job in queue.Jobs)
        {
            if (!step.MayTake(me.Index, job, phase)) continue;
            var turn = Turn.Of(step.View.Standing, me, job, queue, step.Pace, step.MasterNow);
            if (!turn.IsOpen)
            {
                step.WakeAt(step.Now + turn.OpensIn);
                step.IsKeptWaiting = true;
                continue;
            }

            open ??= job;
            if (turn.Rank > 0) continue;
            first = job;
            break;
        }

        if ((first ?? open) is not { } best) return null;
        if (step.NeedsDigest()) return null;
        return new Look(best, phase, step.Now);
    }

    /// <summary>The peers to read about a job: those before this builder, those right behind it, and whoever is said to
    /// claim it.</summary>
    private static HashSet<int> Around(ClaimStepBuilder step, QueueJob job, string name)
    {
        var around = new HashSet<int>();
        if (step.Me is not { } me) return around;
        var standing = step.View.Standing;
        foreach (var (builder, _) in standing.ClaimsOn(name))
        {
            if (builder != me.Index && around.Count < step.Pace.PeersAtMost) around.Add(builder);
        }

        foreach (var seen in step.SeenOn(job))
        {
            var builder = standing.Roster.IndexOf(seen.PublicKey);
            if (builder >= 0 && builder != me.Index && around.Count < step.Pace.PeersAtMost) around.Add(builder);
        }

        // Those that could begin now are the likely rivals; then the others in their order.
        foreach (var wantFree in new[] { true, false })
        {
            foreach (var builder in standing.Roster.OrderFor(name))
            {
                if (around.Count >= step.Pace.PeersAtMost) return around;
                if (builder != me.Index && standing.IsThere(builder) && standing.IsFree(builder) == wantFree
                    && standing.Roster.IsAble(builder, job))
                    around.Add(builder);
            }
        }

        return around;
    }

    /// <summary>This very claim as the master shows it; null while it does not. Whoever shows later than that it claims
    /// the same sees this claim beside its own: that is why two builders that reach the master never both
    /// begin.</summary>
    private static SeenClaim? OwnSeen(ClaimStepBuilder step, ClaimedJob claim) => step.SeenOn(claim.Job).FirstOrDefault(
        seen => seen.PublicKey == step.Terms.PublicKey && seen.Phase >= ClaimPhase.Claimed
            && seen.Revision >= claim.Revision * BuilderMachine.ChangesPerEvent);

    private static Rivals Rivals(ClaimStepBuilder step, QueueJob job, string name)
    {
        var rivals = new Rivals(name, step.Terms.PublicKey);
        var readLater = new HashSet<string>(StringComparer.Ordinal);
        foreach (var seen in step.SeenOn(job))
        {
            if (seen.PublicKey == step.Terms.PublicKey) continue;
            // Also of one that says itself, later, that it is none: it may have built and forgotten it meanwhile, and
            // only a newer word of the master tells that.
            rivals.Add(seen.PublicKey, seen.Phase);
            if (!step.View.Peers.TryGetValue(seen.PublicKey, out var peer) || !(peer.Said?.Revision >= seen.Revision))
                readLater.Add(seen.PublicKey);
        }

        foreach (var (key, peer) in step.View.Peers)
        {
            if (peer.Said is not { } said || readLater.Contains(key)) continue;
            foreach (var claim in said.Claims)
            {
                if (claim.Job == job.Id && claim.Attempt == job.Attempt) rivals.Add(key, claim.Phase);
            }

            // A result that waits for the master is as good as a build that runs.
            if (said.Results.Any(r => r.Job == job.Id && r.Attempt == job.Attempt))
                rivals.Add(key, ClaimPhase.Building);
        }

        return rivals;
    }
}

/// <summary>What a builder does next.</summary>
/// <param name="Record">Events to write down and show, in this order; a build whose <see cref="BuildBegun"/> is among
/// them begins then.</param>
/// <param name="View">What it knows and intends after this step.</param>
/// <param name="ReadPeers">Builders to read, by key, unless they are being read since the given moment or
/// later.</param>
/// <param name="ReadDigest">Whether to read the master's digest.</param>
/// <param name="WakeAt">When to ask again even if nothing was learned meanwhile; null when only news can change
/// anything.</param>
public sealed record ClaimStep(
    ImmutableArray<BuilderEvent> Record,
    BuilderView View,
    ImmutableSortedDictionary<string, TimeSpan> ReadPeers,
    bool ReadDigest,
    TimeSpan? WakeAt);
