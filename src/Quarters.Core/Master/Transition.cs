using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// One step of the master on its way: builders of the collections that change, and the names whose offers changed. At
/// the end every open job that waits for such a name is judged again, and no other.
/// </summary>
internal sealed class Transition
{
    private readonly MasterState _from;
    private readonly Dictionary<string, PlanBuilder> _plans = new(StringComparer.Ordinal);
    private readonly HashSet<string> _dirty = new(StringComparer.Ordinal), _publish = new(StringComparer.Ordinal);
    private readonly HashSet<string> _touchedJobs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _touchedPackages = new(StringComparer.Ordinal);
    private readonly ImmutableDictionary<string, Job>.Builder _jobs;
    private readonly JobsByStatus _byStatus;
    private readonly CostBook _costs;
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
        Packages = from.Packages.ToBuilder();
        Reviews = from.Reviews.ToBuilder();
        Unreadable = from.Unreadable.ToBuilder();
        Paths = from.Paths.ToBuilder();
        Sources = from.Sources.ToBuilder();
        Repositories = from.Repositories.ToBuilder();
        Outside = from.Outside.ToBuilder();
        _byStatus = new JobsByStatus(from);
        _costs = new CostBook(from);
        foreach (var (architecture, plan) in from.Plans) _plans[architecture] = new PlanBuilder(plan);
    }

    public DateTimeOffset Time { get; }

    public MasterSettings? Settings { get; private set; }

    public ImmutableSortedDictionary<string, BuilderRecord>.Builder Builders { get; }

    public ImmutableDictionary<string, SignalOutcome>.Builder Signals { get; }

    public ImmutableSortedDictionary<string, SignalMark> Marks { get; set; }

    public ImmutableList<RecordedChange> Changes { get; set; }

    public ImmutableSortedDictionary<string, Rebuild>.Builder Rebuilds { get; }

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

    /// <summary>A job that is wanted from now on: cycles and priorities change with it.</summary>
    private Job Opened(Job job)
    {
        var expected = _costs.Expected(Packages[job.Pkgbase]);
        _seeds.Add(job.Id);
        _reranked.Add(job.Pkgbase);
        return job with { Cut = [], BuiltAgainstOlder = [], EstimatedSeconds = expected, Priority = expected };
    }

    /// <summary>Puts a job in its new place, and judges it again at the end of the step.</summary>
    public void Rejudge(Job job)
    {
        SetJob(job);
        _dirty.Add(job.Id);
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

    /// <summary>The plan that judges jobs for an architecture: of a rebuild with all that is behind it.</summary>
    public ArchitecturePlan ViewOf(string architecture, string? rebuild)
    {
        var view = PlanOf(MasterState.PlanKey(architecture, rebuild)).View;
        if (rebuild is null) return view;
        var behind = PlanOf(architecture).View;
        return view with { Behind = behind, Outside = behind.Outside };
    }

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
        foreach (var pkgbase in Packages.Keys.ToList()) Plan(pkgbase);
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
        Resting.Wake(this, PlanOf(pinned.Architecture).View, pinned, before);
        _isSnapshotNew = true;
        // A database can change anything: everybody who still waits is judged again.
        _dirty.UnionWith(_byStatus.Blocked);
        _seeds.UnionWith(_byStatus.Blocked);
        _dirty.UnionWith(_byStatus.Ready);
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
        var plan = PlanOf(MasterState.PlanKey(architecture, rebuild));
        foreach (var (name, after) in replacements.Select(one => (one.Name, one.After)))
        {
            if (state.Packages.TryGetValue(name, out var old))
                MarkOwn(architecture, rebuild, plan.RemoveOwn(repository, old));
            state = state with { Packages = state.Packages.Remove(name) };
            if (after is null) continue;
            MarkOwn(architecture, rebuild, plan.AddOwn(repository, after));
            if (old?.Sha256 != after.Sha256) Resting.Wake(this, plan.View, after);
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

        foreach (var architecture in Settings!.Architectures)
            _plans.Remove(MasterState.PlanKey(architecture, repository));
        Rebuilds.Remove(repository);
        _isSnapshotNew = true;
    }

    /// <inheritdoc cref="Wants.Plan"/>
    public void Plan(string pkgbase) => Wants.Plan(this, pkgbase);

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
            var plan = PlanOf(MasterState.PlanKey(
                repository.Architecture, Rebuilds.ContainsKey(repository.Name) ? repository.Name : null));
            foreach (var package in repository.Packages.Values) plan.AddOwn(repository.Name, package);
        }

        foreach (var job in _jobs.Values.ToList())
        {
            Index(null, job);
            if (job.Status is JobStatus.Blocked or JobStatus.Ready) _dirty.Add(job.Id);
        }
    }

    public MasterStep Finish()
    {
        JudgeDirty();
        // Where nothing goes on, what changed may have made it possible to cut what could not be cut before.
        if (_touchedJobs.Count > 0 && _byStatus.IsIdle) _seeds.UnionWith(_byStatus.Blocked);
        Cycles.Cut(this, _seeds);
        JudgeDirty();
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
            Sources = Sources.ToImmutable(),
            Packages = Packages.ToImmutable(),
            Reviews = Reviews.ToImmutable(),
            Unreadable = Unreadable.ToImmutable(),
            Jobs = _jobs.ToImmutable(),
            Repositories = Repositories.ToImmutable(),
            Outside = Outside.ToImmutable(),
            Paths = Paths.ToImmutable(),
            Plans = _plans.ToImmutableDictionary(pair => pair.Key, pair => pair.Value.ToPlan(), StringComparer.Ordinal),
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
        if (job.IsOpen && isNew) _dirty.Add(job.Id);
        if (before is not null && OfferOf(before) == OfferOf(job)) return;

        var source = SourceOf(job);
        if (source is null && !_plans.ContainsKey(MasterState.PlanKey(JudgedFor(job), job.Rebuild))) return;
        foreach (var architecture in job.Architecture == "any" ? Settings?.Architectures ?? [] : [job.Architecture])
        {
            var plan = PlanOf(MasterState.PlanKey(architecture, job.Rebuild));
            MarkNames(plan, plan.RemoveJob(job.Id));
            if (OfferOf(job) is (false, false) || source is null) continue;
            MarkNames(plan, plan.AddPlanned(job.Id, source, architecture));
            if (architecture != JudgedFor(job)) continue;
            if (job.IsOpen) plan.AddWaiting(job.Id, source.DependenciesOn(architecture));
            else plan.AddResting(job.Id, source.DependenciesOn(architecture));
        }
    }

    /// <summary>What others may expect of a job: something to come, something that failed, or nothing (any
    /// more).</summary>
    private static (bool ToCome, bool Failed) OfferOf(Job job) => (job.IsOpen, job.Status == JobStatus.Failed);

    private void MarkNames(PlanBuilder plan, IEnumerable<string> names)
    {
        foreach (var name in names) _dirty.UnionWith(plan.WaitersOf(name));
    }

    /// <summary>What our own repositories hold, rebuilds see too.</summary>
    private void MarkOwn(string architecture, string? rebuild, List<string> names)
    {
        MarkNames(PlanOf(MasterState.PlanKey(architecture, rebuild)), names);
        if (rebuild is not null) return;
        foreach (var side in Rebuilds.Keys) MarkNames(PlanOf(MasterState.PlanKey(architecture, side)), names);
    }

    private void JudgeDirty()
    {
        // Judging changes no offer, so that one round is enough.
        foreach (var id in _dirty.Order(StringComparer.Ordinal).ToList())
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
        }

        _dirty.Clear();
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

    private void DeriveOutside(string architecture) => PlanOf(architecture).SetOutside(
        [.. (Settings?.Outside ?? [])
            .Select(o => Outside.GetValueOrDefault(MasterState.RepositoryKey(o.Name, architecture))?.Index)
            .OfType<PackageIndex>()]);

    private PlanBuilder PlanOf(string architecture) =>
        _plans.TryGetValue(architecture, out var plan)
            ? plan
            : _plans[architecture] = new PlanBuilder(new ArchitecturePlan());
}
