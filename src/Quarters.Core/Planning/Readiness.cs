using System.Collections.Immutable;
using Quarters.Alpm;

namespace Quarters.Core.Planning;

/// <summary>
/// When may a package be built? When every relation that must be installed for makepkg is satisfied by what the
/// repositories hold, and nobody who would provide it is itself waiting to be built.
/// </summary>
internal static class Readiness
{
    /// <summary>What keeps this job from being built, in the order of its dependencies; empty when nothing
    /// does.</summary>
    /// <param name="plan">Who offers what.</param>
    /// <param name="jobs">The jobs by id, for the status of planned providers.</param>
    /// <param name="job">The job to judge.</param>
    /// <param name="relations">Its dependencies.</param>
    public static ImmutableArray<Blocker> Judge(
        ArchitecturePlan plan, IReadOnlyDictionary<string, Job> jobs, Job job, ImmutableArray<string> relations)
    {
        var blockers = ImmutableArray.CreateBuilder<Blocker>();
        foreach (var text in relations)
        {
            if (!Relation.TryParse(text, out var relation))
                blockers.Add(new Blocker(BlockerKind.Missing, text, null));
            else if (Judge(plan, jobs, job, relation) is { } blocker)
                blockers.Add(blocker);
        }

        return blockers.ToImmutable();
    }

    /// <summary>Whether a package that is there already satisfies the relation.</summary>
    public static bool IsSatisfied(ArchitecturePlan plan, Relation relation) =>
        SatisfiedBy(plan, relation) != Offer.None;

    private static Blocker? Judge(
        ArchitecturePlan plan, IReadOnlyDictionary<string, Job> jobs, Job job, Relation relation)
    {
        var offer = SatisfiedBy(plan, relation);
        if (offer != Offer.None && job.BuiltAgainstOlder.Contains(relation.ToString())) return null;

        Job? failed = null;
        foreach (var planned in plan.Planned.GetValueOrDefault(relation.Name, []))
        {
            var provider = jobs[planned.Owner];
            if (provider.Pkgbase == job.Pkgbase || !relation.IsSatisfiedBy(planned.As)) continue;
            // Where the package of that name is there, others that merely provide it are not waited for.
            if (offer == Offer.Package && !planned.IsPackage) continue;
            if (provider.IsOpen) return new Blocker(BlockerKind.Waiting, relation.ToString(), provider.Pkgbase);
            failed = provider;
        }

        if (offer != Offer.None) return null;
        return failed is null
            ? new Blocker(BlockerKind.Missing, relation.ToString(), null)
            : new Blocker(BlockerKind.Failed, relation.ToString(), failed.Pkgbase);
    }

    private static Offer SatisfiedBy(ArchitecturePlan plan, Relation relation)
    {
        var best = Best(plan.Own.GetValueOrDefault(relation.Name, []), relation);
        foreach (var repository in plan.Outside)
        {
            if (best == Offer.Package) break;
            best = (Offer)Math.Max((int)best, (int)Best(repository.Find(relation.Name), relation));
        }

        return best;
    }

    private static Offer Best(ImmutableArray<Provision> provisions, Relation relation)
    {
        var best = Offer.None;
        foreach (var provision in provisions)
        {
            if (!relation.IsSatisfiedBy(provision.As)) continue;
            if (provision.IsPackage) return Offer.Package;
            best = Offer.Provision;
        }

        return best;
    }

    private enum Offer
    {
        None,
        Provision,
        Package,
    }
}
