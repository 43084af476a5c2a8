using Quarters.Alpm;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>Who waits for whom: the graph that the blockers of the open jobs are.</summary>
internal static class Waits
{
    /// <summary>The open jobs of a package base, one for each architecture that it is built on.</summary>
    public static IEnumerable<Job> OpenJobsOf(Transition transition, string pkgbase) =>
        transition.Packages.TryGetValue(pkgbase, out var record)
            ? record.Jobs.Reverse().Select(id => transition.Jobs[id]).Where(job => job.IsOpen)
            : [];

    /// <summary>The job that a blocker waits for.</summary>
    public static Job? Provider(Transition transition, Job waiter, Blocker blocker) =>
        OpenJobsOf(transition, blocker.Pkgbase!)
            .FirstOrDefault(job => job.Rebuild == waiter.Rebuild
                && (job.Architecture == "any" || job.Architecture == transition.JudgedFor(waiter)));

    /// <summary>The jobs that a job waits for.</summary>
    public static IEnumerable<Job> AwaitedBy(Transition transition, Job job) => job.Blockers
        .Where(blocker => blocker.Kind == BlockerKind.Waiting)
        .Select(blocker => Provider(transition, job, blocker))
        .OfType<Job>();

    /// <summary>The jobs that wait for a job.</summary>
    public static IEnumerable<Job> WaitersFor(Transition transition, Job job) =>
        from architecture in job.Architecture == "any" ? transition.Settings!.Architectures : [job.Architecture]
        let plan = transition.ViewOf(architecture, job.Rebuild)
        from name in plan.PlannedNames.GetValueOrDefault(job.Id, [])
        from id in plan.Waiters.GetValueOrDefault(name) ?? []
        let waiter = transition.Jobs[id]
        where waiter.Blockers.Any(b => b.Kind == BlockerKind.Waiting && b.Pkgbase == job.Pkgbase)
        select waiter;

    /// <summary>
    /// Of the dependencies that a job did not wait for, those of which it was built against something older: their
    /// newer package is still to come, or came after the snapshot that the build used.
    /// </summary>
    public static IEnumerable<string> OlderIn(Transition transition, Job job, string snapshot)
    {
        var architecture = transition.JudgedFor(job);
        var plan = transition.ViewOf(architecture, job.Rebuild);
        var since = transition.Offered.GetValueOrDefault(snapshot)?.Since;
        foreach (var text in job.Cut)
        {
            if (!Relation.TryParse(text, out var relation)) continue;
            var isOlder = Readiness.Resolve(plan, transition.Jobs, job, relation).Awaited is not null
                || plan.Own.GetValueOrDefault(relation.Name, [])
                    .Where(offer => relation.IsSatisfiedBy(offer.As))
                    .Any(offer => WasBuiltAfter(transition, offer.Package, architecture, since));
            if (isOlder) yield return text;
        }
    }

    private static bool WasBuiltAfter(
        Transition transition, string package, string architecture, DateTimeOffset? since) =>
        transition.Repositories.Values.Any(repository => repository.Architecture == architecture
            && repository.Packages.TryGetValue(package, out var held)
            && transition.FindJob(held.Job) is { Status: JobStatus.Built } job
            && (since is null || job.Since > since));
}
