using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// One step of the master on its way: builders of the collections that change. At the end every open job that waits for
/// a name whose offers changed is judged again, and no other.
/// </summary>
internal sealed class Transition
{
    private readonly MasterState _from;
    private readonly HashSet<string> _forgotten = new(StringComparer.Ordinal);
    private readonly HashSet<(string Architecture, string Name)> _replaced = [];
    private readonly HashSet<string> _publish = new(StringComparer.Ordinal);
    private readonly HashSet<string> _touchedJobs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _touchedPackages = new(StringComparer.Ordinal);
    private readonly ImmutableDictionary<string, Job>.Builder _jobs;
    private readonly JobsByStatus _byStatus;
    private readonly CostBook _costs;
    private readonly PlanBook _plans;
    private readonly HashSet<string> _seeds = new(StringComparer.Ordinal), _reranked = new(StringComparer.Ordinal);
    private bool _isSnapshotNew, _isDerivedAnew;

    public Transition(MasterState from, DateTimeOffset time)
    {
        _from = from;
        Time = time;
        Settings = from.Settings;
        _jobs = from.Jobs.ToBuilder();
        Builders = from.Builders.ToBuilder();
        Signals = from.Signals.ToBuilder();
        Marks = from.OperatorMarks;
        Changes = from.Changes;
        Rebuilds = from.Rebuilds.ToBuilder();
        Bootstraps = from.Bootstraps.ToBuilder();
        Lost = from.Lost.ToBuilder();
        Packages = from.Packages.ToBuilder();
        Reviews = from.Reviews.ToBuilder();
        Unreadable = from.Unreadable.ToBuilder();
        Paths = from.Paths.ToBuilder();
        Sources = from.Sources.ToBuilder();
        Repositories = from.Repositories.ToBuilder();
        Outside = from.Outside.ToBuilder();
        _byStatus = new JobsByStatus(from);
        _costs = new CostBook(from);
        _plans = new PlanBook(from);
    }

    public DateTimeOffset Time { get; }

    public MasterSettings? Settings { get; private set; }

    public ImmutableSortedDictionary<string, BuilderRecord>.Builder Builders { get; }

    public ImmutableDictionary<string, SignalOutcome>.Builder Signals { get; }

    public ImmutableSortedDictionary<string, SignalMark> Marks { get; set; }

    public ImmutableList<RecordedChange> Changes { get; set; }

    public ImmutableSortedDictionary<string, Rebuild>.Builder Rebuilds { get; }

    public ImmutableSortedDictionary<string, Bootstrap>.Builder Bootstraps { get; }

    public ImmutableSortedDictionary<string, LostLibrary>.Builder Lost { get; }

    /// <summary>The revision of the state that this step leads to.</summary>
    public long Revision => _from.Revision + 1;

    public IEnumerable<Job> BuildingJobs => _byStatus.Building.Select(id => _jobs[id]);

    public ImmutableDictionary<string, PackageRecord>.Builder Packages { get; }

    public ImmutableSortedDictionary<string, PendingReview>.Builder Reviews { get; }

    public ImmutableDictionary<string, UnreadablePackage>.Builder Unreadable { get; }

    public ImmutableDictionary<string, string>.Builder Paths { get; }

    public ImmutableSortedDictionary<string, SourceState>.Builder Sources { get; }

    public ImmutableDictionary<string, SnapshotRecord> Offered => _from.Snapshots;

    public ImmutableSortedDictionary<string, RepositoryState>.Builder Repositories { get; }

    private ImmutableSortedDictionary<string, PinnedRepository>.Builder Outside { get; }

    public IReadOnlyDictionary<string, Job> Jobs => _jobs;

    public Job? FindJob(string id) => _jobs.TryGetValue(id, out var job) ? job : null;

    public void TouchPackage(string pkgbase) => _touchedPackages.Add(pkgbase);

    /// <summary>Puts a job in its new place, and everything that is found by its status with it.</summary>
    public void SetJob(Job job)
    {
        var before = FindJob(job.Id);
        if (before is null || before.Status != job.Status) job = job with { Since = Time };
        if (job.IsOpen && before is not { IsOpen: true }) job = Opened(job);
        _jobs[job.Id] = job;
        _touchedJobs.Add(job.Id);
        _touchedPackages.Add(job.Pkgbase);
        // What it waited for is not needed so much any more.
        if (before is { IsOpen: true } && !job.IsOpen) NoteWaiting(before.Blockers, []);
        Index(before, job);
    }

