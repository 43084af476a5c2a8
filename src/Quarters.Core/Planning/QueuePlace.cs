using Quarters.Core.Master;

namespace Quarters.Core.Planning;

/// <summary>Where a job stands among others.</summary>
/// <param name="Priority">See <see cref="Job.Priority"/>.</param>
/// <param name="Verdicts">How many builders said that it does not build.</param>
/// <param name="Created">See <see cref="Job.Created"/>.</param>
/// <param name="Job">The job's id.</param>
public readonly record struct QueuePlace(double Priority, int Verdicts, DateTimeOffset Created, string Job)
{
    /// <summary>
    /// The most urgent first. Of equally urgent ones the fresh: what failed with one builder mostly fails with the
    /// next, too; it is no less urgent for that, since who waits for it wants the second opinion soon. Then the oldest.
    /// </summary>
    public static IComparer<QueuePlace> MostUrgentFirst { get; } = Comparer<QueuePlace>.Create(static (a, b) =>
    {
        var byPriority = b.Priority.CompareTo(a.Priority);
        if (byPriority != 0) return byPriority;
        if (a.Verdicts != b.Verdicts) return a.Verdicts.CompareTo(b.Verdicts);
        var byAge = a.Created.CompareTo(b.Created);
        return byAge != 0 ? byAge : string.CompareOrdinal(a.Job, b.Job);
    });

    /// <summary>The place of a job.</summary>
    public static QueuePlace Of(Job job) => new(
        job.Priority, job.CurrentAttempts().Count(Avoidance.IsVerdict), job.Created, job.Id);
}
