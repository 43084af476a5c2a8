using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Core.Claims;

/// <summary>
/// The builders that can be counted on, in the order in which they are expected to finish a job; among equals the
/// greater lot is first. Builders of one weight have the same order for every job, and there are few weights: so the
/// place of a builder is found without looking at all others. One thread at a time may ask.
/// </summary>
internal sealed class FinishOrder
{
    private readonly Roster _roster;
    private readonly double[] _begins;
    private readonly List<Peers> _byWeight = [];
    private readonly Dictionary<string, Favourites> _favourites = new(StringComparer.Ordinal);

    /// <summary>Makes the order of some builders.</summary>
    /// <param name="roster">All builders.</param>
    /// <param name="begins">When each could begin, in seconds after some moment, which is also when a free one could;
    /// NaN for those that cannot be counted on.</param>
    public FinishOrder(Roster roster, double[] begins)
    {
        (_roster, _begins) = (roster, begins);
        foreach (var equals in Enumerable.Range(0, begins.Length).Where(b => !double.IsNaN(begins[b]))
            .GroupBy(b => roster.Weights[b]))
        {
            var builders = equals.ToArray();
            var sorted = Array.ConvertAll(builders, b => begins[b]);
            Array.Sort(sorted, builders);
            _byWeight.Add(new Peers(equals.Key, sorted, builders));
        }
    }

    /// <summary>The builder that would be the first if it were not for one; that one where there is no other.</summary>
    public int FirstBut(int me, QueueJob job, string attemptName)
    {
        var able = _roster.AbleFor(job);
        if (!_favourites.TryGetValue(attemptName, out var known) || known.Able != able
            || known.Seconds != job.EstimatedSeconds)
            _favourites[attemptName] = known = FindFavourites(job, able, _roster.LotsFor(attemptName));
        if (known.First >= 0 && known.First != me) return known.First;
        return known.Second >= 0 && known.First == me ? known.Second : me;
    }

    /// <summary>How many others are before a builder, exactly if that is less than a limit.</summary>
    /// <param name="me">The builder.</param>
    /// <param name="finish">When it expects to finish, by its own word.</param>
    /// <param name="job">The job.</param>
    /// <param name="attemptName">The name of its attempt.</param>
    /// <param name="atMost">The limit.</param>
    public int CountBefore(int me, double finish, QueueJob job, string attemptName, int atMost)
    {
        var rank = 0;
        foreach (var peers in _byWeight) rank += peers.CountBefore(finish, job.EstimatedSeconds);
        // Among them are those that may not take it, and perhaps the builder itself as others see it.
        var able = _roster.AbleFor(job).AsSpan();
        if (able[me] && FinishOf(me, job) < finish) rank--;
        for (var at = able.IndexOf(false); at >= 0;)
        {
            if (FinishOf(at, job) < finish) rank--;
            var next = able[(at + 1)..].IndexOf(false);
            at = next < 0 ? -1 : at + 1 + next;
        }

        var lots = _roster.LotsFor(attemptName);
        foreach (var peers in _byWeight)
        {
            var from = peers.CountBefore(finish, job.EstimatedSeconds);
            for (; rank < atMost && peers.IsEqual(from, finish, job.EstimatedSeconds); from++)
            {
                var other = peers.Builders[from];
                if (other != me && able[other] && lots[other] > lots[me]) rank++;
            }
        }

        return rank;
    }

    private double FinishOf(int builder, QueueJob job) =>
        _begins[builder] + (job.EstimatedSeconds / _roster.Weights[builder]);

    private Favourites FindFavourites(QueueJob job, ImmutableArray<bool> able, ReadOnlySpan<ulong> lots)
    {
        var (first, second) = (-1, -1);
        for (var builder = 0; builder < able.Length; builder++)
        {
            if (!able[builder] || double.IsNaN(_begins[builder])) continue;
            if (IsBefore(builder, first, lots)) (first, second) = (builder, first);
            else if (IsBefore(builder, second, lots)) second = builder;
        }

        return new Favourites(able, job.EstimatedSeconds, first, second);

        bool IsBefore(int builder, int other, ReadOnlySpan<ulong> lots)
        {
            if (other < 0) return true;
            var (finish, its) = (FinishOf(builder, job), FinishOf(other, job));
            return finish < its || (finish == its && lots[builder] > lots[other]);
        }
    }

    private sealed record Favourites(ImmutableArray<bool> Able, double Seconds, int First, int Second);

    /// <summary>The builders of one weight, by when they could begin.</summary>
    private sealed record Peers(double Weight, double[] Begins, int[] Builders)
    {
        public int CountBefore(double finish, double seconds)
        {
            var takes = seconds / Weight;
            var (low, high) = (0, Begins.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (Begins[middle] + takes < finish) low = middle + 1;
                else high = middle;
            }

            return low;
        }

        public bool IsEqual(int at, double finish, double seconds) =>
            at < Begins.Length && Begins[at] + (seconds / Weight) == finish;
    }
}
