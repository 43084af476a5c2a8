namespace Quarters.Core.Planning;

/// <summary>
/// An order of a component's nodes in which as little weight as possible points backwards: what points backwards is
/// what to cut. It begins with the greedy order of Eades, Lin and Smyth (1993), and is improved by moving single nodes
/// to their best places until none has a better one, again and again after turning a backward edge.
/// </summary>
/// <remarks>Whole numbers only, and its own row of pseudo-random numbers: the same graph gives the same order on every
/// machine.</remarks>
internal sealed class FeedbackOrder
{
    private readonly int _count;
    private readonly int[] _first;
    private readonly int[] _other;
    private readonly long[] _weight;
    private readonly bool[] _needs;
    private readonly int[] _order;
    private readonly int[] _place;
    private readonly Queue<int> _queue = new();
    private readonly bool[] _isQueued;
    private (int Place, int Edge)[] _around = new (int, int)[16];
    private uint _random = 2463534242;
    private long _cost;

    /// <summary>Prepares a component.</summary>
    /// <param name="count">How many nodes it has.</param>
    /// <param name="edges">Who needs whom, at which weight; not twice the same two.</param>
    public FeedbackOrder(int count, IReadOnlyCollection<(int From, int To, long Weight)> edges)
    {
        _count = count;
        _first = new int[count + 1];
        _other = new int[2 * edges.Count];
        _weight = new long[2 * edges.Count];
        _needs = new bool[2 * edges.Count];
        foreach (var (from, to, _) in edges)
        {
            _first[from + 1]++;
            _first[to + 1]++;
        }

        for (var node = 0; node < count; node++) _first[node + 1] += _first[node];
        var next = _first.AsSpan(0, count).ToArray();
        foreach (var (from, to, weight) in edges)
        {
            (_other[next[from]], _weight[next[from]], _needs[next[from]++]) = (to, weight, true);
            (_other[next[to]], _weight[next[to]], _needs[next[to]++]) = (from, weight, false);
        }

        _order = new int[count];
        _place = new int[count];
        _isQueued = new bool[count];
    }

    /// <summary>Whether an edge points backwards in the order found: what is needed stands behind.</summary>
    public bool PointsBack(int from, int to) => _place[to] > _place[from];

    /// <summary>Finds a good order.</summary>
    /// <param name="rounds">How many disturbances are tried.</param>
    public void Improve(int rounds)
    {
        new GreedyOrder(_first, _other, _weight, _needs).Fill(_order);
        Place();
        _cost = 0;
        for (var node = 0; node < _count; node++)
        {
            for (var at = _first[node]; at < _first[node + 1]; at++)
            {
                if (_needs[at] && PointsBack(node, _other[at])) _cost += _weight[at];
            }
        }

        foreach (var node in _order) Enqueue(node);
        Settle();
        var best = _cost;
        var kept = _order.AsSpan().ToArray();
        for (var round = 0; round < rounds && best > 0; round++)
        {
            Disturb();
            Settle();
            if (_cost <= best)
            {
                best = _cost;
                _order.CopyTo(kept, 0);
                continue;
            }

            kept.CopyTo(_order, 0);
            _cost = best;
            Place();
        }
    }

    private void Place()
    {
        for (var place = 0; place < _count; place++) _place[_order[place]] = place;
    }

    /// <summary>Turns one backward edge: one of its nodes moves to where it points forwards.</summary>
    private void Disturb()
    {
        var start = Random(_count);
        for (var i = 0; i < _count; i++)
        {
            var node = _order[(start + i) % _count];
            for (var at = _first[node]; at < _first[node + 1]; at++)
            {
                var other = _other[at];
                if (_needs[at] != PointsBack(node, other)) continue;
                if (Random(2) == 0) Move(node, _place[other]);
                else Move(other, _place[node]);
                return;
            }
        }
    }

    private int Random(int below)
    {
        // Marsaglia's xorshift.
        _random ^= _random << 13;
        _random ^= _random >> 17;
        _random ^= _random << 5;
        return (int)(_random % (uint)below);
    }

    private void Enqueue(int node)
    {
        if (_isQueued[node]) return;
        _isQueued[node] = true;
        _queue.Enqueue(node);
    }

    /// <summary>Every move makes the cost smaller, so that this ends.</summary>
    private void Settle()
    {
        while (_queue.TryDequeue(out var node))
        {
            _isQueued[node] = false;
            Move(node, BestPlace(node));
        }
    }

    private int BestPlace(int node)
    {
        var degree = _first[node + 1] - _first[node];
        if (_around.Length < degree) _around = new (int, int)[degree * 2];
        var around = _around.AsSpan(0, degree);
        long cost = 0, now = 0;
        for (var i = 0; i < degree; i++)
        {
            var at = _first[node] + i;
            around[i] = (_place[_other[at]], at);
            if (_needs[at]) cost += _weight[at];
        }

        around.Sort(static (a, b) => a.Place.CompareTo(b.Place));
        var best = cost;
        var bestAfter = -1;
        var isCounted = false;
        for (var i = 0; i < degree; i++)
        {
            var (place, at) = around[i];
            if (!isCounted && place > _place[node]) (now, isCounted) = (cost, true);
            cost += _needs[at] ? -_weight[at] : _weight[at];
            // Two that need each other are neighbours twice: there is no place between the two edges.
            if (cost >= best || (i + 1 < degree && around[i + 1].Place == place)) continue;
            (best, bestAfter) = (cost, place);
        }

        if (!isCounted) now = cost;
        if (best >= now) return _place[node];
        // Right behind that neighbour; where the node comes from before it, all between move up by one.
        return bestAfter + 1 > _place[node] ? bestAfter : bestAfter + 1;
    }

    /// <summary>Moves a node; the neighbours that it passes may now have better places.</summary>
    private void Move(int node, int to)
    {
        var from = _place[node];
        if (from == to) return;
        for (var at = _first[node]; at < _first[node + 1]; at++)
        {
            var other = _place[_other[at]];
            if (to > from ? other <= from || other > to : other < to || other >= from) continue;
            _cost += _needs[at] == to > from ? -_weight[at] : _weight[at];
            Enqueue(_other[at]);
        }

        if (to < from) Array.Copy(_order, to, _order, to + 1, from - to);
        else Array.Copy(_order, from + 1, _order, from, to - from);
        _order[to] = node;
        for (var place = Math.Min(from, to); place <= Math.Max(from, to); place++) _place[_order[place]] = place;
    }
}
