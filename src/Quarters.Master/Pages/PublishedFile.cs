using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Pages;

/// <summary>A package file in one of our repositories.</summary>
internal sealed record PublishedFile(string Repository, string Architecture, RepositoryPackage Package)
{
    /// <summary>Where it can be fetched.</summary>
    internal string Link => Links.PackageFile(Repository, Architecture, Package.FileName);

    /// <summary>The files of a package base as its source names them now, each once.</summary>
    internal static IEnumerable<PublishedFile> Of(MasterState state, string pkgbase)
    {
        if (state.Packages.GetValueOrDefault(pkgbase)?.Source is not { } source) return [];
        return state.Repositories.Values
            .SelectMany(repository => source.Packages
                .Select(output => repository.Packages.GetValueOrDefault(output.Name))
                .OfType<RepositoryPackage>()
                .Where(package => package.Pkgbase == pkgbase)
                .Select(package => new PublishedFile(repository.Name, repository.Architecture, package)))
            .DistinctBy(file => file.Package.FileName, StringComparer.Ordinal);
    }
}