    /// <summary>Forgets a job that ended.</summary>
    public void ForgetJob(Job job)
    {
        _byStatus.Remove(job);
        _jobs.Remove(job.Id);
        _touchedJobs.Remove(job.Id);
    }

    /// <summary>Forgets snapshots that nobody builds against.</summary>
    public void ForgetSnapshots(IEnumerable<string> ids) => _forgotten.UnionWith(ids);

    /// <summary>A job that is wanted from now on: cycles and priorities change with it.</summary>
    private Job Opened(Job job)
    {
        var expected = _costs.Expected(Packages[job.Pkgbase]);
        _seeds.Add(job.Id);
        _reranked.Add(job.Pkgbase);
        return job with
        {
            Cut = [],
            BuiltAgainstOlder = [],
            EstimatedSeconds = expected,
            Priority = expected,
            Wanted = Settings!.WantedBuilds(job),
        };
    }

    /// <summary>Puts a job in its new place, and judges it again at the end of the step.</summary>
    public void Rejudge(Job job)
    {
        SetJob(job);
        _plans.Mark([job.Id]);
    }

    /// <summary>Gives a job its priority. That alone is no news of the job.</summary>
    public void SetPriority(Job job, double priority)
    {
        if (job.Priority == priority) return;
        _jobs[job.Id] = job with { Priority = priority };
        _byStatus.Move(job, _jobs[job.Id]);
    }

    public void RecordCost(string pkgbase, BuildResult result) => Packages[pkgbase] =
        _costs.Record(pkgbase, Packages[pkgbase], result, Settings!.Limits);

    /// <inheritdoc cref="PlanBook.ViewOf"/>
    public ArchitecturePlan ViewOf(string architecture, string? rebuild) =>
        rebuild is not null && Rebuilds.GetValueOrDefault(rebuild)?.Stage is { } stage
            ? _plans.ViewOfStage(architecture, rebuild, stage.Before, OutsideOf(architecture, stage.Seeds))
            : _plans.ViewOf(architecture, rebuild);

    /// <inheritdoc cref="MasterState.SourceOf(Job)"/>
    public SourcePackage? SourceOf(Job job) => MasterState.SourceOf(job, Packages, Rebuilds);

    public void Configure(MasterSettings settings)
    {
        var before = Settings;
        Settings = settings;
        _isSnapshotNew = true;
        foreach (var pair in Outside.ToList())
        {
            if (!settings.Outside.Any(o => o.Name == pair.Value.Name)
                || !settings.Architectures.Contains(pair.Value.Architecture))
                Outside.Remove(pair.Key);
        }

        DeriveAll();
        Listing.Configure(this, settings);
        AnyPackages.Spread(this, before);
        foreach (var job in _jobs.Values.Where(one => one.IsOpen && one.Wanted != settings.WantedBuilds(one)).ToList())
            SetJob(job with { Wanted = settings.WantedBuilds(job) });
        foreach (var pkgbase in Packages.Keys.ToList()) Wants.Plan(this, pkgbase);
    }

    public void Pin(OutsidePinned pinned)
    {
        var key = MasterState.RepositoryKey(pinned.Repository, pinned.Architecture);
        var before = Outside.GetValueOrDefault(key)?.Index;
        Outside[key] = new PinnedRepository
        {
            Name = pinned.Repository,
            Architecture = pinned.Architecture,
            Sha256 = pinned.Sha256,
            Bytes = pinned.Bytes,
            Index = pinned.Index,
        };
        DeriveOutside(pinned.Architecture);
        Resting.Wake(this, ViewOf(pinned.Architecture, null), pinned, before);
        _isSnapshotNew = true;
        // A database can change anything: everybody who still waits is judged again.
        _plans.Mark(_byStatus.Blocked);
        _plans.Mark(_byStatus.Ready);
        _seeds.UnionWith(_byStatus.Blocked);
    }

    public void Publish(RepositoryPublished published)
    {
        var key = MasterState.RepositoryKey(published.Repository, published.Architecture);
        Repositories[key] = Repository(published.Repository, published.Architecture) with
        {
            DatabaseSha256 = published.Sha256,
            DatabaseBytes = published.Bytes,
        };
        _isSnapshotNew = true;
    }

