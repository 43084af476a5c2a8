using System.Collections.Immutable;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>The packages of all sources as a graph has them.</summary>
public static class FarmGraph
{
    /// <summary>Every package base that a source holds, by name.</summary>
    public static ImmutableArray<GraphPackage> PackagesOf(MasterState state)
    {
        if (state.Settings is not { } settings) return [];
        var costs = new CostBook(state);
        return
        [
            .. state.Packages.Where(pair => pair.Value.Source is not null)
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => Graph(pair.Value.Source!, settings.Architectures[0], costs.Expected(pair.Value))),
        ];
    }

    private static GraphPackage Graph(SourcePackage source, string architecture, double seconds)
    {
        var more = source.DependenciesByArchitecture.GetValueOrDefault(architecture, BuildDependencies.None);
        var dash = source.Version.LastIndexOf('-');
        return new GraphPackage
        {
            Pkgbase = source.Pkgbase,
            Pkgver = dash < 0 ? source.Version : source.Version[..dash],
            Pkgrel = dash < 0 ? "1" : source.Version[(dash + 1)..],
            Pkgnames = [.. source.Packages.Select(output => output.Name)],
            Depends = source.Dependencies.Depends.AddRange(more.Depends),
            Makedepends = source.Dependencies.Makedepends.AddRange(more.Makedepends),
            // What only single packages of it need to run does not keep it from being built.
            Checkdepends = [.. source.Dependencies.Checkdepends, .. more.Checkdepends,
                .. source.Packages.SelectMany(output => output.Depends)],
            Provides = [.. source.Packages.SelectMany(output => output.Provides.AddRange(
                output.ProvidesByArchitecture.GetValueOrDefault(architecture, [])))],
            Seconds = seconds,
        };
    }
}
