using System.Collections.Immutable;
using Quarters.Alpm;

namespace Quarters.Core.Planning;

/// <summary>
/// What pacman sees where some of our repositories are enabled, for one architecture: of several packages of one name
/// that of the first repository; and, behind all, the repositories of others. Knows who needs what, so that a change
/// costs by what it touches.
/// </summary>
public sealed class World
{
    private readonly Dictionary<string, RepositoryPackage> _packages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Provision>> _offers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _neededBy = new(StringComparer.Ordinal);
    private readonly ImmutableArray<PackageIndex> _outside;

    /// <summary>Makes a world.</summary>
    /// <param name="repositories">The packages of each of our repositories, in pacman's order.</param>
    /// <param name="outside">The repositories of others behind them.</param>
    public World(IEnumerable<IEnumerable<RepositoryPackage>> repositories, ImmutableArray<PackageIndex> outside)
    {
        _outside = outside;
        foreach (var package in repositories.SelectMany(packages => packages))
        {
            if (!_packages.TryAdd(package.Name, package)) continue;
            foreach (var offer in Provision.Of(package.Name, package.Version, package.Provides))
            {
                if (!_offers.TryGetValue(offer.As.Name, out var same)) _offers[offer.As.Name] = same = [];
                same.Add(offer);
            }

            foreach (var relation in RelationsOf(package))
            {
                if (!_neededBy.TryGetValue(relation.Name, out var needers)) _neededBy[relation.Name] = needers = [];
                needers.Add(package.Name);
            }
        }
    }

    /// <summary>The package of a name; null for none.</summary>
    public RepositoryPackage? Find(string name) => _packages.GetValueOrDefault(name);

    /// <summary>Whether somebody satisfies a relation.</summary>
    public bool Satisfies(Relation relation) => Provider(relation) is not null || IsSatisfiedOutside(relation);

    /// <summary>Who of ours satisfies a relation: the package of that name, else the first by name.</summary>
    public RepositoryPackage? Provider(Relation relation)
    {
        Provision? best = null;
        foreach (var offer in _offers.GetValueOrDefault(relation.Name) ?? [])
        {
            if (!relation.IsSatisfiedBy(offer.As)) continue;
            if (best is null || Provision.Compare(offer, best) < 0) best = offer;
        }

        return best is null ? null : _packages[best.Package];
    }

    /// <summary>
    /// What is broken here and was not in the world before: every need of a package that was not there before, every
    /// need of the others that was satisfied then, and every library that went while packages are linked with it. Only
    /// what differs is looked at.
    /// </summary>
    public IEnumerable<BrokenNeed> BrokenSince(World before)
    {
        var suspects = new SortedSet<string>(StringComparer.Ordinal);
        var gone = new Dictionary<string, RepositoryPackage>(StringComparer.Ordinal);
        var come = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in _packages.Keys.Union(before._packages.Keys, StringComparer.Ordinal))
        {
            var (was, now) = (before.Find(name), Find(name));
            if (was?.Sha256 == now?.Sha256 && was?.FileName == now?.FileName) continue;
            if (now is not null) suspects.Add(name);
            come.UnionWith(now?.Sonames ?? []);
            if (was is null) continue;
            foreach (var soname in was.Sonames) gone.TryAdd(soname, was);
            foreach (var offer in Provision.Of(was.Name, was.Version, was.Provides))
                suspects.UnionWith(_neededBy.GetValueOrDefault(offer.As.Name) ?? []);
        }

        foreach (var package in suspects.Select(name => _packages[name]))
        {
            var isNew = before.Find(package.Name)?.Sha256 != package.Sha256;
            foreach (var relation in RelationsOf(package))
            {
                if (Satisfies(relation) || (!isNew && !before.Satisfies(relation))) continue;
                yield return new BrokenNeed(package, relation.ToString(), before.Provider(relation), isNew);
            }
        }

        foreach (var soname in come) gone.Remove(soname);
        // Most changes take no library away, and then nobody else is asked.
        if (gone.Count == 0) yield break;
        foreach (var need in LinkedWith(gone))
            yield return need with { IsNew = before.Find(need.Package.Name)?.Sha256 != need.Package.Sha256 };
    }

    /// <summary>Who is linked with libraries that went and that nobody of ours has now.</summary>
    private IEnumerable<BrokenNeed> LinkedWith(Dictionary<string, RepositoryPackage> gone)
    {
        foreach (var soname in _packages.Values.SelectMany(package => package.Sonames)) gone.Remove(soname);
        return from package in _packages.Values
               from soname in package.NeededSonames
               let lost = gone.GetValueOrDefault(soname)
               where lost is not null && !IsReplacedOutside(lost)
               select new BrokenNeed(package, soname, lost, false);
    }

    /// <summary>Whether a package went and somebody else offers what it was known as: which libraries theirs has is not
    /// known.</summary>
    private bool IsReplacedOutside(RepositoryPackage lost) => !_packages.ContainsKey(lost.Name)
        && Provision.Of(lost.Name, lost.Version, lost.Provides).Any(offer => _outside.Any(
            index => index.Find(offer.As.Name).Any(other => !_packages.ContainsKey(other.Package))));

    private bool IsSatisfiedOutside(Relation relation) => _outside.Any(
        index => index.Find(relation.Name).Any(
            offer => !_packages.ContainsKey(offer.Package) && relation.IsSatisfiedBy(offer.As)));

    private static IEnumerable<Relation> RelationsOf(RepositoryPackage package)
    {
        foreach (var text in package.Depends)
        {
            if (Relation.TryParse(text, out var relation)) yield return relation;
        }
    }
}

/// <summary>A dependency that nobody would satisfy, or a library that nobody would have.</summary>
/// <param name="Package">Whose it is.</param>
/// <param name="What">The dependency as it is written, or the library's soname, such as
/// <c>libfoo.so=2-64</c>.</param>
/// <param name="Lost">Who of ours satisfied it before; null for none.</param>
/// <param name="IsNew">Whether the package is not there yet.</param>
public sealed record BrokenNeed(RepositoryPackage Package, string What, RepositoryPackage? Lost, bool IsNew);
