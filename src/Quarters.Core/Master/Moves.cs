using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>Packages that go from one of our repositories to another, or out of one: all of a package base, for all
/// architectures, in one step that can be taken back.</summary>
public static class Moves
{
    /// <summary>So many lines are told at most.</summary>
    private const int MaxLines = 2000;

    internal static Verdict Judge(MasterState state, MovePackages move)
    {
        if ((FindRepositoryFault(state, move.From) ?? FindRepositoryFault(state, move.To)) is { } fault)
            return Verdict.Refuse(fault);
        if (move.From == move.To) return Verdict.Refuse("from and to are the same repository");
        if (move.Names.IsEmpty && !move.Closure) return Verdict.Refuse("no package is named");
        var (bases, unknown) = BasesOf(state, move.From, move.Names);
        if (unknown is not null) return Verdict.Refuse(unknown);
        var held = bases.Where(pkgbase => state.Packages.GetValueOrDefault(pkgbase)?.Held is not null).ToList();
        if (held.Count > 0 && !move.Closure) return Verdict.Refuse($"held: {string.Join(", ", held)}");
        bases.ExceptWith(held);
        var details = ImmutableArray.CreateBuilder<string>();
        details.AddRange(held.Select(pkgbase => $"{pkgbase} stays: it is held"));
        if (move.Closure)
        {
            var going = MoveClosure.Find(state, bases, move.From, move.To);
            details.AddRange(going.Stays.Select(stays => $"{stays.Pkgbase} stays: {stays.Why}"));
            bases = going.Goes;
            if (bases.Count == 0)
                return Verdict.Refuse("nothing of it can go") with { Details = Cut(details) };
        }

        var change = ChangeOf(state, bases, move.From, move.To);
        var newer = Cut(MoveCheck.FindNewer(change, move.To).Select(one => one.Why).Distinct());
        if (!newer.IsEmpty)
            return Verdict.Refuse($"what {move.To} holds is newer, or another build of the same") with
            {
                Details = newer,
            };
        var broken = Tell(MoveCheck.FindBroken(state, change, move.From));
        if (!broken.IsEmpty)
            return Verdict.Refuse($"it would break {broken.Length} dependencies") with { Details = broken };
        details.InsertRange(0, Lines(change));
        var why = $"{Few(bases)} moved from {move.From} to {move.To}";
        return Done(state, change, why, details, move.DryRun);
    }

    internal static Verdict Judge(MasterState state, RemovePackages remove)
    {
        if (FindRepositoryFault(state, remove.From) is { } fault) return Verdict.Refuse(fault);
        if (remove.Names.IsEmpty) return Verdict.Refuse("no package is named");
        var (bases, unknown) = BasesOf(state, remove.From, remove.Names);
        if (unknown is not null) return Verdict.Refuse(unknown);
        var change = ChangeOf(state, bases, remove.From, null);
        var broken = Tell(MoveCheck.FindBroken(state, change, null));
        if (!broken.IsEmpty)
            return Verdict.Refuse($"it would break {broken.Length} dependencies") with { Details = broken };
        var why = $"{string.Join(", ", bases)} removed from {remove.From}";
        return Done(state, change, why, Lines(change), remove.DryRun);
    }

    internal static Verdict Judge(MasterState state, UndoChange undo)
    {
        if (state.Changes.FirstOrDefault(change => change.Revision == undo.Revision) is not { } recorded)
            return Verdict.Refuse(
                $"no change of the repositories has the revision {undo.Revision}, or it is too long ago");
        var later = recorded.Replacements
            .Where(one => Find(state, one)?.Sha256 != one.After?.Sha256 || Find(state, one)?.FileName
                != one.After?.FileName)
            .Select(one => $"{one.Name} in {one.Key()} is not what that change made it").ToImmutableArray();
        if (!later.IsEmpty)
            return Verdict.Refuse("something changed since: take that back first") with { Details = later };
        ImmutableArray<Replacement> change = [.. recorded.Replacements.Select(one => one.Back())];
        var broken = Tell(MoveCheck.FindBroken(state, change, null));
        if (!broken.IsEmpty)
            return Verdict.Refuse($"it would break {broken.Length} dependencies") with { Details = broken };
        var why = $"taken back: {recorded.Why} (revision {recorded.Revision})";
        return Done(state, change, why, Lines(change), undo.DryRun);
    }

