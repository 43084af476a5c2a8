using Quarters.Alpm;

namespace Quarters.Sources.Aur;

/// <summary>Which package bases of the AUR are wanted: those asked for and, where asked too, what these
/// depend on and nobody else has.</summary>
/// <param name="catalog">What the AUR has.</param>
/// <param name="held">Package bases that the source holds: of several providers one that is there stays.</param>
/// <param name="isElsewhere">Whether another repository offers a name; null follows no dependency at all.</param>
internal sealed class AurWanted(IAurCatalog catalog, IReadOnlySet<string> held, Func<string, bool>? isElsewhere)
{
    private const int MaxRounds = 100;
    private const int MaxPackages = 50_000;

    private readonly Dictionary<string, AurPackage> _byName = new(StringComparer.Ordinal);
    private readonly HashSet<string> _provided = new(StringComparer.Ordinal);

    /// <summary>Package bases by name, each with the mark that its change is noticed by.</summary>
    internal SortedDictionary<string, string> Bases { get; } = new(StringComparer.Ordinal);

    /// <summary>What was asked for and is not there.</summary>
    internal SortedSet<string> Missing { get; } = new(StringComparer.Ordinal);

    /// <summary>The name in a dependency or provision.</summary>
    internal static string NameOf(string relation) =>
        Relation.TryParse(relation, out var parsed) ? parsed.Name : relation;

    /// <exception cref="SourceUnreachableException">The AUR cannot be asked, or more is wanted than can be.</exception>
    internal async Task CollectAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var found = await catalog.FindAsync(names, cancellationToken);
        Missing.UnionWith(names.Except(found.Select(package => package.Name), StringComparer.Ordinal));
        Add(found);
        for (var round = 0; isElsewhere is not null && found.Count > 0; round++)
        {
            if (round == MaxRounds || _byName.Count > MaxPackages)
                throw new SourceUnreachableException(
                    $"What the wanted packages depend on has no end: {_byName.Count} packages after {round} steps. "
                    + "Name fewer, or do without follow.");
            found = await DependenciesAsync(found, isElsewhere, cancellationToken);
            Add(found);
        }

        foreach (var package in _byName.Values)
        {
            var mark = $"{package.Version} {package.LastModified}";
            var name = package.PackageBase;
            if (!Bases.TryGetValue(name, out var had) || string.CompareOrdinal(had, mark) < 0)
                Bases[name] = mark;
        }
    }

    private void Add(IEnumerable<AurPackage> packages)
    {
        foreach (var package in packages)
        {
            _byName[package.Name] = package;
            _provided.Add(package.Name);
            _provided.UnionWith((package.Provides ?? []).Select(NameOf));
        }
    }

    private async Task<List<AurPackage>> DependenciesAsync(
        List<AurPackage> packages, Func<string, bool> elsewhere, CancellationToken cancellationToken)
    {
        var needed = packages.SelectMany(package => package.Dependencies).Select(NameOf)
            .Where(name => !_provided.Contains(name) && !elsewhere(name)).ToHashSet(StringComparer.Ordinal);
        // Whatever comes of it, it is not looked for twice.
        _provided.UnionWith(needed);
        var found = await catalog.FindAsync(needed, cancellationToken);
        needed.ExceptWith(found.Select(package => package.Name));
        needed.ExceptWith(found.SelectMany(package => package.Provides ?? []).Select(NameOf));
        foreach (var name in needed.Order(StringComparer.Ordinal))
        {
            var provider = (await catalog.ProvidersAsync(name, cancellationToken))
                .Where(package => (package.Provides ?? []).Any(provides => NameOf(provides) == name))
                .OrderByDescending(package => held.Contains(package.PackageBase))
                .ThenByDescending(package => package.NumVotes)
                .ThenBy(package => package.Name, StringComparer.Ordinal)
                .FirstOrDefault();
            if (provider is not null && !found.Contains(provider))
                found.Add(provider);
        }

        return found;
    }
}
