using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>One job with its attempts.</summary>
internal sealed record JobView : View
{
    /// <summary>The most attempts, and the most phases or files of one, that are shown.</summary>
    public const int MaxRows = 50;

    /// <summary>The most lines of a log that are shown; the whole is a link away.</summary>
    private const int MaxLines = 100;

    private const int MaxLine = 1000;

    private JobView(PageInput input, Job job) : base(input, $"{job.Pkgbase} {job.Version}")
    {
        Section = "jobs";
        Refreshes = job.Status == JobStatus.Building;
    }

    /// <summary>The job.</summary>
    public required Job Job { get; init; }

    /// <summary>Why it stands where it stands; empty where the status says all.</summary>
    public required string Reason { get; init; }

    /// <summary>What its builder says that it does; null when none says anything.</summary>
    public Claim? Claim { get; init; }

    /// <summary>Where the log of the running attempt is.</summary>
    public string LiveLog => Input.LogOf(Projection.Summary(Input.State, Job));

    /// <summary>The attempts that ended, the newest first.</summary>
    public required ImmutableArray<AttemptView> Attempts { get; init; }

    /// <summary>What the repositories still hold of its results.</summary>
    public required ImmutableArray<PublishedFile> Files { get; init; }

    /// <summary>The job as this page shows it; null where there is none of that id.</summary>
    public static JobView? Of(string id, PageInput input)
    {
        if (!input.State.Jobs.TryGetValue(id, out var job)) return null;
        return new JobView(input, job)
        {
            Job = job,
            Reason = Why.Of(input.State, job),
            Claim = input.ClaimOf(job),
            Attempts = [.. job.Attempts.Reverse().Take(MaxRows).Select(AttemptView.Of)],
            Files = [.. PublishedFile.Of(input.State, job.Pkgbase).Where(file => file.Package.Job == job.Id)],
        };
    }

    /// <summary>The last lines of a failed attempt, as one text; empty when there are none.</summary>
    internal static string LastLines(Attempt attempt)
    {
        var lines = attempt.Result?.Failure?.LastLines ?? [];
        return string.Join('\n', lines.Skip(lines.Length - MaxLines).Select(line => Wording.LogLine(line, MaxLine)));
    }
}

/// <summary>An attempt that ended, with the cost of its phases.</summary>
/// <param name="Attempt">The attempt.</param>
/// <param name="Phases">Its phases, in order.</param>
/// <param name="LastLines">The end of its log, where it failed.</param>
internal sealed record AttemptView(Attempt Attempt, ImmutableArray<PhaseRow> Phases, string LastLines)
{
    internal static AttemptView Of(Attempt attempt)
    {
        var costs = (attempt.Result?.Costs ?? []).Take(JobView.MaxRows).ToList();
        var total = costs.Sum(cost => Wording.Seconds(cost.ElapsedSeconds).TotalSeconds);
        var phases = ImmutableArray.CreateBuilder<PhaseRow>(costs.Count);
        var before = 0.0;
        foreach (var cost in costs)
        {
            var elapsed = Wording.Seconds(cost.ElapsedSeconds).TotalSeconds;
            var (from, width) = total > 0 ? (before / total, elapsed / total) : (0, 0);
            phases.Add(new PhaseRow(cost, from, width));
            before += elapsed;
        }

        return new AttemptView(attempt, phases.ToImmutable(), JobView.LastLines(attempt));
    }
}

/// <summary>What a phase cost, and its place in the whole.</summary>
/// <param name="Cost">The cost.</param>
/// <param name="From">Where it begins in the whole, from 0 to 1.</param>
/// <param name="Width">Its part of the whole, from 0 to 1.</param>
internal sealed record PhaseRow(PhaseCost Cost, double From, double Width);
