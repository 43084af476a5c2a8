using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>Which packages a mass rebuild is of, and whether it may begin.</summary>
internal static class RebuildChoice
{
    public static Verdict Judge(MasterState state, BeginRebuild begin)
    {
        if (state.Settings is not { } settings) return Verdict.Refuse("the master has no configuration yet");
        if (!NodeName.IsValid(begin.Name) || begin.Name == "local")
            return Verdict.Refuse($"a rebuild's name must be {NodeName.Rule}");
        if (state.Rebuilds.ContainsKey(begin.Name))
            return Verdict.Refuse($"there is a rebuild {begin.Name} already: merge or drop it first");
        if (settings.Repositories.Contains(begin.Name) || settings.Outside.Any(one => one.Name == begin.Name))
            return Verdict.Refuse($"{begin.Name} is the name of a repository");
        if (state.Bootstraps.Keys.FirstOrDefault(one => begin.Name == one
            || begin.Name.StartsWith(one + Bootstraps.StageSuffix, StringComparison.Ordinal)) is { } bootstrap)
            return Verdict.Refuse($"{begin.Name} is, or may become, a name of the bootstrap {bootstrap}");
        var graph = FarmGraph.Of(state);
        var (chosen, sourceless, fault) = Choose(state, begin, FarmGraph.WithRunning(state));
        if (fault is not null) return Verdict.Refuse(fault);
        var details = ImmutableArray.CreateBuilder<string>();
        details.AddRange(sourceless.Select(pkgbase => $"{pkgbase} is left out: no source holds it"));
        var before = Moves.PublishedBefore(
            state, chosen.Select(node => graph.Nodes[node].Name).ToHashSet(StringComparer.Ordinal));
        var becomes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in chosen.ToList())
        {
            var source = state.Packages[graph.Nodes[node].Name].Source!;
            var held = Rebuilds.HeldVersions(state, source).ToList();
            var release = Rebuilds.ReleaseFor(source, held.Concat(before[source.Pkgbase]), begin.Bump);
            var version = release is null ? source.Version : Release.With(source.Version, release);
            becomes[source.Pkgbase] = release is null
                ? $"{source.Version}, which is new"
                : $"{source.Version} -> {version}";
            if (WhyLeftOut(state, source, version, held) is not { } why) continue;
            details.Add($"{source.Pkgbase} is left out: {why}");
            chosen.Remove(node);
        }

