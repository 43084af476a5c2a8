using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>What a change of the repositories would break, for everybody who has one of them enabled.</summary>
public static class MoveCheck
{
    /// <summary>Everything that a change would break: the repository it would be seen in, and the need.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="change">The change.</param>
    /// <param name="from">The repository that packages come from: users of others do not have it. Null for
    /// none.</param>
    public static ImmutableArray<(string Repository, string Architecture, BrokenNeed Need)> FindBroken(
        MasterState state, IReadOnlyCollection<Replacement> change, string? from)
    {
        var found = ImmutableArray.CreateBuilder<(string, string, BrokenNeed)>();
        if (state.Settings is not { } settings) return [];
        foreach (var architecture in change.Select(one => one.Architecture).Distinct(StringComparer.Ordinal))
        {
            var outside = state.Plans.GetValueOrDefault(architecture)?.Outside ?? [];
            foreach (var repository in settings.Repositories)
            {
                var seen = SeenWith(settings, repository, from);
                if (!change.Any(one => one.Architecture == architecture && seen.Contains(one.Repository))) continue;
                var before = new World(seen.Select(name => Packages(state, name, architecture, [])), outside);
                var after = new World(seen.Select(name => Packages(state, name, architecture, change)), outside);
                foreach (var need in after.BrokenSince(before)) found.Add((repository, architecture, need));
            }
        }

        // What is seen by the users of several repositories is told once, of the one that holds it.
        return [.. found
            .OrderBy(one => Holds(state, one.Item1, one.Item2, one.Item3.Package) ? 0 : 1)
            .DistinctBy(one => (one.Item2, one.Item3.Package.Name, one.Item3.What))];
    }

    /// <summary>What a repository holds in a newer version than would take its place, or in the same with other bytes,
    /// and which package base would: versions go back only where a change is taken back, and no file changes under its
    /// name.</summary>
    /// <param name="change">The change.</param>
    /// <param name="to">The repository.</param>
    public static IEnumerable<(string Pkgbase, string Why)> FindNewer(
        IReadOnlyCollection<Replacement> change, string to)
    {
        var there = change.Where(one => one.Repository == to).ToList();
        var coming = there.Where(one => one.After is not null)
            .DistinctBy(one => (one.Architecture, one.After!.Pkgbase))
            .ToDictionary(one => (one.Architecture, one.After!.Pkgbase), one => one.After!);
        foreach (var one in there)
        {
            if (one.Before is not { } before || one.After?.Sha256 == before.Sha256) continue;
            // What a package base yields no more goes with what comes of it.
            var after = one.After ?? coming.GetValueOrDefault((one.Architecture, before.Pkgbase));
            if (after is null) continue;
            var order = PackageVersion.Compare(before.Version, after.Version);
            if (order < 0 || (order == 0 && one.After is null)) continue;
            yield return (after.Pkgbase, $"{before.Name} {before.Version} is in {to} already, "
                + (order > 0 ? $"and is newer than {after.Version}" : "with other bytes"));
        }
    }

    /// <summary>
    /// The repositories that whoever uses one has enabled, in pacman's order: itself, and those that it builds on. If
    /// the configuration does not say which those are, all but those from which packages come to it.
    /// </summary>
    public static ImmutableArray<string> SeenWith(MasterSettings settings, string repository, string? from)
    {
        if (settings.BuildsOn.TryGetValue(repository, out var on))
            return [.. settings.Repositories.Where(name => name == repository || on.Contains(name))];
        var before = new HashSet<string>(StringComparer.Ordinal);
        if (from is not null) before.Add(from);
        var next = new Stack<string>([repository]);
        while (next.TryPop(out var at))
        {
            foreach (var promotion in settings.Promotions)
            {
                if (promotion.To == at && before.Add(promotion.From)) next.Push(promotion.From);
            }
        }

        return [.. settings.Repositories.Where(name => name == repository || !before.Contains(name))];
    }

    private static bool Holds(MasterState state, string repository, string architecture, RepositoryPackage package) =>
        state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(repository, architecture))
            ?.Packages.GetValueOrDefault(package.Name)?.Sha256 == package.Sha256;

    private static IEnumerable<RepositoryPackage> Packages(
        MasterState state, string repository, string architecture, IReadOnlyCollection<Replacement> change)
    {
        var packages = state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(repository, architecture))
            ?.Packages.Values ?? [];
        var changed = change
            .Where(one => one.Repository == repository && one.Architecture == architecture)
            .ToDictionary(one => one.Name, StringComparer.Ordinal);
        if (changed.Count == 0) return packages;
        return packages.Where(package => !changed.ContainsKey(package.Name))
            .Concat(changed.Values.Select(one => one.After).OfType<RepositoryPackage>());
    }
}
