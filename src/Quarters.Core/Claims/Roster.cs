using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Claims;

/// <summary>
/// The validated builders, and the order of them for each attempt, which is worked out once and remembered. It says the
/// same whenever it is asked, but one thread at a time may ask.
/// </summary>
public sealed class Roster
{
    /// <summary>Orders of so many attempts are remembered; then all are worked out anew.</summary>
    private const int MaxOrders = 20_000;

    private readonly Dictionary<string, int> _byKey;
    private readonly Dictionary<string, Order> _orders = new(StringComparer.Ordinal);

    /// <summary>Makes the roster of a list. Of two entries with one key the first counts.</summary>
    public Roster(ImmutableArray<ListedBuilder> builders)
    {
        Builders = [.. builders.DistinctBy(b => b.PublicKey)];
        _byKey = Builders.Select((b, i) => (b.PublicKey, Index: i))
            .ToDictionary(p => p.PublicKey, p => p.Index, StringComparer.Ordinal);
        Fastest = Builders.Select(b => b.Weight).DefaultIfEmpty(1).Max();
        Slowest = Builders.Select(b => b.Weight).DefaultIfEmpty(1).Min();
        Speed = Builders.Sum(b => b.Weight * b.Slots);
        Weights = [.. Builders.Select(b => b.Weight)];
    }

    /// <summary>Nobody.</summary>
    public static Roster Empty { get; } = new([]);

    /// <summary>The builders.</summary>
    public ImmutableArray<ListedBuilder> Builders { get; }

    /// <summary>The greatest weight.</summary>
    public double Fastest { get; }

    /// <summary>The smallest weight.</summary>
    public double Slowest { get; }

    /// <summary>The weights of all slots together.</summary>
    public double Speed { get; }

    /// <summary>The weights of the builders, by their place in <see cref="Builders"/>.</summary>
    public ImmutableArray<double> Weights { get; }

    /// <summary>The place of a builder in <see cref="Builders"/>; -1 when it is not listed.</summary>
    public int IndexOf(string publicKey) => _byKey.GetValueOrDefault(publicKey, -1);

    /// <summary>Whether a builder may take a job: its architecture, its memory, and nobody's wish that it does
    /// not.</summary>
    public bool IsAble(int builder, QueueJob job)
    {
        var status = Builders[builder];
        return !status.Draining
            && (job.Architecture == "any" || status.Architectures.Contains(job.Architecture))
            && (job.MemoryBytes <= 0 || status.MemoryBytes <= 0 || job.MemoryBytes <= status.MemoryBytes)
            && (job.Avoid.IsEmpty || !job.Avoid.Contains(status.PublicKey));
    }

    /// <summary>The builders in the order of their scores, the best first.</summary>
    public ReadOnlySpan<int> OrderFor(string attemptName) => Remembered(attemptName).Ranked;

    /// <summary>The lots of the builders, by their place in <see cref="Builders"/>.</summary>
    public ReadOnlySpan<ulong> LotsFor(string attemptName) => Remembered(attemptName).Lots;

    /// <summary>Which builders may take a job (<see cref="IsAble"/>), by their place in
    /// <see cref="Builders"/>: the same array as long as the answer is the same.</summary>
    public ImmutableArray<bool> AbleFor(QueueJob job)
    {
        var order = Remembered(JobId.AttemptName(job.Id, job.Attempt));
        // The same attempt may be offered anew to others than before.
        if (order.For is { } same && same.Architecture == job.Architecture && same.MemoryBytes == job.MemoryBytes
            && same.Avoid.AsSpan().SequenceEqual(job.Avoid.AsSpan()))
            return order.Able;
        (order.For, order.Able) = (job, [.. Enumerable.Range(0, Builders.Length).Select(i => IsAble(i, job))]);
        return order.Able;
    }

    private Order Remembered(string attemptName)
    {
        if (_orders.TryGetValue(attemptName, out var known)) return known;
        if (_orders.Count >= MaxOrders) _orders.Clear();
        var lots = new ulong[Builders.Length];
        var scores = new double[Builders.Length];
        var ranked = new int[Builders.Length];
        for (var i = 0; i < lots.Length; i++)
        {
            lots[i] = Rendezvous.Lot(attemptName, Builders[i].PublicKey);
            // Sorted upwards: the negative puts the best first.
            scores[i] = -Rendezvous.Score(lots[i], Builders[i].Weight);
            ranked[i] = i;
        }

        Array.Sort(scores, ranked);
        return _orders[attemptName] = new Order(ranked, lots);
    }

    private sealed record Order(int[] Ranked, ulong[] Lots)
    {
        public QueueJob? For { get; set; }

        public ImmutableArray<bool> Able { get; set; }
    }
}
