using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>
/// Which shared libraries went away while packages are linked with them. Only our own repositories are looked at: those
/// of others tell no more than what their packages say they provide.
/// </summary>
public static class LostLibraries
{
    /// <summary>The rebuild that is to begin by itself next, where the configuration wants that.</summary>
    public static ImmutableArray<MasterEvent> Due(MasterState state)
    {
        if (state.Settings is not { StartsRebuilds: true }) return [];
        foreach (var lost in state.Lost.Values.Where(one => one.Rebuild is null)
            .GroupBy(one => one.Pkgbase, StringComparer.Ordinal))
        {
            var begun = RebuildChoice.Judge(state, new BeginRebuild
            {
                Id = "",
                Time = default,
                Name = NameFor(state, lost.Key),
                Sonames = Names(lost),
            });
            if (!begun.Events.IsEmpty) return begun.Events;
        }

        return [];
    }

    /// <summary>What an operator is told: who took what away, who is linked with it, and what to do; a sentence
    /// each.</summary>
    public static IEnumerable<string> Tell(MasterState state) => state.Lost.Values
        .GroupBy(one => one.Pkgbase, StringComparer.Ordinal).Select(lost =>
        {
            var bases = lost.SelectMany(one => one.Dependents).Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal).ToList();
            var names = Names(lost);
            var wish = lost.Select(one => one.Rebuild).OfType<string>().FirstOrDefault(state.Rebuilds.ContainsKey)
                is { } rebuild
                ? $"the rebuild {rebuild} is of them"
                : $"build them again: quarters rebuild {NameFor(state, lost.Key)}"
                    + string.Concat(names.Select(name => " --soname " + name));
            return $"{lost.Key} has {string.Join(", ", names)} no more since {lost.First().Version}, and "
                + $"{NameList.Of(bases)} {(bases.Count == 1 ? "is" : "are")} linked with it; {wish}";
        });

    /// <summary>The libraries that a package base is linked with and nobody has any more.</summary>
    internal static IEnumerable<LostLibrary> Of(MasterState state, string pkgbase) =>
        state.Lost.Values.Where(one => one.Dependents.Contains(pkgbase));

    /// <summary>A rebuild began: what it is of need not be proposed any more.</summary>
    internal static void Note(Transition transition, RebuildBegun begun)
    {
        var bases = begun.Pkgbases.ToHashSet(StringComparer.Ordinal);
        foreach (var (key, lost) in transition.Lost.ToList())
        {
            if (lost.Dependents.Any(bases.Contains)) transition.Lost[key] = lost with { Rebuild = begun.Name };
        }
    }

    /// <summary>Looks at what a step changed in the repositories.</summary>
    /// <param name="transition">The step.</param>
    /// <param name="before">The state before it.</param>
    /// <param name="changed">The names, by architecture, of which a repository holds something else.</param>
    internal static void Review(
        Transition transition, MasterState before, IReadOnlyCollection<(string Architecture, string Name)> changed)
    {
        foreach (var here in changed.GroupBy(one => one.Architecture, one => one.Name, StringComparer.Ordinal))
        {
            var was = new Shelf(before.Settings ?? transition.Settings!, before.Repositories, here.Key);
            var holds = new Shelf(transition.Settings!, transition.Repositories, here.Key);
            var gone = new Dictionary<string, RepositoryPackage>(StringComparer.Ordinal);
            var come = new HashSet<string>(StringComparer.Ordinal);
            var touched = new HashSet<string>(StringComparer.Ordinal);
            var needed = new HashSet<string>(StringComparer.Ordinal);
            foreach (var name in here)
            {
                var (old, now) = (was.Find(name), holds.Find(name));
                foreach (var soname in old?.Sonames ?? []) gone.TryAdd(soname, old!);
                come.UnionWith(now?.Sonames ?? []);
                needed.UnionWith(now?.NeededSonames ?? []);
                if (old is not null) touched.Add(old.Pkgbase);
                if (now is not null) touched.Add(now.Pkgbase);
            }

            foreach (var soname in come) gone.Remove(soname);
            foreach (var lost in transition.Lost.Values.Where(one => one.Architecture == here.Key).ToList())
            {
                if (come.Contains(lost.Soname)) transition.Lost.Remove(lost.Key());
                else if (needed.Contains(lost.Soname) || lost.Dependents.Any(touched.Contains))
                    Set(transition, lost, holds.LinkedWith(lost.Soname));
            }

            if (gone.Count == 0) continue;
            foreach (var package in holds.All())
            {
                foreach (var soname in package.Sonames) gone.Remove(soname);
            }

            foreach (var (soname, old) in gone)
            {
                Set(transition, new LostLibrary
                {
                    Soname = soname,
                    Architecture = here.Key,
                    Pkgbase = old.Pkgbase,
                    Version = old.Version,
                    Since = transition.Time,
                    Dependents = [],
                }, holds.LinkedWith(soname));
            }
        }
    }

    private static void Set(Transition transition, LostLibrary lost, ImmutableArray<string> dependents)
    {
        if (dependents.IsEmpty) transition.Lost.Remove(lost.Key());
        else transition.Lost[lost.Key()] = lost with { Dependents = dependents };
    }

    private static ImmutableArray<string> Names(IEnumerable<LostLibrary> lost) =>
        [.. lost.Select(one => one.Soname).Distinct(StringComparer.Ordinal)];

    /// <summary>A name that no rebuild and no repository has.</summary>
    private static string NameFor(MasterState state, string pkgbase)
    {
        var stem = string.Concat(pkgbase.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.').Take(40))
            .TrimStart('-', '_', '.');
        for (var number = 1; ; number++)
        {
            var name = number == 1 ? $"{stem}-soname" : $"{stem}-soname-{number}";
            if (!state.Rebuilds.ContainsKey(name) && !state.Settings!.Repositories.Contains(name)
                && state.Settings.Outside.All(one => one.Name != name))
                return name;
        }
    }

    /// <summary>What pacman finds by name in our repositories of an architecture: the first that has it.</summary>
    private sealed class Shelf(
        MasterSettings settings, IReadOnlyDictionary<string, RepositoryState> repositories, string architecture)
    {
        private readonly List<RepositoryState> _inOrder =
        [
            .. settings.Repositories
                .Select(name => repositories.GetValueOrDefault(MasterState.RepositoryKey(name, architecture)))
                .OfType<RepositoryState>(),
        ];

        public RepositoryPackage? Find(string name) => _inOrder
            .Select(repository => repository.Packages.GetValueOrDefault(name)).FirstOrDefault(one => one is not null);

        public IEnumerable<RepositoryPackage> All()
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            return _inOrder.SelectMany(repository => repository.Packages.Values).Where(one => seen.Add(one.Name));
        }

        /// <summary>The package bases that are linked with a library, sorted.</summary>
        public ImmutableArray<string> LinkedWith(string soname) =>
        [
            .. All().Where(package => package.NeededSonames.Contains(soname)).Select(package => package.Pkgbase)
                .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
    }
}
