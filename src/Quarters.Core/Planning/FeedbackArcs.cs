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
        var hopes = Hopes(graph, components);
        var cut = ImmutableArray.CreateBuilder<int>();
        foreach (var component in components.All.Where(nodes => nodes.Length > 1))
        {
            foreach (var alike in component.GroupBy(node => hopes[node]))
            {
                var inside = new List<int>();
                foreach (var node in alike)
                {
                    var (start, count) = graph.NeedsOf(node).GetOffsetAndLength(graph.Edges.Length);
                    for (var index = start; index < start + count; index++)
                    {
                        var to = graph.Edges[index].To;
                        if (components.Of[to] != components.Of[node]) continue;
                        if (hopes[to] == alike.Key) inside.Add(index);
                        // Whoever lies in a cycle with something that has less hope does not wait for it.
                        else if (hopes[to] < alike.Key) cut.Add(index);
                    }
                }

                if (alike.Key != Hope.None) cut.AddRange(CutCycles(graph, [.. alike], inside));
            }
        }

        cut.Sort();
        return cut.DrainToImmutable();
    }

    /// <summary>What hope there is for each node, whatever is cut in its own component.</summary>
    private static Hope[] Hopes(DependencyGraph graph, GraphComponents components)
    {
        // What a component needs comes before it, in both lists; and a hard component lies in one of all edges.
        var hard = new GraphComponents(graph, edge => !edge.CanCut);
        var hopes = new Hope[graph.Nodes.Length];
        foreach (var component in components.All.SelectMany(nodes =>
            nodes.Select(node => hard.Of[node]).Distinct().Order()))
        {
            var nodes = hard.All[component];
            var hope = nodes.Length > 1 ? Hope.None : graph.Nodes[nodes[0]].IsStuck ? Hope.Later : Hope.Now;
            foreach (var node in nodes)
            {
                foreach (var edge in graph.Edges.AsSpan()[graph.NeedsOf(node)])
                {
                    if (components.Of[edge.To] != components.Of[node])
                        hope = hopes[edge.To] == Hope.Now || hope == Hope.None ? hope : Hope.Later;
                    else if (!edge.CanCut && hopes[edge.To] < hope && hard.Of[edge.To] != component)
                        hope = hopes[edge.To];
                }
            }

            foreach (var node in nodes) hopes[node] = hope;
        }

        return hopes;
    }

    private static IEnumerable<int> CutCycles(DependencyGraph graph, int[] component, List<int> edges)
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

    private static long WeightOf(GraphEdge edge) => edge.CanCut ? CostOf(edge.Kind) : Infinite;

    /// <summary>What cutting an edge of a kind counts for.</summary>
    internal static long CostOf(DependencyKind kind) => kind switch
    {
        DependencyKind.Check => 1,
        DependencyKind.Make => KindFactor,
        _ => KindFactor * KindFactor,
    };

    private enum Hope
    {
        /// <summary>It is in a cycle of which no edge can be cut, or cannot be built without one that is.</summary>
        None,

        /// <summary>Something outside its component must change first.</summary>
        Later,

        /// <summary>It can be built as things are.</summary>
        Now,
    }
}
