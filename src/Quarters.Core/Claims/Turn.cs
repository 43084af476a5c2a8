using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Claims;

/// <summary>
/// Whose turn it is to claim a job. The ring of those who may begins with the first in the order of builders and
/// doubles with every period that the job waits.
/// <para>
/// Builders with a free slot come before busy ones, and among equals the order is that of weighted rendezvous hashing.
/// For jobs near the critical path, and for all while there are more free builders than jobs, it is that of expected
/// finish times, busy builders included: there a fast builder that is free in a minute is better than a slow one that
/// is free now.
/// </para>
/// </summary>
/// <param name="Rank">The builders before this one, counted up to <paramref name="Ring"/>.</param>
/// <param name="Ring">How many may claim it now.</param>
/// <param name="OpensIn">How long until this builder is in the ring; zero when it is.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
public readonly record struct Turn(int Rank, int Ring, TimeSpan OpensIn)
{
    /// <summary>Whether the builder may claim the job now.</summary>
    public bool IsOpen => Rank < Ring;

    /// <summary>Works out a builder's turn.</summary>
    /// <param name="standing">The builders as last seen.</param>
    /// <param name="me">This builder, which knows better than the digest what it does.</param>
    /// <param name="job">The job.</param>
    /// <param name="queue">The queue that offers it.</param>
    /// <param name="pace">How fast the ring opens.</param>
    /// <param name="masterNow">Now, by the master's clock.</param>
    public static Turn Of(
        Standing standing, Claimant me, QueueJob job, QueueDocument queue, ClaimPace pace, DateTimeOffset masterNow)
    {
        var age = masterNow - job.ReadyAt;
        if (standing.FreeCount < queue.Jobs.Length && !IsNearCritical(standing, job, queue.Outlook, pace))
        {
            var ring = RingAt(age, job, standing, pace);
            return Make(RankByLot(standing, me, job, ring), ring, age, job, pace);
        }

        // The favourite may still be busy: until it is expected to be free nobody else hurries.
        var name = JobId.AttemptName(job.Id, job.Attempt);
        var first = standing.ByFinish.FirstBut(me.Index, job, name);
        var waited = first != me.Index && masterNow - standing.FreeAt(first) is { } free && free < age ? free : age;
        var open = RingAt(waited, job, standing, pace);
        var rank = RankByFinish(standing, me, job, name, masterNow, open);
        return Make(rank, open, waited, job, pace);
    }

    /// <summary>Whether the farm would have to wait for what begins with this job, if its slowest builder took
    /// it.</summary>
    private static bool IsNearCritical(Standing standing, QueueJob job, Outlook outlook, ClaimPace pace)
    {
        var roster = standing.Roster;
        if (roster.Speed <= 0) return false;
        var horizon = Math.Max(outlook.PathSeconds / roster.Fastest, outlook.WorkSeconds / roster.Speed);
        var after = Math.Max(0, job.Priority - job.EstimatedSeconds);
        return (job.EstimatedSeconds / roster.Slowest) + (after / roster.Fastest) >= pace.NearCritical * horizon;
    }

    private static Turn Make(int rank, int ring, TimeSpan age, QueueJob job, ClaimPace pace)
    {
        if (rank < ring) return new Turn(rank, ring, TimeSpan.Zero);
        var periods = Math.Log2((rank + 1.0) / Math.Max(1, job.Wanted));
        var opensIn = (pace.RingPeriod * Math.Max(0, periods)) - age;
        return new Turn(rank, ring, opensIn > pace.RingPeriod / 10 ? opensIn : pace.RingPeriod / 10);
    }

    private static int RingAt(TimeSpan age, QueueJob job, Standing standing, ClaimPace pace)
    {
        var everybody = standing.Roster.Builders.Length;
        var periods = Math.Clamp(age / pace.RingPeriod, 0, 30);
        return (int)Math.Min(everybody, Math.Max(1, job.Wanted) * Math.Pow(2, periods));
    }

    private static int RankByLot(Standing standing, Claimant me, QueueJob job, int atMost)
    {
        // A busy one comes after all that are free.
        if (!me.IsFree && standing.FreeCount >= atMost && AbleAndFree(standing, me, job, atMost) >= atMost)
            return atMost;
        var rank = me.IsFree ? 0 : AbleAndFree(standing, me, job, atMost);
        var able = standing.Roster.AbleFor(job);
        foreach (var builder in standing.Roster.OrderFor(JobId.AttemptName(job.Id, job.Attempt)))
        {
            if (builder == me.Index || rank >= atMost) break;
            if (standing.IsThere(builder) && standing.IsFree(builder) == me.IsFree && able[builder]) rank++;
        }

        return rank;
    }

    private static int AbleAndFree(Standing standing, Claimant me, QueueJob job, int atMost)
    {
        var count = 0;
        var able = standing.Roster.AbleFor(job);
        for (var builder = 0; builder < able.Length && count < atMost; builder++)
        {
            if (builder != me.Index && standing.IsFree(builder) && able[builder]) count++;
        }

        return count;
    }

    private static int RankByFinish(
        Standing standing, Claimant me, QueueJob job, string name, DateTimeOffset masterNow, int atMost)
    {
        // The order is of the moment of the digest, which all read alike; a builder knows of itself what it is now.
        var age = standing.Digest is { } digest && masterNow > digest.Time
            ? (masterNow - digest.Time).TotalSeconds
            : 0;
        var finish = (me.IsFree ? 0 : age + me.SecondsUntilFree)
            + (job.EstimatedSeconds / standing.Roster.Weights[me.Index]);
        return standing.ByFinish.CountBefore(me.Index, finish, job, name, atMost);
    }
}

/// <summary>The builder whose turn it is, or is not.</summary>
/// <param name="Index">Its place in the roster.</param>
/// <param name="IsFree">Whether it could begin now.</param>
/// <param name="SecondsUntilFree">When it expects to be free; 0 when it is.</param>
public sealed record Claimant(int Index, bool IsFree, double SecondsUntilFree);
