using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Sources;

namespace Quarters.Core.Planning;

/// <summary>Which packages can be built when nothing is there but a seed, and why the others cannot.</summary>
public static class SeedReach
{
    /// <summary>Why packages cannot be reached, by package base.</summary>
    /// <param name="set">All that is to be built on the architecture.</param>
    /// <param name="elsewhere">What is built on another architecture for this one too; taken to be reached.</param>
    /// <param name="seeds">What is there already.</param>
    /// <param name="architecture">The architecture.</param>
    public static ImmutableSortedDictionary<string, string> FindUnreachable(
        IReadOnlyCollection<SourcePackage> set, IReadOnlyCollection<SourcePackage> elsewhere,
        ImmutableArray<PackageIndex> seeds, string architecture)
    {
        var offers = new Dictionary<string, List<(Relation As, string Pkgbase)>>(StringComparer.Ordinal);
        foreach (var source in set.Concat(elsewhere))
        {
            foreach (var provision in OffersOf(source, architecture))
            {
                if (!offers.TryGetValue(provision.As.Name, out var same)) offers[provision.As.Name] = same = [];
                same.Add((provision.As, source.Pkgbase));
            }
        }

        var reached = elsewhere.Select(source => source.Pkgbase).ToHashSet(StringComparer.Ordinal);
        var left = set.OrderBy(source => source.Pkgbase, StringComparer.Ordinal).ToList();
        // In each round at least one package is reached, or it is the last.
        while (left.RemoveAll(source => Missing(source) is null && reached.Add(source.Pkgbase)) > 0)
        {
        }

        return left.ToImmutableSortedDictionary(
            source => source.Pkgbase, source => Tell(source, Missing(source)!), StringComparer.Ordinal);

        string? Missing(SourcePackage source) => source.DependenciesOn(architecture).FirstOrDefault(
            text => !Relation.TryParse(text, out var relation)
                || (!seeds.Any(index => index.Find(relation.Name).Any(offer => relation.IsSatisfiedBy(offer.As)))
                    && !Providers(relation).Any(reached.Contains)));

        IEnumerable<string> Providers(Relation relation) => offers.GetValueOrDefault(relation.Name, [])
            .Where(offer => relation.IsSatisfiedBy(offer.As)).Select(offer => offer.Pkgbase);

        string Tell(SourcePackage source, string missing)
        {
            if (!Relation.TryParse(missing, out var relation)) return $"'{missing}' is no dependency";
            var provider = Providers(relation).FirstOrDefault(pkgbase => pkgbase != source.Pkgbase);
            if (provider is not null)
                return $"it needs {missing} of {provider}, which is not reached itself, and the seed has none";
            return Providers(relation).Any()
                ? $"it needs {missing}, which it makes itself, and the seed has none"
                : $"it needs {missing}, which neither the set makes nor the seed has";
        }
    }

    private static IEnumerable<Provision> OffersOf(SourcePackage source, string architecture) =>
        source.Packages.SelectMany(output => Provision.Of(
            output.Name, source.Version,
            output.Provides.AddRange(output.ProvidesByArchitecture.GetValueOrDefault(architecture, []))));
}
