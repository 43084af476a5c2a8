using System.Collections.Immutable;
using System.Security.Cryptography;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Linux.Files;
using Quarters.Master.Repositories;

namespace Quarters.Master.Signalling;

/// <summary>
/// Takes a repository of somebody else into one of ours: reads and compares all of it, copies the package files to
/// their places, and has them journaled. A file that came in vain lies there unnamed, and nobody sees it.
/// </summary>
internal sealed class Adopting(MasterFolders folders, IDisk disk, Ledger ledger, Publisher publisher)
{
    /// <summary>Settles an adoption, if it was not before.</summary>
    public async Task SettleAsync(AdoptRepository signal, CancellationToken cancellationToken)
    {
        var state = ledger.State;
        if (state.Signals.ContainsKey(signal.Id)) return;
        List<RepositoryPackage> packages = [];
        IReadOnlyList<string> problems = [];
        if (Adoptions.FindFault(state, signal.Into) is null)
        {
            try
            {
                (packages, problems) = Read(signal.Path, cancellationToken);
                // What would be refused need not be copied first.
                if (Adoptions.Settle(state, signal, packages, problems)[0] is RepositoriesChanged coming)
                    Copy(coming, RepositoryFolder.Find(signal.Path));
            }
            catch (Exception unusable) when (unusable is MasterException or IOException or UnauthorizedAccessException)
            {
                problems = [unusable.Message];
            }
        }

        await ledger.DecideAsync(now => Decide(now, signal, packages, problems), cancellationToken);
    }

    private ImmutableArray<MasterEvent> Decide(
        MasterState state, AdoptRepository signal, List<RepositoryPackage> packages, IReadOnlyList<string> problems)
    {
        var events = Adoptions.Settle(state, signal, packages, problems);
        // Between reading and copying a file may have become another: what lies in its place is looked at.
        var changed = events.OfType<RepositoriesChanged>().SelectMany(publisher.Place).ToList();
        return changed.Count == 0
            ? events
            : Adoptions.Settle(state, signal, packages, [.. changed.Select(file => $"{file} changed meanwhile")]);
    }

    private static (List<RepositoryPackage> Packages, IReadOnlyList<string> Problems) Read(
        string path, CancellationToken cancellationToken)
    {
        if (path.Length > AdoptRepository.MaxPathLength || !Path.IsPathRooted(path))
            throw new MasterException("the path of the repository must be absolute");
        var repository = RepositoryFolder.Find(path);
        // Package files without an entry stay where they are.
        var others = Directory.EnumerateFiles(repository.Directory).Select(file => Path.GetFileName(file))
            .ToHashSet(StringComparer.Ordinal);
        var problems = RepositoryCheck.Problems(repository, others, cancellationToken);
        if (problems.Count > 0) return ([], problems);
        var entries = repository.Read();
        return (
            [.. entries.Select(entry => Describe(repository, entry))],
            [.. entries.Where(entry => !PackageFileName.TryParse(entry.FileName, out _))
                .Select(entry => $"{entry.FileName} is not the name of a package file")]);
    }

    private static RepositoryPackage Describe(RepositoryFolder repository, SyncEntry entry)
    {
        using var stream = File.OpenRead(Path.Combine(repository.Directory, entry.FileName));
        return new RepositoryPackage
        {
            Name = entry.Name,
            Pkgbase = entry.Base,
            Version = entry.Version.ToString(),
            Architecture = entry.Architecture,
            FileName = entry.FileName,
            Sha256 = entry.Sha256 ?? Convert.ToHexStringLower(SHA256.HashData(stream)),
            Bytes = stream.Length,
            Depends = [.. entry.Depends.Select(d => d.ToString())],
            Provides = [.. entry.Provides.Select(p => p.ToString())],
            Packager = entry.Packager,
        };
    }

    private void Copy(RepositoriesChanged coming, RepositoryFolder from)
    {
        foreach (var places in coming.Replacements.GroupBy(one => one.After!.FileName, StringComparer.Ordinal))
        {
            var copy = Path.Combine(folders.Incoming, "adopted-" + places.Key);
            disk.Copy(Path.Combine(from.Directory, places.Key), copy);
            foreach (var one in places) publisher.Store(copy, one.Repository, one.Architecture, places.Key);
            disk.Delete(copy);
        }
    }
}