    /// <summary>The changes that can be taken back.</summary>
    public static ChangesDocument Document(MasterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new ChangesDocument
        {
            Revision = state.Revision,
            Changes =
            [
                .. state.Changes.Reverse().Select(change => new ChangeSummary
                {
                    Revision = change.Revision,
                    Time = change.Time,
                    Why = change.Why,
                    Packages = change.Replacements.Length,
                }),
            ],
        };
    }

    /// <summary>What it means for the repositories that package bases go from one to another, or out.</summary>
    public static ImmutableArray<Replacement> ChangeOf(
        MasterState state, IReadOnlySet<string> bases, string from, string? to)
    {
        var change = ImmutableArray.CreateBuilder<Replacement>();
        foreach (var source in state.Repositories.Values.Where(repository => repository.Name == from))
        {
            var target = to is null
                ? null
                : state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(to, source.Architecture));
            var going = source.Packages.Values.Where(package => bases.Contains(package.Pkgbase)).ToList();
            foreach (var package in going)
            {
                change.Add(new Replacement(from, source.Architecture, package.Name, package, null));
                if (to is not null)
                    change.Add(new Replacement(
                        to, source.Architecture, package.Name, target?.Packages.GetValueOrDefault(package.Name),
                        package));
            }

            // What a package base yields no more goes with what takes its place.
            var names = going.Select(package => package.Name).ToHashSet(StringComparer.Ordinal);
            var moved = going.Select(package => package.Pkgbase).ToHashSet(StringComparer.Ordinal);
            foreach (var left in target?.Packages.Values ?? [])
            {
                if (moved.Contains(left.Pkgbase) && !names.Contains(left.Name))
                    change.Add(new Replacement(to!, source.Architecture, left.Name, left, null));
            }
        }

