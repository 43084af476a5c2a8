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
    public List<string> AddOwn(string repository, RepositoryPackage package)
    {
        var names = new List<string>();
        var own = View.Own;
        var owner = OwnerOf(repository, package);
        foreach (var provision in Provision.Of(package.Name, package.Version, package.Provides, owner))
        {
            names.Add(provision.As.Name);
            own = own.SetItem(provision.As.Name, own.GetValueOrDefault(provision.As.Name, []).Add(provision));
        }

        View = View with { Own = own };
        return names;
    }

    /// <summary>Takes a package of our own repositories away; returns the names it offered.</summary>
    public List<string> RemoveOwn(string repository, RepositoryPackage package)
    {
        var names = Provision.Of(package.Name, package.Version, package.Provides).Select(p => p.As.Name).ToList();
        View = View with { Own = Without(View.Own, names, OwnerOf(repository, package)) };
        return names;
    }

    /// <summary>Two repositories may hold a package of one name, and one may lose it.</summary>
    private static string OwnerOf(string repository, RepositoryPackage package) => repository + "/" + package.Name;

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

    /// <summary>Notes which names an open job needs.</summary>
    public void AddWaiting(string job, ImmutableArray<string> relations)
    {
        var names = NamesOf(relations);
        View = View with
        {
            Waiters = With(View.Waiters, names, job),
            NeededNames = View.NeededNames.SetItem(job, [.. names]),
        };
    }

    /// <summary>Notes which names a failed job needs.</summary>
    public void AddResting(string job, ImmutableArray<string> relations)
    {
        var names = NamesOf(relations);
        View = View with
        {
            Resting = With(View.Resting, names, job),
            NeededNames = View.NeededNames.SetItem(job, [.. names]),
        };
    }

    private static HashSet<string> NamesOf(ImmutableArray<string> relations)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var text in relations)
        {
            if (Relation.TryParse(text, out var relation)) names.Add(relation.Name);
        }

        return names;
    }

    /// <summary>Forgets what a job offers and needs; returns the names it offered.</summary>
    public ImmutableArray<string> RemoveJob(string job)
    {
        var offered = View.PlannedNames.GetValueOrDefault(job, []);
        var needed = View.NeededNames.GetValueOrDefault(job, []);
        View = View with
        {
            Planned = Without(View.Planned, offered, job),
            PlannedNames = View.PlannedNames.Remove(job),
            Waiters = Without(View.Waiters, needed, job),
            Resting = Without(View.Resting, needed, job),
            NeededNames = View.NeededNames.Remove(job),
        };
        return offered;
    }

    private static ImmutableDictionary<string, ImmutableHashSet<string>> With(
        ImmutableDictionary<string, ImmutableHashSet<string>> index, IEnumerable<string> names, string job)
    {
        foreach (var name in names)
            index = index.SetItem(name, (index.GetValueOrDefault(name) ?? []).Add(job));
        return index;
    }

    private static ImmutableDictionary<string, ImmutableHashSet<string>> Without(
        ImmutableDictionary<string, ImmutableHashSet<string>> index, IEnumerable<string> names, string job)
    {
        foreach (var name in names)
        {
            if (!index.TryGetValue(name, out var jobs)) continue;
            var left = jobs.Remove(job);
            index = left.IsEmpty ? index.Remove(name) : index.SetItem(name, left);
        }

        return index;
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
