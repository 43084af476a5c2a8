using System.Collections.Immutable;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>The packages of all sources as a graph.</summary>
public static class FarmGraph
{
    /// <summary>
    /// Every package base that a source holds, by name, and what its build waits for on any of the architectures. Each
    /// architecture is resolved alone, since what provides a name may differ; together they may close a cycle that none
    /// has alone.
    /// </summary>
    public static DependencyGraph Of(MasterState state) => Of(state, source => source.Dependencies.Depends);

    /// <summary>The same packages, each with what its packages need to run besides: no build of it waits for that, but
    /// it may have to be built again with it.</summary>
    internal static DependencyGraph WithRunning(MasterState state) => Of(
        state, source =>
            [.. source.Dependencies.Depends, .. source.Packages.SelectMany(output => output.Depends)]);

    private static DependencyGraph Of(MasterState state, Func<SourcePackage, ImmutableArray<string>> depends)
    {
        var costs = new CostBook(state);
        var records = state.Packages.Values.Where(record => record.Source is not null)
            .OrderBy(record => record.Source!.Pkgbase, StringComparer.Ordinal)
            .Select(record => (Source: record.Source!, Seconds: costs.Expected(record))).ToList();
        return new DependencyGraph(
            [.. records.Select(record => new GraphNode(record.Source.Pkgbase, record.Seconds))],
            (state.Settings?.Architectures ?? []).SelectMany(architecture => GraphFile.GraphOf(
                [.. records.Select(record => On(
                    architecture, record.Source, depends(record.Source), record.Seconds))]).Edges));
    }

    private static GraphPackage On(
        string architecture, SourcePackage source, ImmutableArray<string> depends, double seconds)
    {
        var more = source.DependenciesByArchitecture.GetValueOrDefault(architecture, BuildDependencies.None);
        var dash = source.Version.LastIndexOf('-');
        return new GraphPackage
        {
            Pkgbase = source.Pkgbase,
            Pkgver = dash < 0 ? source.Version : source.Version[..dash],
            Pkgrel = dash < 0 ? "1" : source.Version[(dash + 1)..],
            Pkgnames = [.. source.Packages.Select(output => output.Name)],
            Depends = depends.AddRange(more.Depends),
            Makedepends = source.Dependencies.Makedepends.AddRange(more.Makedepends),
            Checkdepends = source.Dependencies.Checkdepends.AddRange(more.Checkdepends),
            Provides = [.. source.Packages.SelectMany(output => output.Provides.AddRange(
                output.ProvidesByArchitecture.GetValueOrDefault(architecture, [])))],
            Seconds = seconds,
        };
    }
}
