using System.Collections.Immutable;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>The jobs, by status.</summary>
internal sealed record JobsView : View
{
    /// <summary>The most running builds that one page shows.</summary>
    public const int MaxBuilding = 100;

    private static readonly JobStatus[] Statuses =
    [
        JobStatus.Building, JobStatus.Ready, JobStatus.Failed, JobStatus.Blocked, JobStatus.Built, JobStatus.Superseded,
    ];

    private JobsView(PageInput input) : base(input, "Jobs") => Section = "jobs";

    /// <summary>What was asked for, and where this page stands.</summary>
    public required Paging Paging { get; init; }

    /// <summary>How many jobs there are of each status.</summary>
    public required ImmutableArray<(JobStatus Status, int Count)> Counts { get; init; }

    /// <summary>The jobs of this page.</summary>
    public required JobTable Table { get; init; }

    /// <summary>The state as this page shows it. Without a status asked for: what is not done yet.</summary>
    public static JobsView Of(PageQuery query, PageInput input)
    {
        var state = input.State;
        var found = Ordered(state, query.Status).Where(job => query.Matches(job.Id)).ToList();
        var paging = new Paging("/jobs", query, found.Count);
        var counts = state.Jobs.Values.CountBy(job => job.Status).ToDictionary();
        return new JobsView(input)
        {
            Paging = paging,
            Counts = [.. Statuses.Select(status => (status, counts.GetValueOrDefault(status)))],
            Table = new JobTable([.. paging.Of(found).Select(job => Projection.Summary(state, job))], input.Now)
            {
                LogOf = input.LogOf,
                ShowStatus = query.Status is null,
                ShowReason = query.Status != JobStatus.Built,
            },
        };
    }

    private static IEnumerable<Job> Ordered(MasterState state, JobStatus? status) => status switch
    {
        null => Projection.OpenJobs(state),
        JobStatus.Ready => Projection.ReadyJobs(state).Select(ready => ready.Job),
        JobStatus.Building => state.Building.Select(id => state.Jobs[id]).OrderBy(job => job.Since),
        JobStatus.Blocked => state.Blocked.Select(id => state.Jobs[id]),
        _ => state.Jobs.Values.Where(job => job.Status == status).OrderByDescending(job => job.Since),
    };
}
