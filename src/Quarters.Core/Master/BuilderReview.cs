using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>What the master makes of a builder's state: nothing a builder says changes more than its own
/// attempts.</summary>
public static class BuilderReview
{
    /// <summary>No builder says that it is slower than this; see <see cref="ListedBuilder.Weight"/>.</summary>
    public const double MinWeight = 0.01;

    /// <summary>No builder says that it is faster than this.</summary>
    public const double MaxWeight = 100;

    /// <summary>No builder runs more builds at once.</summary>
    public const int MaxSlots = 256;

    /// <summary>No builder has more claims, or more unsettled results, at once.</summary>
    public const int MaxEntries = 4096;

    private const int MaxArchitectures = 16;

    /// <summary>Of a builder's own reasons so much is kept.</summary>
    private const int MaxReasonLength = 200;

    /// <summary>What cannot be true in a builder's state, in a sentence; null when all can. Nothing of a document with
    /// a fault is looked at.</summary>
    public static string? FindFault(BuilderStateDocument said) =>
        said.Weight is not (>= MinWeight and <= MaxWeight)
            ? FormattableString.Invariant(
                $"its weight is {said.Weight}; it must be from {MinWeight} to {MaxWeight}: change its configuration")
            : said.Slots is < 1 or > MaxSlots ? $"it says that it has {said.Slots} slots; at most {MaxSlots} can be"
            : said.MemoryBytes < 0 ? $"it says that it has {said.MemoryBytes} bytes of memory"
            : said.Architectures.Length is 0 or > MaxArchitectures || !said.Architectures.All(NodeName.IsValid)
                ? $"its architectures must be 1 to {MaxArchitectures} names"
            : said.Claims.Contains(null!) || said.Results.Contains(null!) || said.GivenUp.Contains(null!)
                ? "one of its claims, results or builds given up is null"
            : said.Claims.Length > MaxEntries || said.Results.Length > MaxEntries || said.GivenUp.Length > MaxEntries
                ? $"it names {said.Claims.Length} claims, {said.Results.Length} results and {said.GivenUp.Length} "
                    + $"builds given up; at most {MaxEntries} of each are read"
            : null;

    /// <summary>Compares a builder's words with what the master knows. Of a builder that is not listed nothing is
    /// heard.</summary>
    /// <param name="state">What the master knows.</param>
    /// <param name="builder">The validated builder's name.</param>
    /// <param name="said">The document that it serves.</param>
    /// <param name="now">When that was.</param>
    /// <returns>Events to journal, and results whose packages are to be fetched and checked.</returns>
    public static ReviewedBuilder Read(
        MasterState state, string builder, BuilderStateDocument said, DateTimeOffset now)
    {
        if (!state.Builders.TryGetValue(builder, out var listed)) return new ReviewedBuilder([], []);
        var events = ImmutableArray.CreateBuilder<MasterEvent>();
        var description = BuilderDescription.Of(said);
        if (listed.Description != description) events.Add(new BuilderDescribed(builder, description));
        var collect = ImmutableArray.CreateBuilder<BuildResult>();
        foreach (var claim in said.Claims)
        {
            if (claim.Phase == ClaimPhase.Building
                && Find(state, claim.Job, claim.Attempt) is { Status: JobStatus.Ready } job
                && CanBuild(state, said, job) && MayTry(state, builder, job, now))
                events.Add(new ClaimSeen(claim.Job, claim.Attempt, builder, Known(state, claim.Snapshot)));
        }

        foreach (var result in said.Results)
        {
            if (Find(state, result.Job, result.Attempt) is not { } job || !CanBuild(state, said, job)) continue;
            // While another builds the attempt its result is awaited, unless several are; a result of nobody in
            // particular is as good as any.
            if (result.Outcome == ResultOutcome.Built && job.Wanted > 1)
            {
                if (Agreement.IsNews(job, builder, result)) collect.Add(result);
                continue;
            }

            if (job.Builder is { } other && other != builder) continue;
            if (result.Outcome == ResultOutcome.Built) collect.Add(result);
            // One that was not to try again has no second word, or it alone could use up a job's attempts.
            else if (job.Builder == builder || MayTry(state, builder, job, now)) events.Add(Failure(builder, result));
        }

        foreach (var id in state.Building)
        {
            var job = state.Jobs[id];
            if (job.Builder != builder) continue;
            if (!Builds(said, job)) events.Add(Gone(builder, said, job));
            else if (now - job.Since > Longest(state.Settings!.Limits))
                events.Add(new ClaimLost(
                    id, job.Attempt, builder, $"{builder} says that it builds it for longer than a build may take"));
        }

        return new ReviewedBuilder(events.ToImmutable(), collect.ToImmutable());
    }