    /// <summary>Puts packages into a repository in place of their older versions.</summary>
    public void AddToRepository(string repository, string architecture, ImmutableArray<RepositoryPackage> packages) =>
        ChangeRepository(repository, architecture, [.. packages.Select(
            package => new Replacement(repository, architecture, package.Name, null, package))]);

    /// <summary>Has a repository hold something else under some names.</summary>
    public void ChangeRepository(string repository, string architecture, ImmutableArray<Replacement> replacements)
    {
        var key = MasterState.RepositoryKey(repository, architecture);
        var state = Repository(repository, architecture);
        var rebuild = Rebuilds.ContainsKey(repository) ? repository : null;
        foreach (var (name, after) in replacements.Select(one => (one.Name, one.After)))
        {
            var old = state.Packages.GetValueOrDefault(name);
            _plans.Replace(repository, architecture, old, after, Rebuilds.Keys);
            if (rebuild is null) _replaced.Add((architecture, name));
            state = state with { Packages = state.Packages.Remove(name) };
            if (after is null) continue;
            if (old?.Sha256 != after.Sha256) Resting.Wake(this, ViewOf(architecture, rebuild), after);
            state = state with { Packages = state.Packages.SetItem(name, after with { Since = Time }) };
        }

        Repositories[key] = state with { DatabaseSha256 = null };
        _publish.Add(key);
    }

    /// <summary>Forgets a rebuild's side repository, with its plans: nobody builds against it any more.</summary>
    public void ForgetRepository(string repository)
    {
        foreach (var key in Repositories.Where(pair => pair.Value.Name == repository).Select(pair => pair.Key).ToList())
        {
            Repositories.Remove(key);
            _publish.Remove(key);
        }

        foreach (var architecture in Settings!.Architectures) _plans.Forget(architecture, repository);
        Rebuilds.Remove(repository);
        _isSnapshotNew = true;
    }

    /// <summary>Makes everything that is derived anew, from the facts.</summary>
    public void DeriveAll()
    {
        _plans.Clear();
        Paths.Clear();
        _byStatus.Clear();
        _isDerivedAnew = true;
        _costs.Derive(Packages);
        foreach (var (name, record) in Packages)
        {
            if (record.Source is { } source)
                Paths[MasterState.PathKey(source.Origin.Source, source.Origin.Path)] = name;
        }

        foreach (var (name, review) in Reviews)
            Paths[MasterState.PathKey(review.Offered.Origin.Source, review.Offered.Origin.Path)] = name;

        foreach (var architecture in Settings?.Architectures ?? []) DeriveOutside(architecture);
        foreach (var repository in Repositories.Values)
        {
            foreach (var package in repository.Packages.Values)
                _plans.Replace(repository.Name, repository.Architecture, null, package, Rebuilds.Keys);
        }

        foreach (var job in _jobs.Values.ToList())
        {
            Index(null, job);
            if (job.Status is JobStatus.Blocked or JobStatus.Ready) _plans.Mark([job.Id]);
        }
    }

    public MasterStep Finish()
    {
        if (_replaced.Count > 0) LostLibraries.Review(this, _from, _replaced);
        JudgeStale();
        // Where nothing goes on, what changed may have made it possible to cut what could not be cut before.
        if (_touchedJobs.Count > 0 && _byStatus.IsIdle) _seeds.UnionWith(_byStatus.Blocked);
        Cycles.Cut(this, _seeds);
        JudgeStale();
        Priorities.Update(this, _reranked);
        var state = _costs.Into(ToState());
        if (_isSnapshotNew) state = Snapshots.Offer(state, Time);
        return new MasterStep(state, [.. _touchedJobs], [.. _touchedPackages], [.. _publish]);
    }

    private MasterState ToState()
    {
        var next = _byStatus.Into(_from with
        {
            Revision = Revision,
            Settings = Settings,
            Builders = Builders.ToImmutable(),
            Signals = Signals.ToImmutable(),
            OperatorMarks = Marks,
            Changes = Changes,
            Rebuilds = Rebuilds.ToImmutable(),
            Bootstraps = Bootstraps.ToImmutable(),
            Lost = Lost.ToImmutable(),
            Sources = Sources.ToImmutable(),
            Packages = Packages.ToImmutable(),
            Reviews = Reviews.ToImmutable(),
            Unreadable = Unreadable.ToImmutable(),
            Jobs = _jobs.ToImmutable(),
            Repositories = Repositories.ToImmutable(),
            Outside = Outside.ToImmutable(),
            Paths = Paths.ToImmutable(),
            Plans = _plans.ToImmutable(),
            Snapshots = _from.Snapshots.RemoveRange(_forgotten),
        });
        return next with { Readable = _isDerivedAnew ? Tally.Of(next) : Tally.After(_from, next, _touchedPackages) };
    }

