using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>How attempts begin and end. An event about an attempt that is not the current one changes
/// nothing.</summary>
internal static class Attempts
{
    /// <summary>The pause after the first failure of the environment; it doubles with each.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);

    /// <summary>No pause is longer.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    public static void Begin(Transition transition, ClaimSeen seen)
    {
        if (Current(transition, seen.Job, seen.Attempt) is not { Status: JobStatus.Ready } job) return;
        transition.SetJob(job with { Status = JobStatus.Building, Builder = seen.Builder });
    }

    public static void Lose(Transition transition, ClaimLost lost)
    {
        if (Current(transition, lost.Job, lost.Attempt) is not { Status: JobStatus.Building } job) return;
        if (job.Builder != lost.Builder) return;
        transition.SetJob(Ended(job, lost.Builder, AttemptEnd.Lost, lost.Reason, null, transition.Time) with
        {
            Status = JobStatus.Ready,
        });
    }

    public static void Fail(Transition transition, AttemptFailed failed)
    {
        var result = failed.Result;
        if (Current(transition, result.Job, result.Attempt) is not { } job || result.Failure is not { } failure) return;
        var reason = $"{failure.Stage}: {failure.Message}";
        var ended = Ended(job, failed.Builder, AttemptEnd.Failed, reason, result, transition.Time);
        transition.SetJob(failure.Kind == FailureKind.Environment
            ? AgainOrBroken(transition, ended)
            : Broken(ended));
    }

    public static void Refuse(Transition transition, ResultRefused refused)
    {
        if (Current(transition, refused.Result.Job, refused.Result.Attempt) is not { } job) return;
        var ended = Ended(job, refused.Builder, AttemptEnd.Refused, refused.Reason, refused.Result, transition.Time);
        transition.SetJob(AgainOrBroken(transition, ended));
    }

    public static void Accept(Transition transition, ResultAccepted accepted)
    {
        var result = accepted.Result;
        if (Current(transition, result.Job, result.Attempt) is not { } job) return;
        if (transition.Packages[job.Pkgbase].Source is not { } source) return;
        var ended = Ended(job, accepted.Builder, AttemptEnd.Accepted, "", result, transition.Time);
        // Into the repository first: a job must not leave the queue before its packages can be depended on.
        var architectures = job.Architecture == "any" ? transition.Settings!.Architectures : [job.Architecture];
        foreach (var architecture in architectures)
            transition.AddToRepository(source.Repository, architecture, accepted.Packages);
        transition.SetJob(ended with { Status = JobStatus.Built, Attempt = result.Attempt });
    }

    private static Job? Current(Transition transition, string id, int attempt) =>
        transition.FindJob(id) is { IsOpen: true } job && job.Attempt == attempt ? job : null;

    private static Job Ended(
        Job job, string builder, AttemptEnd end, string reason, BuildResult? result, DateTimeOffset time) =>
        job with
        {
            Builder = null,
            Blockers = [],
            Attempt = job.Attempt + 1,
            Attempts = job.Attempts.Add(new Attempt
            {
                Number = job.Attempt,
                Builder = builder,
                End = end,
                Reason = reason,
                Result = result,
                Settled = time,
            }),
        };

    private static Job AgainOrBroken(Transition transition, Job ended)
    {
        if (ended.Attempts.Length >= transition.Settings!.MaxAttempts) return Broken(ended);
        var pause = TimeSpan.FromTicks(Math.Min(
            LongestPause.Ticks, FirstPause.Ticks << Math.Min(20, ended.Attempts.Length - 1)));
        return ended with { Status = JobStatus.Ready, NotBefore = transition.Time + pause };
    }

    private static Job Broken(Job ended) =>
        ended with { Status = JobStatus.Failed, Attempt = ended.Attempts[^1].Number };
}