    /// <summary>
    /// The claims that a builder loses when it was not heard of for longer than its lease: what it builds, and what it
    /// had claimed when it was last read, since it may have begun that unseen.
    /// </summary>
    /// <param name="state">What the master knows.</param>
    /// <param name="builder">The validated builder's name.</param>
    /// <param name="said">What it said last; null when it was not read since the master began.</param>
    /// <param name="lastSeen">When it was last heard of.</param>
    /// <param name="othersSeen">When any other was last heard of; null if never.</param>
    /// <param name="now">When that is asked.</param>
    public static ImmutableArray<MasterEvent> Expire(
        MasterState state, string builder, BuilderStateDocument? said, DateTimeOffset lastSeen,
        DateTimeOffset? othersSeen, DateTimeOffset now)
    {
        if (state.Settings is not { } settings) return [];
        var lease = TimeSpan.FromSeconds(settings.LeaseSeconds);
        if (now - lastSeen < lease) return [];
        // A master that was cut off itself must not count that against the jobs and builders of the whole farm.
        var excused = state.Builders.Count > 1 && (othersSeen is not { } at || now - at >= lease);
        var reason = $"{builder} was not heard of for {(now - lastSeen).TotalSeconds:0} s";
        var unseen = (said?.Claims ?? [])
            .Where(c => c.Phase != ClaimPhase.Reserved && Find(state, c.Job, c.Attempt) is { Status: JobStatus.Ready })
            .SelectMany(c => new MasterEvent[]
            {
                new ClaimSeen(c.Job, c.Attempt, builder, Known(state, c.Snapshot)),
                new ClaimLost(c.Job, c.Attempt, builder, reason, excused),
            });
        return [.. state.Building
            .Select(id => state.Jobs[id])
            .Where(job => job.Builder == builder)
            .Select(job => new ClaimLost(job.Id, job.Attempt, builder, reason, excused))
            .Concat(unseen)];
    }

    /// <summary>What is for an architecture is built by builders of it.</summary>
    private static bool CanBuild(MasterState state, BuilderStateDocument said, Job job) =>
        said.Architectures.Contains(state.Settings!.ArchitectureOf(job));

    private static bool MayTry(MasterState state, string builder, Job job, DateTimeOffset now) =>
        !Avoidance.Of(state.BuildersFor(job), job, now).Any(avoided => avoided.Name == builder);

    /// <summary>What the whole of a build may take: makepkg runs twice under the limit, and what is fetched has
    /// deadlines of its own.</summary>
    private static TimeSpan Longest(BuildLimits limits) =>
        TimeSpan.FromSeconds(limits.TimeSeconds) * 2 + TimeSpan.FromHours(6);

    private static MasterEvent Gone(string builder, BuilderStateDocument said, Job job)
    {
        if (said.GivenUp.FirstOrDefault(g => g.Job == job.Id && g.Attempt == job.Attempt) is not { } given)
            return new ClaimLost(
                job.Id, job.Attempt, builder, $"{builder} does not build it any more and left no result");
        var why = given.Reason.Length <= MaxReasonLength ? given.Reason : given.Reason[..MaxReasonLength] + "…";
        return Attempts.MayGiveUp(job, builder)
            ? new ClaimGivenUp(job.Id, job.Attempt, builder, $"{builder} gave it up: {why}")
            : new ClaimLost(job.Id, job.Attempt, builder, $"{builder} gave it up again: {why}");
    }

    private static MasterEvent Failure(string builder, BuildResult result) =>
        result.Failure is null
            ? new ResultRefused(builder, result, "it says that it failed, but not why")
            : new AttemptFailed(builder, result);

    private static string? Known(MasterState state, string? snapshot) =>
        snapshot is not null && state.Snapshots.ContainsKey(snapshot) ? snapshot : null;

    private static Job? Find(MasterState state, string id, int attempt) =>
        state.Jobs.TryGetValue(id, out var job) && job.IsOpen && job.Attempt == attempt
            && job.Status != JobStatus.Blocked
            ? job
            : null;

    /// <summary>Whether a builder that began the attempt still has it. One that only claims it has lost its build, and
    /// begins anew.</summary>
    private static bool Builds(BuilderStateDocument said, Job job) =>
        said.Claims.Any(c => c.Job == job.Id && c.Attempt == job.Attempt && c.Phase == ClaimPhase.Building)
        || said.Results.Any(r => r.Job == job.Id && r.Attempt == job.Attempt);
}

/// <summary>What a builder's state gives the master to do.</summary>
/// <param name="Events">To journal and apply, in order.</param>
/// <param name="Collect">Results whose packages are to be fetched, checked, and then accepted or refused.</param>
public sealed record ReviewedBuilder(ImmutableArray<MasterEvent> Events, ImmutableArray<BuildResult> Collect);
