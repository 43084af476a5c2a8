using System.Collections.Immutable;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>The sets in which jobs are found by their status, on their way from one state to the next.</summary>
internal sealed class JobsByStatus(MasterState from)
{
    public ImmutableSortedSet<string>.Builder Ready { get; } = from.Ready.ToBuilder();

    public ImmutableSortedSet<string>.Builder Building { get; } = from.Building.ToBuilder();

    public ImmutableSortedSet<string>.Builder Blocked { get; } = from.Blocked.ToBuilder();

    private ImmutableSortedSet<Ended>.Builder Failed { get; } = from.Failed.ToBuilder();

    private ImmutableSortedSet<Ended>.Builder Built { get; } = from.Built.ToBuilder();

    public void Clear()
    {
        Ready.Clear();
        Building.Clear();
        Blocked.Clear();
        Failed.Clear();
        Built.Clear();
    }

    public void Move(Job? before, Job job)
    {
        if (before is not null)
        {
            Open(before.Status)?.Remove(before.Id);
            Ended(before.Status)?.Remove(new Ended(before.Since, before.Id));
        }

        Open(job.Status)?.Add(job.Id);
        Ended(job.Status)?.Add(new Ended(job.Since, job.Id));
    }

    public MasterState Into(MasterState state) => state with
    {
        Ready = Ready.ToImmutable(),
        Building = Building.ToImmutable(),
        Blocked = Blocked.ToImmutable(),
        Failed = Failed.ToImmutable(),
        Built = Built.ToImmutable(),
    };

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
