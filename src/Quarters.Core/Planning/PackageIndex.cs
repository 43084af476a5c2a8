using System.Collections.Immutable;
using Quarters.Alpm;

namespace Quarters.Core.Planning;

/// <summary>
/// What a pinned repository of somebody else offers: names, versions and provisions, made once from its sync database.
/// </summary>
public sealed class PackageIndex
{
    private readonly Dictionary<string, ImmutableArray<Provision>> _byName = new(StringComparer.Ordinal);

    private PackageIndex(int count) => Count = count;

    /// <summary>An index of nothing.</summary>
    public static PackageIndex Empty { get; } = new(0);

    /// <summary>What is not known any more of a repository: it may have offered anything.</summary>
    public static PackageIndex Anything { get; } = new(0);

    /// <summary>How many packages there are.</summary>
    public int Count { get; }

    /// <summary>Makes the index of these packages. Provisions that are no relations are passed over: pacman could not
    /// use them.</summary>
    public static PackageIndex Of(IReadOnlyCollection<OfferedPackage> packages)
    {
        var index = new PackageIndex(packages.Count);
        foreach (var package in packages)
        {
            foreach (var provision in Provision.Of(package.Name, package.Version, package.Provides))
            {
                var name = provision.As.Name;
                index._byName[name] = index._byName.TryGetValue(name, out var had) ? had.Add(provision) : [provision];
            }
        }

        return index;
    }

    /// <summary>The first that satisfies a relation; null for none.</summary>
    internal Provision? FirstFor(Relation relation) => this == Anything
        ? new Provision(relation, relation.Name, relation.Name, IsPackage: true)
        : Provision.FirstOf(Find(relation.Name), relation);

    /// <summary>All that goes by this name.</summary>
    public ImmutableArray<Provision> Find(string name) => _byName.TryGetValue(name, out var found) ? found : [];
}

/// <summary>A package as a repository offers it.</summary>
public sealed record OfferedPackage(string Name, string Version, ImmutableArray<string> Provides);

/// <summary>One way to satisfy a name: a package itself, or something that it provides.</summary>
/// <param name="As">What it is known as, with the version that it has under that name.</param>
/// <param name="Package">The package that it is, or that provides it.</param>
/// <param name="Owner">The package again, or the job that will yield it.</param>
/// <param name="IsPackage">Whether it is the package of that name itself.</param>
public sealed record Provision(Relation As, string Package, string Owner, bool IsPackage)
{
    /// <summary>Everything that a package can be depended on as: its own name first.</summary>
    public static IEnumerable<Provision> Of(
        string name, string version, ImmutableArray<string> provides, string? owner = null)
    {
        if (Relation.TryParse($"{name}={version}", out var itself))
            yield return new Provision(itself, name, owner ?? name, IsPackage: true);
        foreach (var text in provides)
        {
            if (Relation.TryParse(text, out var provided))
                yield return new Provision(provided, name, owner ?? name, IsPackage: false);
        }
    }

    /// <summary>Of these the first that satisfies a relation; null for none.</summary>
    internal static Provision? FirstOf(ImmutableArray<Provision> provisions, Relation relation)
    {
        Provision? first = null;
        foreach (var provision in provisions)
        {
            if (!relation.IsSatisfiedBy(provision.As)) continue;
            if (first is null || Compare(provision, first) < 0) first = provision;
        }

        return first;
    }

    /// <summary>Which of two that satisfy a relation pacman takes first: a package of that very name before those that
    /// provide it, and of those the first by name.</summary>
    public static int Compare(Provision a, Provision b)
    {
        if (a.IsPackage != b.IsPackage) return a.IsPackage ? -1 : 1;
        var byPackage = string.CompareOrdinal(a.Package, b.Package);
        return byPackage != 0 ? byPackage : string.CompareOrdinal(a.Owner, b.Owner);
    }
}
