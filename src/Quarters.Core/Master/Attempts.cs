using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>How attempts begin and end, and when a job is broken. An event about an attempt that is not the current one
/// changes nothing.</summary>
internal static class Attempts
{
    /// <summary>So many builders must agree before a job is broken.</summary>
    private const int Opinions = 2;

    /// <summary>Of more attempts than so many only the last are kept: a job may be tried again for years.</summary>
    private const int Kept = 100;

    /// <summary>Of more reasons than so many to begin a job anew only the last are kept.</summary>
    private const int MaxRetries = 20;

    /// <summary>The pause after the first setback; it doubles with each.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);

    /// <summary>No pause is longer.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    public static void Begin(Transition transition, ClaimSeen seen)
    {
        if (Current(transition, seen.Job, seen.Attempt) is not { Status: JobStatus.Ready } job) return;
        transition.SetJob(job with
        {
            Status = JobStatus.Building,
            Builder = seen.Builder,
            Snapshot = seen.Snapshot,
            Pinned = job.Wanted > 1 ? job.Pinned ?? seen.Snapshot : null,
        });
    }

    public static void Lose(Transition transition, ClaimLost lost)
    {
        if (Current(transition, lost.Job, lost.Attempt) is not { Status: JobStatus.Building } job) return;
        if (job.Builder != lost.Builder) return;
        var ended = End(transition, job, lost.Builder, AttemptEnd.Lost, lost.Reason, null, lost.Excused);
        var builders = ended.CurrentAttempts()
            .Where(attempt => attempt is { End: AttemptEnd.Lost, Excused: false })
            .Select(attempt => attempt.Builder).Distinct(StringComparer.Ordinal).Count();
        // A job that brings down whoever builds it must not go round the whole farm.
        transition.SetJob(builders >= Opinions
            ? Broken(ended, $"{builders} builders were lost while they built it, and it may be what brings them down")
            : Again(transition, ended));
    }

    public static void GiveUp(Transition transition, ClaimGivenUp given)
    {
        if (Current(transition, given.Job, given.Attempt) is not { Status: JobStatus.Building } job) return;
        if (job.Builder != given.Builder) return;
        var ended = End(transition, job, given.Builder, AttemptEnd.GivenUp, given.Reason, null);
        transition.SetJob(Again(transition, ended));
    }

    /// <summary>
    /// Whether it counts for nothing that a builder gives a job up. Only once since the job was begun anew: the second
    /// time is a loss like any other, so that one that always gives up cannot hold a job for ever.
    /// </summary>
    public static bool MayGiveUp(Job job, string builder) => !job.CurrentAttempts().Any(
        attempt => attempt.End == AttemptEnd.GivenUp && attempt.Builder == builder);

    public static void Fail(Transition transition, AttemptFailed failed)
    {
        var result = failed.Result;
        if (Current(transition, result.Job, result.Attempt) is not { } job || result.Failure is not { } failure) return;
        transition.RecordCost(job.Pkgbase, Weighed(transition, failed.Builder, result));
        var reason = $"{failure.Stage}: {failure.Message}";
        var ended = End(transition, job, failed.Builder, AttemptEnd.Failed, reason, result);
        transition.SetJob(FindVerdict(
            MasterState.BuildersFor(transition.Builders.Values, transition.Settings!, ended), ended) is { } verdict
            ? Broken(ended, verdict)
            : Again(transition, ended));
    }

    public static void Refuse(Transition transition, ResultRefused refused)
    {
        if (Current(transition, refused.Result.Job, refused.Result.Attempt) is not { } job) return;
        var ended = End(transition, job, refused.Builder, AttemptEnd.Refused, refused.Reason, refused.Result);
        transition.SetJob(Again(transition, ended));
    }

    public static void Accept(Transition transition, ResultAccepted accepted)
    {
        var result = accepted.Result;
        if (Current(transition, result.Job, result.Attempt) is not { } job) return;
        if (transition.SourceOf(job) is not { } source) return;
        transition.RecordCost(job.Pkgbase, Weighed(transition, accepted.Builder, result));
        var ended = End(transition, job, accepted.Builder, AttemptEnd.Accepted, "", result) with
        {
            BuiltAgainstOlder = [.. Waits.OlderIn(transition, job, result.Snapshot)],
        };
        // Into the repository first: a job must not leave the queue before its packages can be depended on.
        foreach (var architecture in transition.Settings!.ArchitecturesFor(job))
            transition.AddToRepository(job.Rebuild ?? source.Repository, architecture, accepted.Packages);
        transition.SetJob(ended with { Status = JobStatus.Built, NotBefore = null, Attempt = result.Attempt });
    }