        if (chosen.Count == 0)
            return Verdict.Refuse("no package is chosen by that") with { Details = details.ToImmutable() };
        var plan = RebuildPlan.Of(graph, chosen);
        var builders = state.Builders.Values.Select(builder => builder.Description).ToList();
        details.AddRange(RebuildText.Lines(
            plan, becomes,
            builders.Select(builder => builder.Weight).DefaultIfEmpty(1).Max(),
            builders.Sum(builder => builder.Weight * builder.Slots) is > 0 and var all ? all : 1));
        if (begin.Settle) details.AddRange(RebuildText.Settling(plan));
        ImmutableArray<string> names = [.. plan.Builds.Select(build => build.Pkgbase)];
        return new Verdict(
            begin.DryRun
                ? []
                : [new RebuildBegun(begin.Name, names, begin.Bump, Why(begin)) { Settle = begin.Settle }],
            null)
        {
            Details = details.ToImmutable(),
        };
    }

    /// <summary>Why a package that is chosen is no part of the rebuild; null when it is.</summary>
    private static string? WhyLeftOut(
        MasterState state, SourcePackage source, string version, IReadOnlyCollection<string> held)
    {
        if (state.Packages[source.Pkgbase].Held is { } hold) return $"it is held ({hold.Reason})";
        if (state.Rebuilds.Values.FirstOrDefault(one => one.Has(source.Pkgbase)) is { } other)
            return $"it is in the rebuild {other.Name}";
        // It could be built, and the rebuild never merged.
        return held.FirstOrDefault(one => PackageVersion.Compare(one, version) >= 0) is { } newer
            ? $"what is published, {newer}, is newer than its source"
            : null;
    }

    /// <summary>The indices of what is chosen, and what would be if a source held it; or what is wrong with the
    /// choice.</summary>
    /// <param name="state">The state.</param>
    /// <param name="begin">What is asked for.</param>
    /// <param name="graph">All packages, with what they need to be built and to run.</param>
    private static (HashSet<int> Chosen, SortedSet<string> Sourceless, string? Fault) Choose(
        MasterState state, BeginRebuild begin, DependencyGraph graph)
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes) index[node.Name] = index.Count;
        var baseOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var record in state.Packages.Values)
        {
            foreach (var output in record.Source?.Packages ?? []) baseOf[output.Name] = record.Source!.Pkgbase;
        }

        var chosen = new HashSet<int>();
        var sourceless = new SortedSet<string>(StringComparer.Ordinal);
        if (begin.All) chosen.UnionWith(index.Values);
        var unknown = new List<string>();
        foreach (var name in begin.Names)
        {
            if (Find(name) is { } node) chosen.Add(node);
            else unknown.Add(name);
        }

        var roots = new List<int>();
        foreach (var name in begin.DependentsOf)
        {
            if (Find(name) is { } node) roots.Add(node);
            else if (Needing(state, name) is { Count: > 0 } dependents)
                AddOutside(dependents);
            else unknown.Add(name);
        }

        if (unknown.Count > 0) return (chosen, sourceless, $"no source holds {string.Join(", ", unknown)}");
        var needing = RebuildPlan.DependentsOf(graph, roots, begin.Recursive);
        chosen.UnionWith(needing);
        if (!begin.Sonames.IsEmpty)
        {
            AddHeld(Held(state, _ => true)
                .Where(package => package.NeededSonames.Concat(package.Depends).Any(begin.Sonames.Contains)));
        }

        if (begin.Repository is { } repository)
        {
            if (!state.Settings!.Repositories.Contains(repository))
                return (chosen, sourceless, $"there is no repository {repository} here");
            AddHeld(Held(state, name => name == repository));
        }

        return (chosen, sourceless, null);

        int? Find(string name) => index.TryGetValue(name, out var node) ? node
            : baseOf.TryGetValue(name, out var pkgbase) ? index[pkgbase] : null;

        void AddHeld(IEnumerable<RepositoryPackage> packages)
        {
            foreach (var package in packages)
            {
                if (index.TryGetValue(package.Pkgbase, out var node)) chosen.Add(node);
                else sourceless.Add(package.Pkgbase);
            }
        }

        void AddOutside(IReadOnlyCollection<string> dependents)
        {
            var first = dependents.Select(pkgbase => index[pkgbase]).ToList();
            chosen.UnionWith(first);
            if (begin.Recursive) chosen.UnionWith(RebuildPlan.DependentsOf(graph, first, recursive: true));
        }
    }

    /// <summary>Those that need a package which is no source's.</summary>
    private static HashSet<string> Needing(MasterState state, string name) => state.Packages.Values
        .Select(record => record.Source).OfType<SourcePackage>()
        .Where(source => state.Settings!.Architectures.SelectMany(on => source.DependenciesOn(on))
            .Concat(source.Packages.SelectMany(output => output.Depends))
            .Any(text => Relation.TryParse(text, out var relation) && relation.Name == name))
        .Select(source => source.Pkgbase).ToHashSet(StringComparer.Ordinal);

    private static IEnumerable<RepositoryPackage> Held(MasterState state, Func<string, bool> isIn) =>
        state.Repositories.Values
            .Where(repository => state.Settings!.Repositories.Contains(repository.Name) && isIn(repository.Name))
            .SelectMany(repository => repository.Packages.Values);

    private static string Why(BeginRebuild begin)
    {
        var parts = new List<string>();
        if (begin.All) parts.Add("everything");
        if (!begin.Names.IsEmpty) parts.Add($"{begin.Names.Length} by name");
        if (!begin.DependentsOf.IsEmpty)
            parts.Add($"dependents of {string.Join(", ", begin.DependentsOf)}{(begin.Recursive ? ", recursive" : "")}");
        if (!begin.Sonames.IsEmpty) parts.Add($"what is linked with {string.Join(", ", begin.Sonames)}");
        if (begin.Repository is not null) parts.Add($"all of {begin.Repository}");
        return string.Join("; ", parts);
    }
}
