using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>Which packages a bootstrap is of, and whether it may begin.</summary>
internal static class BootstrapChoice
{
    /// <summary>Words that the command line understands otherwise, and the name of pacman's own database.</summary>
    private static readonly string[] Reserved = ["list", "show", "local"];

    public static Verdict Judge(MasterState state, BeginBootstrap begin)
    {
        if (state.Settings is not { } settings) return Verdict.Refuse("the master has no configuration yet");
        if (FindFault(state, settings, begin) is { } fault) return Verdict.Refuse(fault);
        var details = new List<string>();
        var (set, unknown) = Choose(state, begin, details);
        if (unknown.Count > 0) return Verdict.Refuse($"no source holds {string.Join(", ", unknown)}");
        // What is left out because of one architecture is missing on the others: all are looked at again, until nothing
        // more is left out.
        while (FindUnreached(state, settings, begin, set) is { IsEmpty: false } unreached)
        {
            var lines = unreached.Select(pair => $"{pair.Key} cannot be reached: {pair.Value}").ToList();
            if (!begin.LeaveUnreachable)
                return Verdict.Refuse($"{lines.Count} of {set.Count} packages cannot be reached from the seed") with
                {
                    Details = [.. details, .. lines],
                };
            details.AddRange(lines.Select(line => line + "; it is left out"));
            set.RemoveAll(source => unreached.ContainsKey(source.Pkgbase));
        }

        if (set.Count == 0) return Verdict.Refuse("there is no package to build") with { Details = [.. details] };
        var begun = new BootstrapBegun(
            begin.Name, begin.Seeds, [.. set.Select(source => source.Pkgbase)], begin.MaxStages)
        { LeftOut = [.. details] };
        details.AddRange(Plan(state, set, CutsOf(MasterMachine.Apply(state, begun, begin.Time).State, begin.Name)));
        return new Verdict(begin.DryRun ? [] : [begun], null)
        {
            Details = [.. details],
        };
    }

    private static string? FindFault(MasterState state, MasterSettings settings, BeginBootstrap begin)
    {
        if (!NodeName.IsValid(begin.Name) || Reserved.Contains(begin.Name)
            || begin.Name.Length + Bootstraps.StageSuffix.Length + 3 > NodeName.MaxLength)
            return $"a bootstrap's name must be {NodeName.Rule}, and short enough for its stages' names";
        if (state.Bootstraps.ContainsKey(begin.Name))
            return $"there is a bootstrap {begin.Name} already: merge or drop it first";
        var stem = begin.Name + Bootstraps.StageSuffix;
        var taken = state.Rebuilds.Keys.Concat(settings.Repositories).Concat(settings.Outside.Select(one => one.Name))
            .FirstOrDefault(name => name == begin.Name || name.StartsWith(stem, StringComparison.Ordinal));
        if (taken is not null) return $"{taken} is the name of a rebuild or repository already";
        if (begin.Seeds.IsEmpty) return "a bootstrap needs a seed: a repository of others to install from";
        if (begin.Seeds.FirstOrDefault(seed => settings.Outside.All(one => one.Name != seed)) is { } strange)
            return $"{strange} is no repository of others in the configuration; there "
                + (settings.Outside.IsEmpty
                    ? "is none"
                    : $"are {string.Join(", ", settings.Outside.Select(one => one.Name))}");
        return begin.MaxStages is >= 1 and <= Bootstraps.MaxStages
            ? null
            : $"a bootstrap has from 1 to {Bootstraps.MaxStages} stages";
    }

