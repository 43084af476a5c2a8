using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>
/// Broken packages that a new version of a dependency gives a reason to try again. Found by the names they need, and
/// only those that the package was to blame for: a dependency mends no builder.
/// </summary>
internal static class Resting
{
    /// <summary>Our own repositories hold a package that they did not hold before.</summary>
    public static void Wake(Transition transition, ArchitecturePlan plan, RepositoryPackage package)
    {
        var provisions = Provision.Of(package.Name, package.Version, package.Provides).ToList();
        foreach (var name in provisions.Select(p => p.As.Name).Distinct(StringComparer.Ordinal))
        {
            Wake(transition, plan, name, package.Pkgbase, [.. provisions.Where(p => p.As.Name == name)],
                $"its dependency {package.Name} {package.Version} was accepted");
        }
    }

    /// <summary>A repository of others offers something else under a name than it did before.</summary>
    /// <param name="transition">The step.</param>
    /// <param name="plan">The plan of the repository's architecture.</param>
    /// <param name="pinned">The repository as it is now.</param>
    /// <param name="before">What it offered before; nobody waited for the first.</param>
    public static void Wake(
        Transition transition, ArchitecturePlan plan, OutsidePinned pinned, PackageIndex? before)
    {
        if (before is null || before.Count == 0) return;
        foreach (var name in plan.Resting.Keys.Order(StringComparer.Ordinal))
        {
            var now = pinned.Index.Find(name);
            if (now.SequenceEqual(before.Find(name))) continue;
            Wake(transition, plan, name, null, now, $"its dependency {name} changed in {pinned.Repository}");
        }
    }

    private static void Wake(
        Transition transition, ArchitecturePlan plan, string name, string? by, ImmutableArray<Provision> offered,
        string why)
    {
        foreach (var id in plan.Resting.GetValueOrDefault(name, []))
        {
            if (transition.FindJob(id) is not { Status: JobStatus.Failed } job || job.Pkgbase == by) continue;
            if (job.CurrentAttempts() is not [.., var last]) continue;
            if (!Avoidance.IsVerdict(last) && last.End != AttemptEnd.Witnessed) continue;
            if (transition.SourceOf(job) is not { } source) continue;
            var needs = source.DependenciesOn(transition.JudgedFor(job))
                .Select(text => Relation.TryParse(text, out var relation) ? relation : null)
                .Any(relation => relation?.Name == name && offered.Any(p => relation.IsSatisfiedBy(p.As)));
            if (needs) Attempts.Reopen(transition, job, why);
        }
    }
}
