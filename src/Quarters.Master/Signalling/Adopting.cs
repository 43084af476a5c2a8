using System.Collections.Concurrent;
using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Linux.Files;
using Quarters.Master.Repositories;

namespace Quarters.Master.Signalling;

/// <summary>
/// Takes a repository of somebody else into one of ours: reads and compares all of it, copies the package files aside,
/// and has them put into their places and journaled in one step. What was copied in vain is deleted.
/// </summary>
internal sealed class Adopting(MasterFolders folders, IDisk disk, Ledger ledger, Publisher publisher)
{
    /// <summary>Settles an adoption, if it was not before.</summary>
    public async Task SettleAsync(AdoptRepository signal, CancellationToken cancellationToken)
    {
        // A crash may have left one of this signal.
        var copies = Path.Combine(folders.Incoming, "adopted-" + signal.Id);
        try
        {
            if (ledger.State.Signals.ContainsKey(signal.Id)) return;
            var (packages, problems) = Prepare(ledger.State, signal, copies, cancellationToken);
            await ledger.DecideAsync(now => Decide(now, signal, packages, problems, copies), cancellationToken);
        }
        finally
        {
            if (Directory.Exists(copies)) Directory.Delete(copies, recursive: true);
        }
    }

    private (IReadOnlyList<RepositoryPackage> Packages, IReadOnlyList<string> Problems) Prepare(
        MasterState state, AdoptRepository signal, string copies, CancellationToken cancellationToken)
    {
        if (Adoptions.FindFault(state, signal.Into) is not null) return ([], []);
        try
        {
            if (signal.Path.Length > AdoptRepository.MaxPathLength || !Path.IsPathRooted(signal.Path))
                return ([], ["the path of the repository must be absolute"]);
            var repository = RepositoryFolder.Find(signal.Path);
            // Package files without an entry stay where they are.
            var libraries = new ConcurrentDictionary<string, (IReadOnlyList<string> Own, IReadOnlyList<string> Needed)>(
                StringComparer.Ordinal);
            var links = new LinkReading(
                folders.OpenScratch,
                (entry, facts) => libraries[entry.FileName] = (facts.Sonames, facts.NeededSonames));
            var (entries, problems) = RepositoryCheck.Read(repository, kept: null, cancellationToken, links);
            if (problems.Count > 0) return ([], problems);
            List<RepositoryPackage> packages =
            [
                .. entries.Select(entry => Describe(entry) with
                {
                    Sonames = [.. libraries[entry.FileName].Own],
                    NeededSonames = [.. libraries[entry.FileName].Needed],
                }),
            ];
            // What would be refused need not be copied first.
            if (Adoptions.Settle(state, signal, packages, [])[0] is RepositoriesChanged coming)
                Copy(coming, repository.Directory, copies);
            return (packages, []);
        }
        catch (Exception unusable) when (unusable is MasterException or IOException or UnauthorizedAccessException)
        {
            return ([], [unusable.Message]);
        }
    }

    private ImmutableArray<MasterEvent> Decide(
        MasterState state, AdoptRepository signal, IReadOnlyList<RepositoryPackage> packages,
        IReadOnlyList<string> problems, string copies)
    {
        var events = Adoptions.Settle(state, signal, packages, problems);
        // Between reading and copying a file may have become another: what was copied is looked at.
        var unplaced = events.OfType<RepositoriesChanged>().SelectMany(c => publisher.Place(c, copies)).ToList();
        return unplaced.Count == 0
            ? events
            : Adoptions.Settle(state, signal, packages, [.. unplaced, "it may have changed meanwhile: try it again"]);
    }

    private static RepositoryPackage Describe(SyncEntry entry) => new()
    {
        Name = entry.Name,
        Pkgbase = entry.Base,
        Version = entry.Version.ToString(),
        Architecture = entry.Architecture,
        FileName = entry.FileName,
        Sha256 = entry.Sha256!,
        Bytes = entry.CompressedSize,
        Depends = [.. entry.Depends.Select(d => d.ToString())],
        Provides = [.. entry.Provides.Select(p => p.ToString())],
        Packager = entry.Packager,
    };

    private void Copy(RepositoriesChanged coming, string from, string copies)
    {
        disk.CreateDirectory(copies);
        foreach (var name in coming.Replacements.Select(one => one.After!.FileName).Distinct(StringComparer.Ordinal))
            disk.Copy(Path.Combine(from, name), Path.Combine(copies, name));
    }
}
