using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>Whether a plan is one: by the definition, and not as it was made.</summary>
internal static class PlanChecker
{
    public static void Check(DependencyGraph graph, RebuildPlan plan, IReadOnlySet<string> chosen)
    {
        Assert.Equal(chosen.Order(StringComparer.Ordinal), plan.Builds.Select(build => build.Pkgbase).Order(
            StringComparer.Ordinal));
        var place = plan.Builds.Select((build, at) => (build.Pkgbase, At: at, build.Stage))
            .ToDictionary(one => one.Pkgbase, StringComparer.Ordinal);
        var cut = plan.Cut.Select(one => (one.Pkgbase, one.Older)).ToHashSet();
        var inCycle = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var cycle = 0; cycle < plan.Cycles.Length; cycle++)
        {
            foreach (var name in plan.Cycles[cycle]) inCycle.Add(name, cycle);
        }

        foreach (var edge in graph.Edges)
        {
            var (from, to) = (graph.Nodes[edge.From].Name, graph.Nodes[edge.To].Name);
            if (!chosen.Contains(from) || !chosen.Contains(to)) continue;
            if (cut.Contains((from, to)))
            {
                // Only within a cycle that is named is anything built against something older.
                Assert.True(inCycle.TryGetValue(from, out var one) && inCycle[to] == one, $"{from} -> {to} is cut");
                continue;
            }

            Assert.True(place[to].At < place[from].At, $"{from} comes before {to}, which it needs");
            Assert.True(place[to].Stage < place[from].Stage, $"{from} is in no later stage than {to}");
        }
    }
}
