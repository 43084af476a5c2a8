using Quarters.Alpm;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>Who provides a dependency.</summary>
/// <param name="Pkgbase">The package base of ours; null where it comes from a repository of others.</param>
/// <param name="Offer">The package and version, or the provision, that satisfies it.</param>
/// <param name="Repository">The repository that holds it; null where it is still to be built.</param>
/// <param name="Status">How far its build is; null where a repository holds it.</param>
internal sealed record Provider(string? Pkgbase, string Offer, string? Repository, JobStatus? Status)
{
    /// <summary>The provider of a relation, ours before others', as a build would find it.</summary>
    internal static Provider? Of(MasterState state, string architecture, string relationText)
    {
        if (!Relation.TryParse(relationText, out var relation) || !state.Plans.TryGetValue(architecture, out var plan))
            return null;
        return Planned(state, plan, relation)
            ?? Own(state, architecture, plan, relation)
            ?? Outside(state, plan, relation);
    }

    // What is to be built, or failed, comes first: a build waits for it even where an older one would do.
    private static Provider? Planned(MasterState state, ArchitecturePlan plan, Relation relation)
    {
        var provision = Best(plan.Planned.GetValueOrDefault(relation.Name, []), relation);
        if (provision is null) return null;
        var job = state.Jobs[provision.Owner];
        return new Provider(job.Pkgbase, provision.As.ToString(), null, job.Status);
    }

    private static Provider? Own(MasterState state, string architecture, ArchitecturePlan plan, Relation relation)
    {
        var offered = plan.Own.GetValueOrDefault(relation.Name, []);
        foreach (var name in state.Settings?.Repositories ?? [])
        {
            // An owner is REPOSITORY/PACKAGE: two repositories may hold a package of one name.
            if (Best(offered.Where(p => p.Owner == $"{name}/{p.Package}"), relation) is not { } provision) continue;
            var repository = state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(name, architecture));
            if (repository?.Packages.GetValueOrDefault(provision.Package) is { } package)
                return new Provider(package.Pkgbase, provision.As.ToString(), name, null);
        }

        return null;
    }

    private static Provider? Outside(MasterState state, ArchitecturePlan plan, Relation relation)
    {
        foreach (var index in plan.Outside)
        {
            if (Best(index.Find(relation.Name), relation) is not { } provision) continue;
            var repository = state.Outside.Values.FirstOrDefault(pinned => ReferenceEquals(pinned.Index, index));
            var offer = provision.IsPackage ? provision.As.ToString() : $"{provision.Owner} ({provision.As})";
            return new Provider(null, offer, repository?.Name ?? "a repository of others", null);
        }

        return null;
    }

    private static Provision? Best(IEnumerable<Provision> provisions, Relation relation) =>
        provisions.Where(p => relation.IsSatisfiedBy(p.As)).OrderByDescending(p => p.IsPackage).FirstOrDefault();
}
