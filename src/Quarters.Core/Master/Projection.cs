using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>The public documents as functions of the state: what the master publishes is a projection of what it
/// knows.</summary>
public static class Projection
{
    /// <summary>The most jobs in one queue document.</summary>
    public const int MaxQueue = 2000;

    /// <summary>So many are in it for each slot of the farm, and a few more: what every builder could take before the
    /// next, for whatever it is able to build.</summary>
    private const int QueuedPerSlot = 4;
    private const int QueuedAnyway = 100;

    /// <summary>The most jobs in the state document.</summary>
    public const int MaxJobs = 1000;

    /// <summary>The most changes that need review in the state document.</summary>
    public const int MaxReviews = 1000;

    /// <summary>The most sentences of advice in the state document.</summary>
    public const int MaxAdvice = 100;

    /// <summary>The most unreadable packages in the state document.</summary>
    public const int MaxUnreadable = 100;

    /// <summary>
    /// The ready jobs, best first. Left out are jobs of an architecture that has no snapshot yet, and those that rest
    /// after a failure: the master's clock says for how long, since a builder's may be wrong by hours.
    /// </summary>
    public static QueueDocument Queue(MasterState state, DateTimeOffset now)
    {
        var snapshots = new Dictionary<string, SnapshotDocument?>(StringComparer.Ordinal);
        var slots = state.Builders.Values.Sum(builder => builder.Description.Slots);
        var jobs = state.Queue
            .Select(place => state.Jobs[place.Job])
            .Where(job => job.NotBefore is not { } at || at <= now)
            .Take(Math.Min(MaxQueue, QueuedAnyway + (QueuedPerSlot * slots)))
            .Select(Queued)
            .OfType<QueueJob>();
        return new QueueDocument
        {
            Revision = state.Revision,
            Time = now,
            Outlook = Outlook(state, now),
            Jobs = [.. jobs],
        };

        QueueJob? Queued(Job job)
        {
            var architecture = state.Settings!.ArchitectureOf(job);
            var key = MasterState.PlanKey(architecture, job.Rebuild);
            if (!snapshots.TryGetValue(key, out var snapshot))
                snapshots[key] = snapshot = Snapshots.Of(state, architecture, job.Rebuild);
            return snapshot is null ? null : Describe(state, job, architecture, snapshot.Id, now);
        }
    }

    /// <summary>What the farm has before it.</summary>
    public static Outlook Outlook(MasterState state, DateTimeOffset now)
    {
        var path = 0.0;
        foreach (var place in state.Open)
        {
            // Of those that build the part that is done counts no more; the first that does not is the longest left.
            var job = state.Jobs[place.Job];
            path = Math.Max(path, place.Priority - Done(state, job, now));
            if (job.Status != JobStatus.Building) break;
        }

        return new Outlook(state.OpenMilliseconds / 1000.0, path);
    }

    /// <summary>How much of a job's estimate is behind it.</summary>
    private static double Done(MasterState state, Job job, DateTimeOffset now)
    {
        if (job.Status != JobStatus.Building || !state.Builders.TryGetValue(job.Builder!, out var builder)) return 0;
        return Math.Clamp((now - job.Since).TotalSeconds * builder.Description.Weight, 0, job.EstimatedSeconds);
    }

    /// <summary>When the queue next changes although nothing happens: a job has rested, or others had their time to
    /// take it; null when there is no such job.</summary>
    public static DateTimeOffset? NextInQueue(MasterState state, DateTimeOffset now) => state.Ready
        .Select(id => state.Jobs[id])
        .Where(job => !job.Attempts.IsEmpty)
        .Select(job => job.NotBefore > now ? job.NotBefore : Avoidance.NextChange(state.BuildersFor(job), job, now))
        .Min();

    /// <summary>The validated builders, by name.</summary>
    public static BuildersDocument Builders(MasterState state) =>
        new() { Revision = state.Revision, Builders = [.. state.Builders.Values.Select(Listed)] };

    /// <summary>What became of a signal.</summary>
    public static SignalDocument Signal(SignalOutcome outcome) => new()
    {
        Id = outcome.Signal.Id,
        Kind = outcome.Signal.KindName,
        Outcome = outcome.Refusal is null ? SignalEnd.Done : SignalEnd.Refused,
        Reason = outcome.Refusal,
        Details = outcome.Details,
        Settled = outcome.Settled,
    };