        return change.ToImmutable();
    }

    /// <summary>Puts a change into effect: it is one event, and so one step.</summary>
    internal static void Apply(Transition transition, RepositoriesChanged changed)
    {
        foreach (var repository in changed.Replacements.GroupBy(one => (one.Repository, one.Architecture)))
            transition.ChangeRepository(repository.Key.Repository, repository.Key.Architecture, [.. repository]);
        transition.Changes = transition.Changes
            .Add(new RecordedChange(transition.Revision, transition.Time, changed.Why, changed.Replacements))
            .RemoveRange(0, Math.Max(0, transition.Changes.Count + 1 - MasterState.MaxChanges));
        foreach (var pkgbase in changed.Replacements.Select(one => (one.Before ?? one.After)!.Pkgbase).Distinct())
        {
            Withdraw(transition, pkgbase, changed.Replacements);
            Wants.Plan(transition, pkgbase);
        }
    }

    /// <summary>What was taken away, or back to an older version, is not built again at once.</summary>
    private static void Withdraw(Transition transition, string pkgbase, ImmutableArray<Replacement> replacements)
    {
        if (!transition.Packages.TryGetValue(pkgbase, out var record)) return;
        var before = Newest(replacements.Select(one => one.Before));
        var left = Newest(transition.Repositories.Values
            .Where(repository => transition.Settings!.Repositories.Contains(repository.Name))
            .SelectMany(repository => replacements.Where(one => one.Architecture == repository.Architecture)
                .Select(one => one.Name).Distinct().Select(name => repository.Packages.GetValueOrDefault(name))));
        var isLower = before is not null && (left is null || PackageVersion.Compare(left, before) < 0);
        transition.Packages[pkgbase] = record with { Withdrawn = isLower ? before : null };

        string? Newest(IEnumerable<RepositoryPackage?> packages)
        {
            string? newest = null;
            foreach (var package in packages.OfType<RepositoryPackage>().Where(one => one.Pkgbase == pkgbase))
            {
                if (newest is null || PackageVersion.Compare(package.Version, newest) > 0) newest = package.Version;
            }

            return newest;
        }
    }

    internal static Verdict Done(
        MasterState state, ImmutableArray<Replacement> change, string why, IEnumerable<string> details,
        bool isDry)
    {
        if (change.IsEmpty) return Verdict.Nothing;
        var revision = state.Revision + 1;
        var last = isDry ? $"not done, as asked: {why}" : $"{why}; revision {revision} takes it back";
        return new Verdict(isDry ? [] : [new RepositoriesChanged(change, why)], null)
        {
            Details = Cut(details.Append(last)),
        };
    }

    /// <summary>The versions of package bases that are known to have been published, whether or not anything holds them
    /// now: those that changes brought or took away which can be taken back, and what was withdrawn.</summary>
    internal static ILookup<string, string> PublishedBefore(MasterState state, IReadOnlySet<string> bases)
    {
        var replacements = state.Changes.SelectMany(change => change.Replacements);
        var changed = replacements.Select(one => one.Before).Concat(replacements.Select(one => one.After))
            .OfType<RepositoryPackage>().Where(package => bases.Contains(package.Pkgbase))
            .Select(package => (package.Pkgbase, package.Version));
        var withdrawn =
            from pkgbase in bases
            let version = state.Packages.GetValueOrDefault(pkgbase)?.Withdrawn
            where version is not null
            select (Pkgbase: pkgbase, Version: version);
        return changed.Concat(withdrawn).Distinct()
            .ToLookup(one => one.Pkgbase, one => one.Version, StringComparer.Ordinal);
    }

    private static RepositoryPackage? Find(MasterState state, Replacement one) =>
        state.Repositories.GetValueOrDefault(one.Key())?.Packages.GetValueOrDefault(one.Name);

    private static string? FindRepositoryFault(MasterState state, string name) =>
        state.Settings?.Repositories.Contains(name) ?? false
            ? null
            : $"there is no repository {name} here; there are {string.Join(", ", state.Settings?.Repositories ?? [])}";

    /// <summary>The package bases that names mean; of all that a repository holds, if none is given.</summary>
    private static (SortedSet<string> Bases, string? Unknown) BasesOf(
        MasterState state, string from, ImmutableArray<string> names)
    {
        var packages = state.Repositories.Values.Where(repository => repository.Name == from)
            .SelectMany(repository => repository.Packages.Values).ToList();
        var bases = new SortedSet<string>(StringComparer.Ordinal);
        if (names.IsEmpty) bases.UnionWith(packages.Select(package => package.Pkgbase));
        var unknown = new List<string>();
        foreach (var name in names)
        {
            var found = packages.Find(package => package.Pkgbase == name) ?? packages.Find(p => p.Name == name);
            if (found is null) unknown.Add(name);
            else bases.Add(found.Pkgbase);
        }

        return (bases, unknown.Count == 0 ? null : $"{from} does not hold {string.Join(", ", unknown)}");
    }

    internal static ImmutableArray<string> Tell(
        ImmutableArray<(string Repository, string Architecture, BrokenNeed Need)> broken) => Cut(
            broken.Select(one => $"{one.Need.Package.Name} {one.Need.Package.Version} in {one.Repository}/"
                + $"{one.Architecture} needs {one.Need.What}, which nobody there would provide").Distinct());

    internal static IEnumerable<string> Lines(ImmutableArray<Replacement> change) =>
        from one in change
        orderby one.Key(), one.Name
        select one switch
        {
            { Before: null } => $"{one.Key()}: {one.Name} {one.After!.Version} comes",
            { After: null } => $"{one.Key()}: {one.Name} {one.Before.Version} goes",
            _ => $"{one.Key()}: {one.Name} {one.Before.Version} -> {one.After.Version}",
        };

    /// <summary>A few package bases by name, many by their number.</summary>
    internal static string Few(IReadOnlyCollection<string> bases) =>
        bases.Count <= 3 ? string.Join(", ", bases) : $"{bases.Count} package bases";

    private static ImmutableArray<string> Cut(IEnumerable<string> lines)
    {
        var all = lines.ToList();
        return all.Count <= MaxLines ? [.. all] : [.. all.Take(MaxLines), $"and {all.Count - MaxLines} more"];
    }
}
