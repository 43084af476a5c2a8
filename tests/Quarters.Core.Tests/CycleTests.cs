using System.Collections.Immutable;
using CsCheck;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>Cutting the cycles of a graph.</summary>
public class CycleTests
{
    private static readonly Gen<DependencyGraph> Graphs =
        from count in Gen.Int[1, 14]
        let node = Gen.Int[0, count - 1]
        from edges in Gen.Select(node, node, Gen.Int[0, 2], Gen.Int[0, 3]).Array[0, 50]
        from stuck in Gen.Int[0, 20].Array[count]
        select new DependencyGraph(
            [.. stuck.Select((s, index) => new GraphNode($"n{index:00}", index + 1, s == 0))],
            edges.Select(e => new GraphEdge(e.Item1, e.Item2, (DependencyKind)e.Item3, e.Item4 != 0)));

    [Fact]
    public void An_edge_of_tests_is_cut_before_one_of_building_and_that_before_one_of_running()
    {
        Assert.Equal(["a>b"], Cut(Graph(("a>b", DependencyKind.Check), ("b>a", DependencyKind.Make))));
        Assert.Equal(["b>a"], Cut(Graph(("a>b", DependencyKind.Run), ("b>a", DependencyKind.Make))));
        Assert.Equal(["c>a"], Cut(Graph(
            ("a>b", DependencyKind.Run), ("b>c", DependencyKind.Make), ("c>a", DependencyKind.Check))));
    }

    [Fact]
    public void Of_two_edges_between_the_same_two_the_stronger_counts()
    {
        var graph = Graph(("a>b", DependencyKind.Check), ("a>b", DependencyKind.Run), ("b>a", DependencyKind.Make));
        Assert.Equal(2, graph.Edges.Length);
        Assert.Equal(["b>a"], Cut(graph));
    }

    [Fact]
    public void What_is_in_no_cycle_is_not_cut() =>
        Assert.Empty(Cut(Graph(("a>b", DependencyKind.Check), ("b>c", DependencyKind.Run))));

    [Fact]
    public void Only_edges_of_cycles_that_can_be_cut_are_cut() => Graphs.Sample(graph =>
    {
        var components = Reachable(graph);
        foreach (var index in FeedbackArcs.Find(graph))
        {
            var edge = graph.Edges[index];
            Assert.True(edge.CanCut);
            Assert.True(components[edge.To][edge.From]);
        }
    });

    [Fact]
    public void After_the_cut_all_can_be_built_that_could_be_and_was_in_a_cycle() => Graphs.Sample(graph =>
    {
        var before = Reachable(graph);
        var left = graph.Without(FeedbackArcs.Find(graph));
        var hasCutAll = left.Ranks() is not null;
        if (graph.Edges.All(e => e.CanCut)) Assert.True(hasCutAll);
        var built = Built(left);
        for (var node = 0; node < graph.Nodes.Length; node++)
        {
            if (built[node] || graph.Nodes[node].IsStuck) continue;
            // What is left waits for something outside its cycle, or for something of which nothing older is there.
            Assert.Contains(left.Edges, e => e.From == node && !built[e.To] && (!e.CanCut || !before[e.To][node]));
        }
    });

    [Fact]
    public void The_same_graph_is_cut_alike_in_whatever_order_it_is_told() =>
        Gen.Select(Graphs, Gen.Int[0, 1000]).Sample((graph, seed) =>
        {
            var order = Enumerable.Range(0, graph.Nodes.Length).OrderBy(node => (node * 7919 + seed * 104729) % 101)
                .ToArray();
            var place = new int[order.Length];
            for (var i = 0; i < order.Length; i++) place[order[i]] = i;
            var other = new DependencyGraph(
                [.. order.Select(node => graph.Nodes[node])],
                graph.Edges.Reverse().Select(e => e with { From = place[e.From], To = place[e.To] }));
            Assert.Equal(Cut(graph), Cut(other));
        });

    [Fact]
    public void A_large_knot_is_cut_within_its_bounds()
    {
        // A thousand packages of which each needs the next two and, for its tests, one far behind: cutting the tests'
        // edges is enough, and no other may be cut.
        var nodes = Enumerable.Range(0, 1000).Select(i => new GraphNode($"p{i:0000}", 1)).ToImmutableArray();
        var edges = Enumerable.Range(0, 998).SelectMany(i => new[]
        {
            new GraphEdge(i, i + 1, DependencyKind.Run), new GraphEdge(i, i + 2, DependencyKind.Make),
            new GraphEdge(i + 2, i * 7 % (i + 2), DependencyKind.Check),
        });
        var graph = new DependencyGraph(nodes, edges);
        var cut = FeedbackArcs.Find(graph);
        Assert.All(cut, index => Assert.Equal(DependencyKind.Check, graph.Edges[index].Kind));
        Assert.NotNull(graph.Without(cut).Ranks());
    }

    private static DependencyGraph Graph(params (string Edge, DependencyKind Kind)[] edges)
    {
        var names = edges.SelectMany(e => e.Edge.Split('>')).Distinct().Order(StringComparer.Ordinal).ToList();
        return new DependencyGraph(
            [.. names.Select(name => new GraphNode(name, 1))],
            edges.Select(e => new GraphEdge(
                names.IndexOf(e.Edge.Split('>')[0]), names.IndexOf(e.Edge.Split('>')[1]), e.Kind)));
    }

    private static List<string> Cut(DependencyGraph graph) => [.. FeedbackArcs.Find(graph)
        .Select(index => graph.Edges[index])
        .Select(edge => $"{graph.Nodes[edge.From].Name}>{graph.Nodes[edge.To].Name}")
        .Order(StringComparer.Ordinal)];

    /// <summary>By Floyd and Warshall: whether the first reaches the second.</summary>
    private static bool[][] Reachable(DependencyGraph graph)
    {
        var reach = graph.Nodes.Select(_ => new bool[graph.Nodes.Length]).ToArray();
        foreach (var edge in graph.Edges) reach[edge.From][edge.To] = true;
        for (var by = 0; by < reach.Length; by++)
        {
            for (var from = 0; from < reach.Length; from++)
            {
                for (var to = 0; to < reach.Length; to++) reach[from][to] |= reach[from][by] && reach[by][to];
            }
        }

        return reach;
    }

    private static bool[] Built(DependencyGraph graph)
    {
        var built = new bool[graph.Nodes.Length];
        for (var more = true; more;)
        {
            more = false;
            for (var node = 0; node < built.Length; node++)
            {
                if (built[node] || graph.Nodes[node].IsStuck) continue;
                if (graph.Edges.Any(e => e.From == node && !built[e.To])) continue;
                built[node] = more = true;
            }
        }

        return built;
    }
}
