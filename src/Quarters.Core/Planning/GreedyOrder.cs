namespace Quarters.Core.Planning;

/// <summary>
/// The greedy order of Eades, Lin and Smyth (1993) with weights: what needs nothing comes next, what nobody needs goes
/// to the end, and else that node comes next which many need and which itself needs little. Where edges that cannot be
/// cut would point backwards the order is bent so that they do not.
/// </summary>
internal sealed class GreedyOrder(int[] first, int[] other, long[] weight, bool[] needs)
{
    private readonly int _count = first.Length - 1;

    /// <summary>Writes the nodes in their order.</summary>
    public void Fill(int[] order)
    {
        var needed = new long[_count];
        var wanted = new long[_count];
        for (var node = 0; node < _count; node++)
        {
            for (var at = first[node]; at < first[node + 1]; at++)
            {
                if (needs[at]) needed[node] += weight[at];
                else wanted[node] += weight[at];
            }
        }

        var heap = new PriorityQueue<int, (long, int)>();
        var rank = new long[_count];
        var isPlaced = new bool[_count];
        var back = new Stack<int>();
        var front = 0;
        for (var node = 0; node < _count; node++) Push(node);
        while (heap.TryDequeue(out var node, out var priority))
        {
            if (isPlaced[node] || priority.Item1 != rank[node]) continue;
            isPlaced[node] = true;
            if (wanted[node] == 0 && needed[node] != 0) back.Push(node);
            else order[front++] = node;
            for (var at = first[node]; at < first[node + 1]; at++)
            {
                if (isPlaced[other[at]]) continue;
                if (needs[at]) wanted[other[at]] -= weight[at];
                else needed[other[at]] -= weight[at];
                Push(other[at]);
            }
        }

        while (back.TryPop(out var node)) order[front++] = node;
        Bend(order);

        void Push(int node)
        {
            rank[node] = needed[node] == 0 || wanted[node] == 0 ? long.MinValue : needed[node] - wanted[node];
            heap.Enqueue(node, (rank[node], node));
        }
    }

    /// <summary>Sorts topologically by the edges that cannot be cut, staying as near to the order as that
    /// allows.</summary>
    private void Bend(int[] order)
    {
        var missing = new int[_count];
        for (var node = 0; node < _count; node++)
        {
            for (var at = first[node]; at < first[node + 1]; at++)
            {
                if (needs[at] && weight[at] >= FeedbackArcs.Infinite) missing[node]++;
            }
        }

        var place = new int[_count];
        for (var i = 0; i < _count; i++) place[order[i]] = i;
        var next = new PriorityQueue<int, int>();
        foreach (var node in order.Where(node => missing[node] == 0)) next.Enqueue(node, place[node]);
        for (var i = 0; next.TryDequeue(out var node, out _); i++)
        {
            order[i] = node;
            for (var at = first[node]; at < first[node + 1]; at++)
            {
                if (needs[at] || weight[at] < FeedbackArcs.Infinite || --missing[other[at]] > 0) continue;
                next.Enqueue(other[at], place[other[at]]);
            }
        }
    }
}