    /// <summary>The farm in numbers. What the journal does not hold (polls, sightings) is given.</summary>
    /// <param name="state">The state.</param>
    /// <param name="name">The master's name.</param>
    /// <param name="sources">The sources as last polled.</param>
    /// <param name="builders">The builders as last seen.</param>
    /// <param name="troubles">What is wrong with repositories of others, by <see
    /// cref="MasterState.RepositoryKey"/>.</param>
    public static MasterStateDocument State(
        MasterState state,
        string name,
        ImmutableArray<SourceStatus> sources,
        ImmutableArray<BuilderStatus> builders,
        IReadOnlyDictionary<string, string> troubles) =>
        new()
        {
            Revision = state.Revision,
            Name = name,
            Counts = Count(state),
            Sources = sources,
            Builders = builders,
            Repositories = [.. Repositories(state, troubles)],
            Jobs = [.. OpenJobs(state).Take(MaxJobs).Select(job => Summary(state, job))],
            Advice = [.. LostLibraries.Tell(state).Take(MaxAdvice)],
            Reviews = [.. state.Reviews.Values.Take(MaxReviews).Select(Status)],
            Unreadable =
            [
                .. state.Unreadable.OrderBy(pair => pair.Key, StringComparer.Ordinal).Take(MaxUnreadable)
                    .Select(pair => new UnreadableStatus(
                        pair.Value.Name, MasterState.SourceOfPathKey(pair.Key), pair.Value.Path, pair.Value.Reason)),
            ],
        };

    private static ReviewStatus Status(PendingReview review) => new(
        review.Offered.Pkgbase, review.Offered.Version, review.Offered.Origin.Source, review.Offered.ArchiveSha256,
        review.Since, review.Rejected, review.Findings);

    /// <summary>How many packages are in which status.</summary>
    public static StatusCounts Count(MasterState state) => state.Readable with
    {
        Packages = state.Readable.Packages + state.Unreadable.Count,
        Failed = state.Readable.Failed + state.Unreadable.Count,
        Unreadable = state.Unreadable.Count,
    };

    /// <summary>A job in one line.</summary>
    public static JobSummary Summary(MasterState state, Job job) => new()
    {
        Id = job.Id,
        Pkgbase = job.Pkgbase,
        Version = job.Version,
        Architecture = job.Architecture,
        Status = job.Status,
        Reason = Why.Of(state, job),
        Attempt = job.Attempt,
        Builder = job.Builder ?? (job.Attempts is [.., var last] ? last.Builder : null),
        Since = job.Since,
    };

    /// <summary>The whole of a job.</summary>
    public static JobDocument Job(MasterState state, Job job) =>
        new() { Revision = state.Revision, Job = job, Reason = Why.Of(state, job) };

    /// <summary>All that is known of a package base.</summary>
    public static PackageDocument Package(MasterState state, string pkgbase)
    {
        var record = state.Packages.GetValueOrDefault(pkgbase);
        return new PackageDocument
        {
            Pkgbase = pkgbase,
            Source = record?.Source,
            Why = Why.Of(state, pkgbase),
            Review = state.Reviews.TryGetValue(pkgbase, out var review)
                ? Status(review) with { Diff = review.Diff }
                : null,
            Jobs = [.. (record?.Jobs ?? []).Reverse().Select(id => Summary(state, state.Jobs[id]))],
            Published = [.. Published(state, record)],
        };
    }

    /// <summary>The ready jobs, best first, each with how many jobs need it. They stand in this order, so that
    /// whoever takes a few pays for a few.</summary>
    public static IEnumerable<(Job Job, int Waiting)> ReadyJobs(MasterState state) => state.Queue
        .Select(place => state.Jobs[place.Job])
        .Where(job => job.Status == JobStatus.Ready)
        .Select(job => (job, CountWaiting(state, job)));

    /// <summary>Jobs that are not done: what builds, then what is ready, failed, blocked.</summary>
    public static IEnumerable<Job> OpenJobs(MasterState state) => state.Building
        .Concat(state.Ready)
        .Concat(state.Failed.Select(ended => ended.Job))
        .Concat(state.Blocked)
        .Select(id => state.Jobs[id]);