    /// <summary>A right result that is not enough alone. While all are the same the attempt goes on, with other
    /// builders; where two differ, one of those that come after must decide.</summary>
    public static void Witness(Transition transition, ResultWitnessed seen)
    {
        var result = seen.Result;
        if (Current(transition, result.Job, result.Attempt) is not { } job) return;
        if (!Agreement.IsNews(job, seen.Builder, result)) return;
        transition.RecordCost(job.Pkgbase, Weighed(transition, seen.Builder, result));
        var alike = Agreement.WitnessesOf(job).Count(other => Agreement.AreSame(other.Result!, result)) + 1;
        var reason = seen.Difference ?? $"{alike} of {job.Wanted} that must build the same";
        var ended = End(transition, job, seen.Builder, AttemptEnd.Witnessed, reason, result);
        if (Agreement.IsDisputed(ended))
        {
            transition.SetJob(FindDisagreement(transition, ended) is { } verdict
                ? Broken(ended, verdict)
                : Again(transition, ended));
            return;
        }

        var isOthers = job.Builder is { } other && other != seen.Builder;
        transition.SetJob(ended with
        {
            Attempt = job.Attempt,
            Pinned = job.Pinned ?? result.Snapshot,
            Status = isOthers ? JobStatus.Building : JobStatus.Ready,
            Builder = isOthers ? job.Builder : null,
            Snapshot = isOthers ? job.Snapshot : null,
        });
    }

    /// <summary>An operator's wish: what was counted against the job is forgotten, and nobody is avoided.</summary>
    public static void Retry(Transition transition, Retried retried)
    {
        var jobs = Named(
            retried.Name, transition.FindJob, transition.Packages.GetValueOrDefault(retried.Name)).ToList();
        foreach (var job in jobs.Where(HasSomethingToForgive)) Reopen(transition, job, retried.Why);
    }

    /// <summary>Whether an operator's wish to retry changes anything.</summary>
    public static bool CanRetry(MasterState state, string name) =>
        Named(name, id => state.Jobs.GetValueOrDefault(id), state.Packages.GetValueOrDefault(name))
            .Any(HasSomethingToForgive);

    private static IEnumerable<Job> Named(string name, Func<string, Job?> find, PackageRecord? package) =>
        find(name) is { } one ? [one] : package is null ? [] : package.Jobs.Select(id => find(id)!);

    /// <summary>What runs is not disturbed, and what never failed has nothing to be forgiven.</summary>
    private static bool HasSomethingToForgive(Job job) =>
        job.Status == JobStatus.Failed
        || (job.Status is JobStatus.Ready or JobStatus.Blocked && !job.CurrentAttempts().IsEmpty);

    /// <summary>
    /// Begins a job anew, for a reason. A number that a builder may have read is not used again for another attempt:
    /// one that failed, or was given up while it ran.
    /// </summary>
    public static void Reopen(Transition transition, Job job, string why)
    {
        var attempt = job.IsOpen && job.Attempts.All(ended => ended.Number != job.Attempt)
            ? job.Attempt
            : job.Attempt + 1;
        var retries = job.Retries.RemoveRange(0, Math.Max(0, job.Retries.Length - MaxRetries + 1));
        transition.SetJob(job with
        {
            Status = job.IsOpen ? job.Status : JobStatus.Blocked,
            ReadyAt = transition.Time,
            NotBefore = null,
            Verdict = null,
            Pinned = null,
            Attempt = attempt,
            Retries = retries.Add(new Retry(attempt, why, transition.Time)),
        });
    }

