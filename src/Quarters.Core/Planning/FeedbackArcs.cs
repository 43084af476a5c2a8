using System.Collections.Immutable;

namespace Quarters.Core.Planning;

/// <summary>
/// Which edges to cut so that a graph has no cycle left, as cheaply as can be found soon: what is cut is built against
/// something older. A feedback arc set of small weight; the smallest is NP-hard to find.
/// </summary>
public static class FeedbackArcs
{
    /// <summary>Cutting one edge of a kind weighs as much as cutting ten of the next weaker.</summary>
    private const long KindFactor = 10;

    /// <summary>More than any number of edges that can be cut.</summary>
    internal const long Infinite = 1L << 40;

    /// <summary>Disturbances that are tried for a node of a component, and for a component at most: what bounds the
    /// time.</summary>
    private const int RoundsPerNode = 20, MaxRounds = 5000;

    /// <summary>
    /// The edges to cut: indices of <see cref="DependencyGraph.Edges"/>, ascending. Only edges of cycles and only those
    /// that can be cut; a cycle of which none can be remains. The same graph gives the same answer everywhere.
    /// </summary>
    public static ImmutableArray<int> Find(DependencyGraph graph)
    {
        var components = new GraphComponents(graph);
        var stuck = FindStuck(graph, components);
        var cut = ImmutableArray.CreateBuilder<int>();
        foreach (var component in components.All.Where(nodes => nodes.Length > 1))
        {
            var alive = new List<int>();
            foreach (var node in component.Where(node => !stuck[node]))
            {
                var (start, count) = graph.NeedsOf(node).GetOffsetAndLength(graph.Edges.Length);
                for (var index = start; index < start + count; index++)
                {
                    var edge = graph.Edges[index];
                    if (components.Of[edge.To] != components.Of[node]) continue;
                    if (!stuck[edge.To]) alive.Add(index);
                    // Whoever lies in a cycle with something that cannot be built does not wait for it.
                    else cut.Add(index);
                }
            }

            cut.AddRange(CutComponent(graph, component, alive));
        }

        cut.Sort();
        return cut.DrainToImmutable();
    }

    /// <summary>
    /// Which nodes cannot be built whatever is cut: those of which the graph says so, those in cycles of edges that
    /// cannot be cut, and those that must wait for such a one.
    /// </summary>
    private static bool[] FindStuck(DependencyGraph graph, GraphComponents components)
    {
        var hard = new GraphComponents(graph, edge => !edge.CanCut);
        var stuck = new bool[graph.Nodes.Length];
        // What a component needs comes before it, in both lists; and a hard component lies in one of all edges.
        var isStuck = new bool[hard.All.Count];
        for (var index = 0; index < isStuck.Length; index++)
            isStuck[index] = hard.All[index].Length > 1 || graph.Nodes[hard.All[index][0]].IsStuck;
        foreach (var nodes in components.All)
        {
            foreach (var component in nodes.Select(node => hard.Of[node]).Distinct().Order())
            {
                foreach (var node in hard.All[component])
                {
                    foreach (var edge in graph.Edges.AsSpan()[graph.NeedsOf(node)])
                    {
                        var waits = !edge.CanCut || components.Of[edge.To] != components.Of[node];
                        isStuck[component] |= waits && isStuck[hard.Of[edge.To]];
                    }
                }

                foreach (var node in hard.All[component]) stuck[node] = isStuck[component];
            }
        }

        return stuck;
    }

    private static IEnumerable<int> CutComponent(DependencyGraph graph, int[] component, List<int> edges)
    {
        // By name, so that the answer does not hang on the order in which somebody made the graph.
        var local = new Dictionary<int, int>();
        foreach (var node in component.OrderBy(node => graph.Nodes[node].Name, StringComparer.Ordinal))
            local[node] = local.Count;
        var ends = edges.Select(index => (Edge: index, From: local[graph.Edges[index].From],
            To: local[graph.Edges[index].To])).OrderBy(e => e.From).ThenBy(e => e.To).ToList();
        var order = new FeedbackOrder(
            local.Count, [.. ends.Select(e => (e.From, e.To, WeightOf(graph.Edges[e.Edge])))]);
        order.Improve(Math.Min(MaxRounds, RoundsPerNode * local.Count));
        return ends.Where(e => order.PointsBack(e.From, e.To)).Select(e => e.Edge);
    }

    private static long WeightOf(GraphEdge edge) => !edge.CanCut ? Infinite : edge.Kind switch
    {
        DependencyKind.Check => 1,
        DependencyKind.Make => KindFactor,
        _ => KindFactor * KindFactor,
    };
}
