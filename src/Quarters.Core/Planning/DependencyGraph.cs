using System.Collections.Immutable;

namespace Quarters.Core.Planning;

/// <summary>
/// What must be built, and what of it needs what: the one model of both the master's plan and a graph file. Nodes and
/// edges are known by their index.
/// </summary>
public sealed class DependencyGraph
{
    private readonly int[] _first;

    /// <summary>Makes a graph. Of several edges between the same two nodes one remains: of their strongest kind, and to
    /// be cut only if all of them can be.</summary>
    /// <param name="nodes">What is to be built.</param>
    /// <param name="edges">What of it needs what. Nothing needs itself: such an edge is passed over.</param>
    public DependencyGraph(ImmutableArray<GraphNode> nodes, IEnumerable<GraphEdge> edges)
    {
        Nodes = nodes;
        var sorted = edges.Where(edge => edge.From != edge.To).ToList();
        sorted.Sort((a, b) => a.From != b.From ? a.From.CompareTo(b.From) : a.To.CompareTo(b.To));
        var merged = ImmutableArray.CreateBuilder<GraphEdge>(sorted.Count);
        foreach (var edge in sorted)
        {
            if (merged.Count > 0 && merged[^1] is var last && last.From == edge.From && last.To == edge.To)
                merged[^1] = last with
                {
                    Kind = (DependencyKind)Math.Max((int)last.Kind, (int)edge.Kind),
                    CanCut = last.CanCut && edge.CanCut,
                };
            else
                merged.Add(edge);
        }

        Edges = merged.DrainToImmutable();
        _first = new int[nodes.Length + 1];
        foreach (var edge in Edges) _first[edge.From + 1]++;
        for (var node = 0; node < nodes.Length; node++) _first[node + 1] += _first[node];
    }

    /// <summary>What is to be built.</summary>
    public ImmutableArray<GraphNode> Nodes { get; }

    /// <summary>What of it needs what, in the order of <see cref="GraphEdge.From"/>, then
    /// <see cref="GraphEdge.To"/>.</summary>
    public ImmutableArray<GraphEdge> Edges { get; }

    /// <summary>The edges to what a node needs, as a range of <see cref="Edges"/>.</summary>
    public Range NeedsOf(int node) => _first[node].._first[node + 1];

    /// <summary>The same nodes without some of the edges: those that are to be built against something older.</summary>
    /// <param name="cut">Indices of edges.</param>
    public DependencyGraph Without(IEnumerable<int> cut)
    {
        var gone = new bool[Edges.Length];
        foreach (var edge in cut) gone[edge] = true;
        return new DependencyGraph(Nodes, Edges.Where((_, index) => !gone[index]));
    }

    /// <summary>
    /// For each node the seconds from its start to the end of the longest chain of nodes that need it, itself included;
    /// null if the graph has a cycle. The largest is the length of the critical path.
    /// </summary>
    public double[]? Ranks()
    {
        var ranks = new double[Nodes.Length];
        var waitedForBy = new int[Nodes.Length];
        foreach (var edge in Edges) waitedForBy[edge.To]++;
        var next = new Stack<int>(Enumerable.Range(0, Nodes.Length).Where(node => waitedForBy[node] == 0));
        var done = 0;
        for (; next.TryPop(out var node); done++)
        {
            ranks[node] += Nodes[node].Seconds;
            foreach (var edge in Edges.AsSpan()[NeedsOf(node)])
            {
                ranks[edge.To] = Math.Max(ranks[edge.To], ranks[node]);
                if (--waitedForBy[edge.To] == 0) next.Push(edge.To);
            }
        }

        return done == Nodes.Length ? ranks : null;
    }
}

/// <summary>What a dependency is needed for; the later weighs more.</summary>
public enum DependencyKind
{
    /// <summary>To run the package's own tests: <c>checkdepends</c>.</summary>
    Check,

    /// <summary>To build: <c>makedepends</c>.</summary>
    Make,

    /// <summary>To build and to run: <c>depends</c>.</summary>
    Run,
}

/// <summary>Something to be built.</summary>
/// <param name="Name">Its name: a package base, or a job's id.</param>
/// <param name="Seconds">How long that takes on a builder of weight 1.</param>
/// <param name="IsStuck">Whether it cannot be built for a reason outside the graph: nobody is to wait for it where
/// something older will do.</param>
public readonly record struct GraphNode(string Name, double Seconds, bool IsStuck = false);

/// <summary>One node needs another.</summary>
/// <param name="From">The index of the node that waits.</param>
/// <param name="To">The index of the node that it waits for.</param>
/// <param name="Kind">What it is needed for.</param>
/// <param name="CanCut">Whether something older would do.</param>
public readonly record struct GraphEdge(int From, int To, DependencyKind Kind, bool CanCut = true);
