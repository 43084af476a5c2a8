using System.Collections.Immutable;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>The sets in which jobs are found by their status, and the open ones by their urgency, on their way from one
/// state to the next.</summary>
internal sealed class JobsByStatus(MasterState from)
{
    public ImmutableSortedSet<string>.Builder Ready { get; } = from.Ready.ToBuilder();

    public ImmutableSortedSet<string>.Builder Building { get; } = from.Building.ToBuilder();

    public ImmutableSortedSet<string>.Builder Blocked { get; } = from.Blocked.ToBuilder();

    private ImmutableSortedSet<Ended>.Builder Failed { get; } = from.Failed.ToBuilder();

    private ImmutableSortedSet<Ended>.Builder Built { get; } = from.Built.ToBuilder();

    private ImmutableSortedSet<QueuePlace>.Builder Queue { get; } = from.Queue.ToBuilder();

    private ImmutableSortedSet<QueuePlace>.Builder Urgent { get; } = from.Open.ToBuilder();

    // Whole numbers, so that the sum does not drift however often it is added to and taken from.
    private long OpenMilliseconds { get; set; } = from.OpenMilliseconds;

    /// <summary>Whether nothing can be built and nothing is.</summary>
    public bool IsIdle => Ready.Count == 0 && Building.Count == 0;

    public void Clear()
    {
        Ready.Clear();
        Building.Clear();
        Blocked.Clear();
        Failed.Clear();
        Built.Clear();
        Queue.Clear();
        Urgent.Clear();
        OpenMilliseconds = 0;
    }

    /// <summary>A job that is not open any more is found no longer.</summary>
    public void Remove(Job job) => Ended(job.Status)?.Remove(new Ended(job.Since, job.Id));

    public void Move(Job? before, Job job)
    {
        if (before is not null)
        {
            Open(before.Status)?.Remove(before.Id);
            Ended(before.Status)?.Remove(new Ended(before.Since, before.Id));
        }

        Open(job.Status)?.Add(job.Id);
        Ended(job.Status)?.Add(new Ended(job.Since, job.Id));
        Move(Urgent, before is { IsOpen: true } ? before : null, job.IsOpen ? job : null);
        Move(Queue, before is not null && IsOffered(before) ? before : null, IsOffered(job) ? job : null);
        if (before is { IsOpen: true }) OpenMilliseconds -= Milliseconds(before);
        if (job.IsOpen) OpenMilliseconds += Milliseconds(job);
    }

    public MasterState Into(MasterState state) => state with
    {
        Ready = Ready.ToImmutable(),
        Building = Building.ToImmutable(),
        Blocked = Blocked.ToImmutable(),
        Failed = Failed.ToImmutable(),
        Built = Built.ToImmutable(),
        Queue = Queue.ToImmutable(),
        Open = Urgent.ToImmutable(),
        OpenMilliseconds = OpenMilliseconds,
    };

    private static void Move(ImmutableSortedSet<QueuePlace>.Builder places, Job? before, Job? now)
    {
        if (before is not null) places.Remove(QueuePlace.Of(before));
        if (now is not null) places.Add(QueuePlace.Of(now));
    }

    private static bool IsOffered(Job job) =>
        job.Status == JobStatus.Ready || (job.Status == JobStatus.Building && Agreement.TakesMore(job));

    private static long Milliseconds(Job job) => (long)(job.EstimatedSeconds * 1000);

    private ImmutableSortedSet<string>.Builder? Open(JobStatus status) => status switch
    {
        JobStatus.Ready => Ready,
        JobStatus.Building => Building,
        JobStatus.Blocked => Blocked,
        _ => null,
    };

    private ImmutableSortedSet<Ended>.Builder? Ended(JobStatus status) => status switch
    {
        JobStatus.Failed => Failed,
        JobStatus.Built => Built,
        _ => null,
    };
}
