using System.Collections.Immutable;
using System.Text.Json;
using Quarters.Alpm;

namespace Quarters.Core.Planning;

/// <summary>
/// A file of package facts: one JSON object a line (<see cref="GraphPackage"/>), plain or compressed. For simulations
/// and for looking at a distribution's cycles.
/// </summary>
public static class GraphFile
{
    /// <summary>No file may unpack to more bytes.</summary>
    public const long MaxBytes = 1L << 30;

    /// <summary>No file may name more package bases.</summary>
    public const int MaxPackages = 1_000_000;

    /// <summary>Reads a graph file.</summary>
    /// <param name="file">The file's bytes, compressed or not; left open.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="AlpmFormatException">It is not one; the message names the line.</exception>
    public static ImmutableArray<GraphPackage> Read(Stream file, string name)
    {
        using var plain = Compression.OpenRead(file, name, MaxBytes);
        using var reader = new StreamReader(plain);
        var packages = ImmutableArray.CreateBuilder<GraphPackage>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var line = 1; reader.ReadLine() is { } text; line++)
        {
            if (string.IsNullOrWhiteSpace(text)) continue;
            var package = Parse(text, $"{name}, line {line}");
            if (!seen.Add(package.Pkgbase))
                throw new AlpmFormatException($"{name}, line {line}", $"{package.Pkgbase} is there a second time");
            if (packages.Count == MaxPackages)
                throw new AlpmFormatException(name, $"it names more than {MaxPackages} package bases");
            packages.Add(package);
        }

        return packages.DrainToImmutable();
    }

    /// <summary>
    /// The graph of these packages, in their order. A relation is resolved as the master does it where no repository
    /// holds anything: the package of that name, else the first, by name, of those that provide it. What nobody in the
    /// file provides is taken to be there. All edges can be cut.
    /// </summary>
    public static DependencyGraph GraphOf(ImmutableArray<GraphPackage> packages)
    {
        var offers = new Dictionary<string, List<(Provision Offer, int Node)>>(StringComparer.Ordinal);
        for (var node = 0; node < packages.Length; node++)
        {
            foreach (var offer in OffersOf(packages[node]))
            {
                if (!offers.TryGetValue(offer.As.Name, out var same)) offers[offer.As.Name] = same = [];
                same.Add((offer, node));
            }
        }

        var edges = new List<GraphEdge>();
        for (var node = 0; node < packages.Length; node++)
        {
            Add(node, packages[node].Checkdepends, DependencyKind.Check);
            Add(node, packages[node].Makedepends, DependencyKind.Make);
            Add(node, packages[node].Depends, DependencyKind.Run);
        }

        return new DependencyGraph([.. packages.Select(p => new GraphNode(p.Pkgbase, p.Seconds))], edges);

        void Add(int node, ImmutableArray<string> relations, DependencyKind kind)
        {
            foreach (var text in relations)
            {
                if (!Relation.TryParse(text, out var relation)) continue;
                if (Find(relation) is { } provider) edges.Add(new GraphEdge(node, provider, kind));
            }
        }

        int? Find(Relation relation)
        {
            (Provision Offer, int Node)? best = null;
            foreach (var (offer, node) in offers.GetValueOrDefault(relation.Name) ?? [])
            {
                if (!relation.IsSatisfiedBy(offer.As)) continue;
                if (best is not { } had || Provision.Compare(offer, had.Offer) < 0) best = (offer, node);
            }

            return best?.Node;
        }
    }

    private static IEnumerable<Provision> OffersOf(GraphPackage package)
    {
        foreach (var name in package.Pkgnames)
        {
            foreach (var offer in Provision.Of(name, package.Version, [], package.Pkgbase)) yield return offer;
        }

        // Which of its packages provides it is not told: the package base stands for all of them.
        foreach (var offer in Provision.Of(package.Pkgbase, package.Version, package.Provides))
        {
            if (!offer.IsPackage) yield return offer;
        }
    }

    private static GraphPackage Parse(string text, string where)
    {
        try
        {
            return JsonSerializer.Deserialize(text, QuartersJson.Default.GraphPackage)
                ?? throw new AlpmFormatException(where, "it says null instead of a package");
        }
        catch (JsonException problem)
        {
            throw new AlpmFormatException(
                where, "it is no package: a JSON object with pkgbase, pkgver, pkgrel and pkgnames at least", problem);
        }
    }
}