    /// <summary>The architecture whose plan judges a job: that of its builder; for <c>any</c> the first.</summary>
    public string JudgedFor(Job job) => Settings!.ArchitectureOf(job);

    public RepositoryState Repository(string name, string architecture) =>
        Repositories.TryGetValue(MasterState.RepositoryKey(name, architecture), out var state)
            ? state
            : new RepositoryState { Name = name, Architecture = architecture };

    private void Index(Job? before, Job job)
    {
        _byStatus.Move(before, job);
        var isNew = before is null || !before.IsOpen || before.Status == JobStatus.Building
            || before.Attempt != job.Attempt;
        if (job.IsOpen && isNew) _plans.Mark([job.Id]);
        if (before is not null && OfferOf(before) == OfferOf(job)) return;

        var source = SourceOf(job);
        var judgedFor = JudgedFor(job);
        if (source is null && !_plans.Holds(judgedFor, job.Rebuild)) return;
        _plans.Replan(
            job, source, job.Architecture == "any" ? Settings!.Architectures : [job.Architecture], judgedFor);
    }

    /// <summary>What others may expect of a job: something to come, something that failed, or nothing (any
    /// more).</summary>
    private static (bool ToCome, bool Failed) OfferOf(Job job) => (job.IsOpen, job.Status == JobStatus.Failed);

    private void JudgeStale()
    {
        // Judging changes no offer, so that one round is enough.
        foreach (var id in _plans.TakeStale())
        {
            var job = _jobs[id];
            if (job.Status is not (JobStatus.Blocked or JobStatus.Ready)) continue;
            var architecture = JudgedFor(job);
            var needs = SourceOf(job)!.DependenciesOn(architecture);
            var found = Readiness.Judge(ViewOf(architecture, job.Rebuild), _jobs, job, needs);
            var status = found.Blockers.IsEmpty ? JobStatus.Ready : JobStatus.Blocked;
            if (status == job.Status && found.Blockers.SequenceEqual(job.Blockers)
                && found.Older.SequenceEqual(job.BuiltAgainstOlder)) continue;
            if (NoteWaiting(job.Blockers, found.Blockers)) _seeds.Add(id);
            var readyAt = status == JobStatus.Ready && job.Status != JobStatus.Ready ? Time : job.ReadyAt;
            job = job with { Status = status, Blockers = found.Blockers, BuiltAgainstOlder = found.Older };
            SetJob(job with { ReadyAt = readyAt });
            // What was built before that is of something else than what will be.
            if (status == JobStatus.Blocked && Agreement.WitnessesOf(job).Any())
                Attempts.Reopen(this, _jobs[id], "what it depends on is built anew");
        }
    }

    /// <summary>Notes whose priority changes with those who wait for it; returns whether the job waits for somebody
    /// whom it did not wait for before.</summary>
    private bool NoteWaiting(ImmutableArray<Blocker> before, ImmutableArray<Blocker> now)
    {
        var come = now.Where(b => b.Kind == BlockerKind.Waiting).Select(b => b.Pkgbase!).ToHashSet();
        var changed = before.Where(b => b.Kind == BlockerKind.Waiting).Select(b => b.Pkgbase!).ToHashSet();
        changed.SymmetricExceptWith(come);
        _reranked.UnionWith(changed);
        return changed.Overlaps(come);
    }

    private void DeriveOutside(string architecture) => _plans.SetOutside(
        architecture, OutsideOf(architecture, (Settings?.Outside ?? []).Select(outside => outside.Name)));

    private ImmutableArray<PackageIndex> OutsideOf(string architecture, IEnumerable<string> names) =>
    [
        .. names.Select(name => Outside.GetValueOrDefault(MasterState.RepositoryKey(name, architecture))?.Index)
            .OfType<PackageIndex>(),
    ];
}