    /// <summary>A package's status: that of the least finished of its current jobs; built when it needs none.</summary>
    public static JobStatus StatusOf(MasterState state, PackageRecord record)
    {
        var status = JobStatus.Built;
        foreach (var id in record.Jobs)
        {
            var job = state.Jobs[id];
            if (job.IsOpen || job.Status == JobStatus.Failed)
                status = status == JobStatus.Built || job.Status < status ? job.Status : status;
        }

        return status;
    }

    private static ListedBuilder Listed(BuilderRecord builder) => new()
    {
        Name = builder.Name,
        Url = builder.Url,
        PublicKey = builder.PublicKey,
        Architectures = builder.Description.Architectures,
        Weight = builder.Description.Weight,
        Slots = builder.Description.Slots,
        MemoryBytes = builder.Description.MemoryBytes,
        Draining = builder.TakesNothing,
    };

    private static QueueJob Describe(
        MasterState state, Job job, string architecture, string snapshot, DateTimeOffset now)
    {
        var source = state.SourceOf(job)!;
        var traits = state.Settings!.Traits.GetValueOrDefault(architecture, ArchitectureTraits.None);
        return new QueueJob
        {
            Id = job.Id,
            Attempt = job.Attempt,
            Pkgbase = job.Pkgbase,
            Version = job.Version,
            Architecture = architecture,
            Accepts = traits.Accepts,
            Makepkg = traits.Makepkg,
            SourceSha256 = source.ArchiveSha256,
            SourceBytes = source.ArchiveBytes,
            Snapshot = job.Pinned ?? snapshot,
            BasePackages = state.Settings.BasePackages,
            Dependencies = source.DependenciesOn(architecture),
            Packages = Acceptance.Wanted(source, architecture),
            Packager = source.Packager,
            SourceDateEpoch = source.Origin.Time.ToUnixTimeSeconds(),
            Priority = job.Priority,
            EstimatedSeconds = job.EstimatedSeconds,
            MemoryBytes = state.Packages[job.Pkgbase].Cost?.MemoryBytes ?? 0,
            Wanted = Agreement.Wanted(job),
            Avoid = [.. Avoidance.Of(state.BuildersFor(job), job, now).Select(builder => builder.PublicKey)],
            ReadyAt = job.ReadyAt ?? job.Since,
            Limits = state.Settings.Limits,
        };
    }

    private static int CountWaiting(MasterState state, Job job)
    {
        var key = MasterState.PlanKey(state.Settings!.ArchitectureOf(job), job.Rebuild);
        if (!state.Plans.TryGetValue(key, out var plan)) return 0;
        return plan.PlannedNames.GetValueOrDefault(job.Id, [])
            .Sum(name => plan.Waiters.TryGetValue(name, out var waiters) ? waiters.Count : 0);
    }

    private static IEnumerable<RepositoryStatus> Repositories(
        MasterState state, IReadOnlyDictionary<string, string> troubles)
    {
        foreach (var own in state.Repositories.Values)
        {
            yield return new RepositoryStatus
            {
                Name = own.Name,
                Architecture = own.Architecture,
                Own = true,
                Packages = own.Packages.Count,
                DatabaseSha256 = own.DatabaseSha256,
            };
        }

        // Those that were never fetched are shown too: nothing is built without them.
        foreach (var outside in state.Settings?.Outside ?? [])
        {
            foreach (var architecture in state.Settings!.Architectures)
            {
                var key = MasterState.RepositoryKey(outside.Name, architecture);
                var pinned = state.Outside.GetValueOrDefault(key);
                yield return new RepositoryStatus
                {
                    Name = outside.Name,
                    Architecture = architecture,
                    Own = false,
                    Packages = pinned?.Index.Count ?? 0,
                    DatabaseSha256 = pinned?.Sha256,
                    Error = troubles.GetValueOrDefault(key),
                };
            }
        }
    }

    private static IEnumerable<RepositoryPackage> Published(MasterState state, PackageRecord? record)
    {
        if (record?.Source is not { } source) return [];
        return state.Repositories.Values
            .SelectMany(r => source.Packages.Select(p => r.Packages.GetValueOrDefault(p.Name)))
            .OfType<RepositoryPackage>()
            .Where(package => package.Pkgbase == source.Pkgbase);
    }
}