    private static (List<SourcePackage> Set, List<string> Unknown) Choose(
        MasterState state, BeginBootstrap begin, List<string> details)
    {
        var all = state.Packages.Values.Where(record => record.Source is not null)
            .OrderBy(record => record.Source!.Pkgbase, StringComparer.Ordinal).ToList();
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        var unknown = new List<string>();
        foreach (var name in begin.Names)
        {
            var found = all.Find(record => record.Source!.Pkgbase == name)
                ?? all.Find(record => record.Source!.Packages.Any(output => output.Name == name));
            if (found is null) unknown.Add(name);
            else wanted.Add(found.Source!.Pkgbase);
        }

        var set = new List<SourcePackage>();
        foreach (var record in all.Where(one => begin.Names.IsEmpty || wanted.Contains(one.Source!.Pkgbase)))
        {
            var source = record.Source!;
            if (record.Held is { } held)
                details.Add($"{source.Pkgbase} is left out: it is held ({held.Reason})");
            else if (Wants.Targets(state.Settings!, source).Any()) set.Add(source);
        }

        return (set, unknown);
    }

    /// <summary>What of a set cannot be reached on the first architecture that has such, and why; empty when all can be
    /// on all.</summary>
    private static ImmutableSortedDictionary<string, string> FindUnreached(
        MasterState state, MasterSettings settings, BeginBootstrap begin, List<SourcePackage> set)
    {
        foreach (var architecture in settings.Architectures)
        {
            var here = set.ToLookup(source => IsBuiltOn(settings, source, architecture));
            var unreached = SeedReach.FindUnreachable(
                [.. here[true]],
                // Built on the first architecture, it is there for all then.
                [.. here[false].Where(source => source.Architectures.Contains("any"))],
                [.. begin.Seeds.Select(seed => state.Outside
                    .GetValueOrDefault(MasterState.RepositoryKey(seed, architecture))?.Index).OfType<PackageIndex>()],
                architecture);
            if (!unreached.IsEmpty) return unreached;
        }

        return ImmutableSortedDictionary<string, string>.Empty;
    }

    private static bool IsBuiltOn(MasterSettings settings, SourcePackage source, string architecture) =>
        source.Architectures.Contains("any")
            ? architecture == settings.Architectures[0]
            : source.Architectures.Contains(architecture);

    /// <summary>Where the first stage of a bootstrap that has begun is cut: told is what will be done, since it was
    /// tried.</summary>
    private static HashSet<(string Pkgbase, string Older)> CutsOf(MasterState begun, string name)
    {
        var stage = begun.Bootstraps[name].RepositoryOf(1);
        var jobs = begun.Jobs.Values.Where(job => job.Rebuild == stage).ToList();
        var providers = jobs
            .SelectMany(job => begun.SourceOf(job)!.Packages.SelectMany(output => output.Provides
                .AddRange(output.ProvidesByArchitecture.GetValueOrDefault(begun.Settings!.ArchitectureOf(job), []))
                .Select(provision => Relation.Parse(provision).Name).Append(output.Name))
                .Select(provided => (Provided: provided, job.Pkgbase)))
            .ToLookup(one => one.Provided, one => one.Pkgbase, StringComparer.Ordinal);
        return
        [
            .. from job in jobs
               from relation in job.Cut
               from older in providers[Relation.Parse(relation).Name]
               select (job.Pkgbase, older),
        ];
    }

    private static IEnumerable<string> Plan(
        MasterState state, List<SourcePackage> set, HashSet<(string Pkgbase, string Older)> cuts)
    {
        var graph = FarmGraph.Of(state);
        var names = set.Select(source => source.Pkgbase).ToHashSet(StringComparer.Ordinal);
        var plan = RebuildPlan.Of(
            graph, [.. Enumerable.Range(0, graph.Nodes.Length).Where(node => names.Contains(graph.Nodes[node].Name))],
            cuts);
        var builders = state.Builders.Values.Select(builder => builder.Description).ToList();
        return RebuildText.Lines(
            plan, set.ToDictionary(source => source.Pkgbase, source => source.Version, StringComparer.Ordinal),
            builders.Select(builder => builder.Weight).DefaultIfEmpty(1).Max(),
            builders.Sum(builder => builder.Weight * builder.Slots) is > 0 and var together ? together : 1);
    }
}
