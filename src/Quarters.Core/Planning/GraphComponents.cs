namespace Quarters.Core.Planning;

/// <summary>
/// Strongly connected components (Tarjan 1972, without recursion: chains of packages are longer than a stack is deep).
/// </summary>
internal sealed class GraphComponents
{
    private const int Unseen = -1;

    private readonly DependencyGraph _graph;
    private readonly Func<GraphEdge, bool>? _follows;
    private readonly List<int[]> _all = [];
    private readonly int[] _index;
    private readonly int[] _low;
    private readonly int[] _next;
    private readonly Stack<int> _open = new();
    private readonly Stack<int> _path = new();
    private int _seen;

    /// <summary>Finds the components of a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="follows">Which edges count; all if null.</param>
    public GraphComponents(DependencyGraph graph, Func<GraphEdge, bool>? follows = null)
    {
        _graph = graph;
        _follows = follows;
        _index = new int[graph.Nodes.Length];
        _low = new int[graph.Nodes.Length];
        _next = new int[graph.Nodes.Length];
        Of = new int[graph.Nodes.Length];
        Array.Fill(_index, Unseen);
        Array.Fill(Of, Unseen);
        for (var root = 0; root < _index.Length; root++)
        {
            if (_index[root] == Unseen) Walk(root);
        }
    }

    /// <summary>The components, each with its nodes in ascending order; what a component needs comes before
    /// it.</summary>
    public IReadOnlyList<int[]> All => _all;

    /// <summary>For each node the index of its component.</summary>
    public int[] Of { get; }

    private void Walk(int root)
    {
        Enter(root);
        while (_path.TryPeek(out var node))
        {
            var end = _graph.NeedsOf(node).End.Value;
            if (_next[node] < end)
            {
                var edge = _graph.Edges[_next[node]++];
                if (_follows is not null && !_follows(edge)) continue;
                if (_index[edge.To] == Unseen) Enter(edge.To);
                else if (Of[edge.To] == Unseen) _low[node] = Math.Min(_low[node], _index[edge.To]);
                continue;
            }

            _path.Pop();
            if (_path.TryPeek(out var parent)) _low[parent] = Math.Min(_low[parent], _low[node]);
            if (_low[node] == _index[node]) Close(node);
        }
    }

    private void Enter(int node)
    {
        _index[node] = _low[node] = _seen++;
        _next[node] = _graph.NeedsOf(node).Start.Value;
        _open.Push(node);
        _path.Push(node);
    }

    private void Close(int head)
    {
        var component = new List<int>();
        int node;
        do
        {
            node = _open.Pop();
            Of[node] = _all.Count;
            component.Add(node);
        }
        while (node != head);
        component.Sort();
        _all.Add([.. component]);
    }
}
