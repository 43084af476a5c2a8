namespace Quarters.Sources.Aur;

/// <summary>Answers what packages the AUR has.</summary>
internal interface IAurCatalog
{
    /// <summary>The packages of these names that there are.</summary>
    /// <exception cref="SourceUnreachableException">It cannot be asked now.</exception>
    Task<List<AurPackage>> FindAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken);

    /// <summary>The packages that provide a name.</summary>
    /// <exception cref="SourceUnreachableException">It cannot be asked now.</exception>
    Task<List<AurPackage>> ProvidersAsync(string name, CancellationToken cancellationToken);
}