    /// <summary>
    /// Why the package is to blame, by its last failure; null while that is not settled. One builder's word is not
    /// enough where another could be asked: it may be broken, or lie.
    /// </summary>
    private static string? FindVerdict(IEnumerable<BuilderRecord> able, Job ended)
    {
        var verdicts = ended.CurrentAttempts().Where(Avoidance.IsVerdict).ToList();
        if (verdicts.Count == 0 || verdicts[^1].Number != ended.Attempts[^1].Number) return null;
        var builders = verdicts.Select(attempt => attempt.Builder).ToHashSet(StringComparer.Ordinal);
        if (builders.Count >= Opinions) return $"{builders.Count} builders agree that it does not build";
        if (able.All(builder => builders.Contains(builder.Name)))
            return "no other builder could build it";
        return verdicts.Count > 1 && verdicts[^1].Settled - verdicts[^2].Settled >= Avoidance.AfterVerdict
            ? "no other builder took it, and it failed there again"
            : null;
    }

    /// <summary>Why a job of which builders built different packages is broken; null while another may
    /// decide.</summary>
    private static string? FindDisagreement(Transition transition, Job ended)
    {
        var witnesses = Agreement.WitnessesOf(ended).Select(witness => witness.Builder)
            .ToHashSet(StringComparer.Ordinal);
        var isLast = MasterState.BuildersFor(transition.Builders.Values, transition.Settings!, ended)
            .All(builder => witnesses.Contains(builder.Name));
        return isLast || witnesses.Count >= transition.Settings!.MaxAttempts
            ? $"{witnesses.Count} builders built it, and no {ended.Wanted} of them the same: it is not reproducible"
            : null;
    }

    /// <summary>A result that does not say how fast its builder was says what the builder does of itself.</summary>
    private static BuildResult Weighed(Transition transition, string builder, BuildResult result) => result.Weight > 0
        ? result
        : result with { Weight = transition.Builders.GetValueOrDefault(builder)?.Description.Weight ?? 1 };

    private static Job? Current(Transition transition, string id, int attempt) =>
        transition.FindJob(id) is { IsOpen: true } job && job.Attempt == attempt ? job : null;

    private static Job End(
        Transition transition, Job job, string builder, AttemptEnd end, string reason, BuildResult? result,
        bool excused = false)
    {
        var attempts = job.Attempts.Add(new Attempt
        {
            Number = job.Attempt,
            Builder = builder,
            End = end,
            Reason = reason,
            Result = result,
            Settled = transition.Time,
            Excused = excused,
        });
        var kept = Math.Max(Kept, transition.Settings!.MaxAttempts);
        var next = job with
        {
            Builder = null,
            Snapshot = null,
            Blockers = [],
            Attempt = job.Attempt + 1,
            Attempts = attempts.RemoveRange(0, Math.Max(0, attempts.Length - kept)),
        };
        // Without anything to compare with there is no reason to build against what is old by now.
        return Agreement.WitnessesOf(next).Any() ? next : next with { Pinned = null };
    }

    private static Job Again(Transition transition, Job ended)
    {
        var tried = ended.CurrentAttempts()
            .RemoveAll(attempt => attempt.End is AttemptEnd.GivenUp or AttemptEnd.Witnessed);
        if (tried.Length >= transition.Settings!.MaxAttempts)
            return Broken(ended, $"it was tried {tried.Length} times");
        var pause = ended.Attempts[^1].End is AttemptEnd.GivenUp or AttemptEnd.Witnessed
            ? TimeSpan.Zero
            : Pause(tried);
        // The ring opens anew for each attempt: it has other favourites, and else the whole farm came at once.
        return ended with
        {
            Status = JobStatus.Ready,
            ReadyAt = transition.Time + pause,
            NotBefore = pause == TimeSpan.Zero ? null : transition.Time + pause,
        };
    }

    /// <summary>Another builder's opinion on the package is asked for at once. All else needs time to get better; only
    /// the first loss does not, since most say nothing of the job.</summary>
    private static TimeSpan Pause(ImmutableArray<Attempt> tried)
    {
        if (Avoidance.IsVerdict(tried[^1])) return TimeSpan.Zero;
        var setbacks = tried.Count(attempt => !Avoidance.IsVerdict(attempt));
        if (tried[^1].End == AttemptEnd.Lost) setbacks--;
        return setbacks == 0
            ? TimeSpan.Zero
            : TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(20, setbacks - 1)));
    }

    private static Job Broken(Job ended, string verdict) => ended with
    {
        Status = JobStatus.Failed,
        NotBefore = null,
        Verdict = verdict,
        Attempt = ended.Attempts[^1].Number,
    };
}
