using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>
/// Circles of jobs that wait for each other. Each strongly connected component (Tarjan 1972) that could be entered by
/// building against packages that are there already is entered at the job that needs the fewest of them.
/// </summary>
internal static class Cycles
{
    /// <summary>The jobs to enter circles at, with the relations for which older packages will do.</summary>
    public static IEnumerable<(string Job, ImmutableArray<string> Cut)> Enter(
        ArchitecturePlan plan,
        IReadOnlyDictionary<string, Job> jobs,
        IEnumerable<string> blocked,
        Func<Job, string> judgedFor,
        string architecture)
    {
        var waiting = blocked.Select(id => jobs[id])
            .Where(job => judgedFor(job) == architecture)
            .ToDictionary(job => job.Pkgbase, StringComparer.Ordinal);
        foreach (var component in Components(waiting))
        {
            if (component.Count < 2) continue;
            var inside = component.ToHashSet(StringComparer.Ordinal);
            var entry = component
                .Select(pkgbase => waiting[pkgbase])
                // Only one that lacks nothing but the others of its circle can be helped.
                .Where(job => job.Blockers.All(b =>
                    b.Kind == BlockerKind.Waiting && inside.Contains(b.Pkgbase!) && IsThere(plan, b.Relation)))
                .OrderBy(job => job.Blockers.Length)
                .ThenBy(job => job.Pkgbase, StringComparer.Ordinal)
                .FirstOrDefault();
            if (entry is not null)
                yield return (entry.Id, [.. entry.BuiltAgainstOlder, .. entry.Blockers.Select(b => b.Relation)]);
        }
    }

    private static bool IsThere(ArchitecturePlan plan, string relation) =>
        Relation.TryParse(relation, out var parsed) && Readiness.IsSatisfied(plan, parsed);

    private static List<List<string>> Components(Dictionary<string, Job> waiting)
    {
        var components = new List<List<string>>();
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        var low = new Dictionary<string, int>(StringComparer.Ordinal);
        var stack = new Stack<string>();
        var onStack = new HashSet<string>(StringComparer.Ordinal);
        var work = new Stack<(string Node, IEnumerator<string> Next)>();
        foreach (var root in waiting.Keys.Order(StringComparer.Ordinal))
        {
            if (index.ContainsKey(root)) continue;
            Visit(root);
            while (work.TryPeek(out var top))
            {
                if (top.Next.MoveNext())
                {
                    var next = top.Next.Current;
                    if (!index.TryGetValue(next, out var seen)) Visit(next);
                    else if (onStack.Contains(next)) low[top.Node] = Math.Min(low[top.Node], seen);
                    continue;
                }

                work.Pop();
                if (work.TryPeek(out var parent)) low[parent.Node] = Math.Min(low[parent.Node], low[top.Node]);
                if (low[top.Node] == index[top.Node]) components.Add(PopComponent(top.Node));
            }
        }

        return components;

        void Visit(string node)
        {
            index[node] = low[node] = index.Count;
            stack.Push(node);
            onStack.Add(node);
            work.Push((node, waiting[node].Blockers
                .Where(b => b.Kind == BlockerKind.Waiting)
                .Select(b => b.Pkgbase!)
                .Where(waiting.ContainsKey)
                .GetEnumerator()));
        }

        List<string> PopComponent(string head)
        {
            var component = new List<string>();
            string node;
            do
            {
                node = stack.Pop();
                onStack.Remove(node);
                component.Add(node);
            }
            while (node != head);
            return component;
        }
    }
}
