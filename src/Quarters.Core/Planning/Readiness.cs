using System.Collections.Immutable;
using Quarters.Alpm;

namespace Quarters.Core.Planning;

/// <summary>
/// When may a package be built? When every relation that must be installed for makepkg is satisfied by what the
/// repositories hold, and nobody who would provide it is itself waiting to be built.
/// </summary>
internal static class Readiness
{
    /// <summary>What keeps this job from being built, and what it would be built against something older of.</summary>
    /// <param name="plan">Who offers what.</param>
    /// <param name="jobs">The jobs by id, for the status of planned providers.</param>
    /// <param name="job">The job to judge.</param>
    /// <param name="relations">Its dependencies.</param>
    public static Judgement Judge(
        ArchitecturePlan plan, IReadOnlyDictionary<string, Job> jobs, Job job, ImmutableArray<string> relations)
    {
        var blockers = ImmutableArray.CreateBuilder<Blocker>();
        var older = ImmutableArray.CreateBuilder<string>();
        foreach (var text in relations)
        {
            if (!Relation.TryParse(text, out var relation))
            {
                blockers.Add(new Blocker(BlockerKind.Missing, text, null));
                continue;
            }

            var found = Resolve(plan, jobs, job, relation);
            var name = relation.ToString();
            if (found.IsThere && found.Awaited is not null && job.Cut.Contains(name)) older.Add(name);
            else if (found.Awaited is { } provider)
                blockers.Add(new Blocker(BlockerKind.Waiting, name, provider.Pkgbase));
            else if (!found.IsThere && found.Failed is { } failed)
                blockers.Add(new Blocker(BlockerKind.Failed, name, failed.Pkgbase));
            else if (!found.IsThere) blockers.Add(new Blocker(BlockerKind.Missing, name, null));
        }

        return new Judgement(blockers.ToImmutable(), older.ToImmutable());
    }

    /// <summary>Whether a package that is there already satisfies the relation.</summary>
    public static bool IsSatisfied(ArchitecturePlan plan, Relation relation) =>
        Held(plan, relation) is not null || Outside(plan, relation) is not null;

    /// <summary>
    /// Who satisfies a relation. As pacman would have it: the package of that very name, else the first by name of
    /// those that provide it, our own before those of others. If that is one that is yet to be built, it is awaited.
    /// </summary>
    public static Resolution Resolve(
        ArchitecturePlan plan, IReadOnlyDictionary<string, Job> jobs, Job job, Relation relation)
    {
        Provision? awaited = null;
        Job? failed = null;
        foreach (var planned in plan.Planned.GetValueOrDefault(relation.Name, []))
        {
            var provider = jobs[planned.Owner];
            if (provider.Pkgbase == job.Pkgbase || !relation.IsSatisfiedBy(planned.As)) continue;
            if (!provider.IsOpen) failed = provider;
            else if (awaited is null || Provision.Compare(planned, awaited) < 0) awaited = planned;
        }

        var held = Held(plan, relation);
        var outside = Outside(plan, relation);
        var isTaken = awaited is not null
            && !(held is not null && IsBefore(held, awaited))
            && !(outside is { IsPackage: true } && !awaited.IsPackage);
        return new Resolution(
            held is not null || outside is not null, isTaken ? jobs[awaited!.Owner] : null, failed);
    }

    private static bool IsBefore(Provision held, Provision planned) => held.IsPackage != planned.IsPackage
        ? held.IsPackage
        : string.CompareOrdinal(held.Package, planned.Package) < 0;

    private static Provision? Held(ArchitecturePlan plan, Relation relation) =>
        Provision.FirstOf(plan.Own.GetValueOrDefault(relation.Name, []), relation)
        ?? (plan.Behind is { } behind ? Held(behind, relation) : null);

    private static Provision? Outside(ArchitecturePlan plan, Relation relation)
    {
        Provision? first = null;
        foreach (var repository in plan.Outside)
        {
            var found = repository.FirstFor(relation);
            if (found is { IsPackage: true }) return found;
            first ??= found;
        }

        return first;
    }
}

/// <summary>What was found out about a job.</summary>
/// <param name="Blockers">What keeps it from being built, in the order of its dependencies.</param>
/// <param name="Older">The dependencies of which it would get something older than is yet to be built.</param>
internal readonly record struct Judgement(ImmutableArray<Blocker> Blockers, ImmutableArray<string> Older);

/// <summary>Who satisfies a relation.</summary>
/// <param name="IsThere">Whether a package that is there already does.</param>
/// <param name="Awaited">The open job that will, if that is to be waited for.</param>
/// <param name="Failed">A job that would have, had it not failed.</param>
internal readonly record struct Resolution(bool IsThere, Job? Awaited, Job? Failed);
