using System.Collections.Immutable;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// What may be depended on, for each architecture and in each rebuild, while a step changes it. Whoever waits for a
/// name whose offers change is to be judged again, and nobody else.
/// </summary>
internal sealed class PlanBook
{
    private readonly Dictionary<string, PlanBuilder> _plans = new(StringComparer.Ordinal);
    private readonly HashSet<string> _stale = new(StringComparer.Ordinal);

    public PlanBook(MasterState from)
    {
        foreach (var (key, plan) in from.Plans) _plans[key] = new PlanBuilder(plan);
    }

    /// <summary>The plan that judges jobs for an architecture: of a rebuild with all that is behind it.</summary>
    public ArchitecturePlan ViewOf(string architecture, string? rebuild)
    {
        var view = Of(architecture, rebuild).View;
        if (rebuild is null) return view;
        var behind = Of(architecture, null).View;
        return view with { Behind = behind, Outside = behind.Outside };
    }

    /// <summary>The plan that judges jobs of a stage of a bootstrap: with the stage before behind it, and the
    /// seeds.</summary>
    public ArchitecturePlan ViewOfStage(
        string architecture, string stage, string? before, ImmutableArray<PackageIndex> seeds) =>
        Of(architecture, stage).View with
        {
            Behind = before is null ? null : Of(architecture, before).View,
            Outside = seeds,
        };

    /// <summary>Whether anything was ever planned there.</summary>
    public bool Holds(string architecture, string? rebuild) =>
        _plans.ContainsKey(MasterState.PlanKey(architecture, rebuild));

    /// <summary>Everything is derived anew.</summary>
    public void Clear() => _plans.Clear();

    /// <summary>Nobody builds against a rebuild's plan any more.</summary>
    public void Forget(string architecture, string rebuild) =>
        _plans.Remove(MasterState.PlanKey(architecture, rebuild));

    public void SetOutside(string architecture, ImmutableArray<PackageIndex> indexes) =>
        Of(architecture, null).SetOutside(indexes);

    /// <summary>A repository of ours holds something else under a name. What is not in a rebuild's own repository the
    /// rebuilds see too.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="before">What it held; null for nothing.</param>
    /// <param name="after">What it holds; null for nothing.</param>
    /// <param name="rebuilds">The rebuilds there are.</param>
    public void Replace(
        string repository, string architecture, RepositoryPackage? before, RepositoryPackage? after,
        IEnumerable<string> rebuilds)
    {
        var sides = rebuilds.ToList();
        var rebuild = sides.Find(side => side == repository);
        var plan = Of(architecture, rebuild);
        var names = new List<string>();
        if (before is not null) names.AddRange(plan.RemoveOwn(repository, before));
        if (after is not null) names.AddRange(plan.AddOwn(repository, after));
        MarkWaiters(plan, names);
        if (rebuild is not null) return;
        foreach (var side in sides) MarkWaiters(Of(architecture, side), names);
    }

    /// <summary>A job offers, and waits for, something else than before.</summary>
    /// <param name="job">The job.</param>
    /// <param name="source">What it builds; null when that is not known any more.</param>
    /// <param name="architectures">The architectures that its packages are for.</param>
    /// <param name="judgedFor">The one of these that judges it.</param>
    public void Replan(Job job, SourcePackage? source, IEnumerable<string> architectures, string judgedFor)
    {
        foreach (var architecture in architectures)
        {
            var plan = Of(architecture, job.Rebuild);
            MarkWaiters(plan, plan.RemoveJob(job.Id));
            if (source is null || !(job.IsOpen || job.Status == JobStatus.Failed)) continue;
            MarkWaiters(plan, plan.AddPlanned(job.Id, source, architecture));
            if (architecture != judgedFor) continue;
            if (job.IsOpen) plan.AddWaiting(job.Id, source.DependenciesOn(architecture));
            else plan.AddResting(job.Id, source.DependenciesOn(architecture));
        }
    }

    /// <summary>These are to be judged again.</summary>
    public void Mark(IEnumerable<string> jobs) => _stale.UnionWith(jobs);

    /// <summary>Who is to be judged again, in an order that is the same in every run; from now on nobody.</summary>
    public IReadOnlyList<string> TakeStale()
    {
        var stale = _stale.Order(StringComparer.Ordinal).ToList();
        _stale.Clear();
        return stale;
    }

    public ImmutableDictionary<string, ArchitecturePlan> ToImmutable() =>
        _plans.ToImmutableDictionary(pair => pair.Key, pair => pair.Value.ToPlan(), StringComparer.Ordinal);

    private void MarkWaiters(PlanBuilder plan, IEnumerable<string> names)
    {
        foreach (var name in names) _stale.UnionWith(plan.WaitersOf(name));
    }

    private PlanBuilder Of(string architecture, string? rebuild)
    {
        var key = MasterState.PlanKey(architecture, rebuild);
        return _plans.TryGetValue(key, out var plan) ? plan : _plans[key] = new PlanBuilder(new ArchitecturePlan());
    }
}
