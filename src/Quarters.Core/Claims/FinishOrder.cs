using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Claims;

/// <summary>The builders in the order in which they are expected to finish a job, as a digest shows them; among
/// equals the greater lot is first.</summary>
internal sealed class FinishOrder
{
    private readonly (double Finish, ulong Lot, int Builder)[] _places;
    private readonly (double Finish, ulong Lot, int Builder)?[] _byBuilder;

    /// <summary>Works out the order of those that can be counted on and may take the job.</summary>
    /// <param name="standing">The builders as the digest shows them.</param>
    /// <param name="job">The job.</param>
    public FinishOrder(Standing standing, QueueJob job)
    {
        var roster = standing.Roster;
        var lots = roster.LotsFor(JobId.AttemptName(job.Id, job.Attempt));
        Able = roster.AbleFor(job);
        EstimatedSeconds = job.EstimatedSeconds;
        _byBuilder = new (double, ulong, int)?[Able.Length];
        var places = new List<(double, ulong, int)>(Able.Length);
        for (var builder = 0; builder < Able.Length; builder++)
        {
            if (!Able[builder] || !standing.IsThere(builder)) continue;
            var finish = standing.SecondsUntilFree(builder) + (job.EstimatedSeconds / roster.Weights[builder]);
            var place = Place(finish, lots[builder], builder);
            _byBuilder[builder] = place;
            places.Add(place);
        }

        places.Sort();
        _places = [.. places];
    }

    /// <summary>Who could take the job when this was worked out.</summary>
    public ImmutableArray<bool> Able { get; }

    /// <summary>How long the job was expected to take.</summary>
    public double EstimatedSeconds { get; }

    /// <summary>How many others are before a builder that expects to finish then, and who of them is the first.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="lot">Its lot.</param>
    /// <param name="finish">When it expects to finish, by its own word, in seconds after the digest.</param>
    public (int Rank, int First) Before(int builder, ulong lot, double finish)
    {
        var mine = Place(finish, lot, builder);
        var found = Array.BinarySearch(_places, mine);
        var rank = found < 0 ? ~found : found;
        if (_byBuilder[builder] is { } shown && shown.CompareTo(mine) < 0) rank--;
        if (rank == 0) return (0, builder);
        return (rank, _places[0].Builder != builder ? _places[0].Builder : _places[1].Builder);
    }

    // Tuples compare member by member; the greater lot is to be the first.
    private static (double Finish, ulong Lot, int Builder) Place(double finish, ulong lot, int builder) =>
        (finish, ~lot, builder);
}
