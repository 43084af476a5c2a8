using System.Security.Cryptography;
using Quarters.Linux.Files;

namespace Quarters.Chroots.Repositories;

/// <summary>
/// Package files by their SHA-256, so that two files of one name (a rebuild, another repository) never stand for each
/// other. A transaction gets the files that it needs as hard links under their own names.
/// </summary>
internal sealed class PackageCache(string directory)
{
    /// <summary>Provides every package of a list to one transaction, fetching what is missing.</summary>
    /// <param name="packages">What pacman is going to install.</param>
    /// <param name="snapshot">Where it comes from.</param>
    /// <param name="fetch">Brings what is not there.</param>
    /// <param name="linkDirectory">Belongs to the transaction; the files appear there under their own names.</param>
    /// <param name="cancellationToken">Stops the download.</param>
    /// <exception cref="PackagesUnavailableException">A file was not brought, or is not what the database says.
    /// </exception>
    internal async Task ProvideAsync(
        IReadOnlyList<ResolvedPackage> packages,
        RepositorySnapshot snapshot,
        FetchPackages fetch,
        string linkDirectory,
        CancellationToken cancellationToken)
    {
        var folders = snapshot.LocalFolders().ToList();
        // What lies in a folder of the right size is pacman's to check: it does so before it installs.
        var wanted = packages.Where(package => !folders.Exists(folder =>
            new FileInfo(Path.Combine(folder, package.FileName)) is { Exists: true } file
            && file.Length == package.Bytes)).ToList();
        Directory.CreateDirectory(linkDirectory);
        var missing = wanted.Where(package => !File.Exists(PathOf(package))).ToList();
        if (missing.Count > 0)
            await FetchAsync(missing, snapshot, fetch, linkDirectory + ".fetched", cancellationToken);
        foreach (var package in wanted)
            LinuxDisk.Instance.HardLink(PathOf(package), Path.Combine(linkDirectory, package.FileName));
    }

    private async Task FetchAsync(
        List<ResolvedPackage> missing,
        RepositorySnapshot snapshot,
        FetchPackages fetch,
        string intoDirectory,
        CancellationToken cancellationToken)
    {
        var servers = snapshot.Repositories.ToDictionary(
            repository => repository.Name, repository => repository.Servers, StringComparer.Ordinal);
        Directory.CreateDirectory(intoDirectory);
        try
        {
            await fetch(
                [.. missing.Select(package => new NeededPackage
                {
                    Repository = package.Repository,
                    FileName = package.FileName,
                    Bytes = package.Bytes,
                    Sha256 = package.Sha256,
                    Servers = servers[package.Repository],
                })],
                intoDirectory,
                cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new PackagesUnavailableException($"Packages could not be fetched: {exception.Message}");
        }

        Directory.CreateDirectory(directory);
        foreach (var package in missing)
            await KeepAsync(package, Path.Combine(intoDirectory, package.FileName), cancellationToken);
    }

    private async Task KeepAsync(ResolvedPackage package, string fetched, CancellationToken cancellationToken)
    {
        if (!File.Exists(fetched))
            throw new PackagesUnavailableException($"{package.FileName} of {package.Repository} could not be fetched.");
        await using (var stream = File.OpenRead(fetched))
        {
            var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
            if (sha256 != package.Sha256)
                throw new PackagesUnavailableException(
                    $"{package.FileName} was fetched with SHA-256 {sha256}, but {package.Repository} says "
                    + $"{package.Sha256}.");
        }

        // Another build may have brought the same bytes meanwhile: to replace them changes nothing.
        LinuxDisk.Instance.Rename(fetched, PathOf(package));
    }

    private string PathOf(ResolvedPackage package) => Path.Combine(directory, package.Sha256);
}
