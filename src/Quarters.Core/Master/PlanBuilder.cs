using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>The plan of one architecture while a step changes it. Every change tells which names it touched.</summary>
internal sealed class PlanBuilder(ArchitecturePlan plan)
{
    /// <summary>The plan as it stands now.</summary>
    public ArchitecturePlan View { get; private set; } = plan;

    public ArchitecturePlan ToPlan() => View;

    public IEnumerable<string> WaitersOf(string name) => View.Waiters.TryGetValue(name, out var waiters) ? waiters : [];

    public void SetOutside(ImmutableArray<PackageIndex> indexes) => View = View with { Outside = indexes };

    /// <summary>Adds a package of our own repositories; returns the names it offers.</summary>
    public List<string> AddOwn(RepositoryPackage package)
    {
        var names = new List<string>();
        var own = View.Own;
        foreach (var provision in Provision.Of(package.Name, package.Version, package.Provides))
        {
            names.Add(provision.As.Name);
            own = own.SetItem(provision.As.Name, own.GetValueOrDefault(provision.As.Name, []).Add(provision));
        }

        View = View with { Own = own };
        return names;
    }

    /// <summary>Takes a package of our own repositories away; returns the names it offered.</summary>
    public List<string> RemoveOwn(RepositoryPackage package)
    {
        var names = Provision.Of(package.Name, package.Version, package.Provides).Select(p => p.As.Name).ToList();
        View = View with { Own = Without(View.Own, names, package.Name) };
        return names;
    }

    /// <summary>Adds what a job would yield; returns the names.</summary>
    public ImmutableArray<string> AddPlanned(string job, SourcePackage source, string architecture)
    {
        var names = new List<string>();
        var planned = View.Planned;
        foreach (var output in source.Packages)
        {
            var provides = output.Provides.AddRange(output.ProvidesByArchitecture.GetValueOrDefault(architecture, []));
            foreach (var provision in Provision.Of(output.Name, source.Version, provides, job))
            {
                // A provision without version, or of one that only the build knows, is taken at its name.
                names.Add(provision.As.Name);
                planned = planned.SetItem(
                    provision.As.Name, planned.GetValueOrDefault(provision.As.Name, []).Add(provision));
            }
        }

        ImmutableArray<string> all = [.. names.Distinct(StringComparer.Ordinal)];
        View = View with { Planned = planned, PlannedNames = View.PlannedNames.SetItem(job, all) };
        return all;
    }

    /// <summary>Notes which names a job needs.</summary>
    public void AddWaiting(string job, ImmutableArray<string> relations)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var text in relations)
        {
            if (Relation.TryParse(text, out var relation)) names.Add(relation.Name);
        }

        var waiters = View.Waiters;
        foreach (var name in names)
            waiters = waiters.SetItem(name, (waiters.GetValueOrDefault(name) ?? []).Add(job));
        View = View with { Waiters = waiters, NeededNames = View.NeededNames.SetItem(job, [.. names]) };
    }

    /// <summary>Forgets what a job offers and needs; returns the names it offered.</summary>
    public ImmutableArray<string> RemoveJob(string job)
    {
        var offered = View.PlannedNames.GetValueOrDefault(job, []);
        var waiters = View.Waiters;
        foreach (var name in View.NeededNames.GetValueOrDefault(job, []))
        {
            var left = waiters[name].Remove(job);
            waiters = left.IsEmpty ? waiters.Remove(name) : waiters.SetItem(name, left);
        }

        View = View with
        {
            Planned = Without(View.Planned, offered, job),
            PlannedNames = View.PlannedNames.Remove(job),
            Waiters = waiters,
            NeededNames = View.NeededNames.Remove(job),
        };
        return offered;
    }

    private static ImmutableDictionary<string, ImmutableArray<Provision>> Without(
        ImmutableDictionary<string, ImmutableArray<Provision>> offers, IEnumerable<string> names, string owner)
    {
        foreach (var name in names)
        {
            if (!offers.TryGetValue(name, out var provisions)) continue;
            var left = provisions.RemoveAll(p => p.Owner == owner);
            offers = left.IsEmpty ? offers.Remove(name) : offers.SetItem(name, left);
        }

        return offers;
    }
}
