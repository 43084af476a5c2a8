using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// Jobs that wait for each other in a circle. When a job begins to wait for another, the cycles that this may have
/// closed are cut (<see cref="FeedbackArcs"/>): some jobs will be built against what the repositories hold already.
/// Only what those jobs wait for is looked at; and when a job goes no cycle can arise.
/// </summary>
internal static class Cycles
{
    /// <summary>Cuts all cycles through these jobs for which something older is there.</summary>
    public static void Cut(Transition transition, IEnumerable<string> seeds)
    {
        var jobs = Reach(transition, seeds);
        if (jobs.Count < 2) return;
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var id in jobs.Keys) indices[id] = indices.Count;
        var graph = new DependencyGraph(
            [.. jobs.Values.Select(job => new GraphNode(
                job.Id, job.EstimatedSeconds, job.Blockers.Any(b => b.Kind != BlockerKind.Waiting)))],
            jobs.Values.SelectMany(job => EdgesOf(transition, job, indices)));
        foreach (var of in FeedbackArcs.Find(graph).Select(index => graph.Edges[index]).GroupBy(edge => edge.From))
        {
            var job = jobs.Values[of.Key];
            var providers = of.Select(edge => jobs.Values[edge.To].Pkgbase).ToHashSet(StringComparer.Ordinal);
            transition.Rejudge(job with
            {
                Cut = [.. job.Cut.Concat(job.Blockers
                    .Where(b => b.Kind == BlockerKind.Waiting && providers.Contains(b.Pkgbase!))
                    .Select(b => b.Relation)).Distinct(StringComparer.Ordinal)],
            });
        }
    }

    /// <summary>The jobs and all that they wait for, by id.</summary>
    private static SortedList<string, Job> Reach(Transition transition, IEnumerable<string> seeds)
    {
        var found = new Dictionary<string, Job>(StringComparer.Ordinal);
        var next = new Stack<Job>(seeds.Select(transition.FindJob).OfType<Job>().Where(job => job.IsOpen));
        while (next.TryPop(out var job))
        {
            if (!found.TryAdd(job.Id, job)) continue;
            foreach (var provider in Waits.AwaitedBy(transition, job)) next.Push(provider);
        }

        return new SortedList<string, Job>(found, StringComparer.Ordinal);
    }

    private static IEnumerable<GraphEdge> EdgesOf(Transition transition, Job job, Dictionary<string, int> indices)
    {
        var architecture = transition.JudgedFor(job);
        var plan = transition.ViewOf(architecture, job.Rebuild);
        var source = transition.SourceOf(job)!;
        foreach (var blocker in job.Blockers.Where(b => b.Kind == BlockerKind.Waiting))
        {
            if (Waits.Provider(transition, job, blocker) is not { } provider) continue;
            yield return new GraphEdge(
                indices[job.Id],
                indices[provider.Id],
                KindOf(source, architecture, blocker.Relation),
                Relation.TryParse(blocker.Relation, out var relation) && Readiness.IsSatisfied(plan, relation));
        }
    }

    private static DependencyKind KindOf(SourcePackage source, string architecture, string relation)
    {
        var more = source.DependenciesByArchitecture.GetValueOrDefault(architecture, BuildDependencies.None);
        if (source.Dependencies.Depends.Contains(relation) || more.Depends.Contains(relation))
            return DependencyKind.Run;
        return source.Dependencies.Makedepends.Contains(relation) || more.Makedepends.Contains(relation)
            ? DependencyKind.Make
            : DependencyKind.Check;
    }
}
