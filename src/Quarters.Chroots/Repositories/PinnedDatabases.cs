using Quarters.Alpm;

namespace Quarters.Chroots.Repositories;

/// <summary>Reads from a snapshot's databases what they say of packages.</summary>
internal static class PinnedDatabases
{
    /// <summary>Looks up the file, size and digest of packages that pacman chose.</summary>
    /// <param name="snapshot">The databases.</param>
    /// <param name="chosen">Repository and name, and the version.</param>
    /// <returns>Ordered by name, so that the same choice always reads the same.</returns>
    internal static IReadOnlyList<ResolvedPackage> Find(
        RepositorySnapshot snapshot, Dictionary<(string Repository, string Name), string> chosen)
    {
        var found = new List<ResolvedPackage>();
        foreach (var (repository, entry) in Entries(snapshot))
        {
            if (!chosen.TryGetValue((repository, entry.Name), out var version) || version != entry.Version.ToString())
                continue;
            var sha256 = entry.Sha256 ?? throw new PacmanException(
                $"The database of {repository} names no SHA-256 for {entry.FileName}, so it cannot be pinned.");
            found.Add(new ResolvedPackage(
                repository, entry.Name, version, entry.FileName, entry.CompressedSize, sha256));
        }

        if (found.Count != chosen.Count)
            throw new PacmanException("pacman chose packages that are not in the snapshot's databases.");
        return [.. found.OrderBy(package => package.Name, StringComparer.Ordinal)];
    }

    /// <summary>Those of some names that are packages or groups in the snapshot.</summary>
    internal static IReadOnlyList<string> Existing(RepositorySnapshot snapshot, IReadOnlyList<string> names)
    {
        var existing = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (_, entry) in Entries(snapshot))
            existing.UnionWith(names.Where(name => entry.Name == name || entry.Groups.Contains(name)));
        return [.. names.Where(existing.Contains)];
    }

    private static IEnumerable<(string Repository, SyncEntry Entry)> Entries(RepositorySnapshot snapshot)
    {
        foreach (var repository in snapshot.Repositories)
        {
            using var file = File.OpenRead(repository.DatabasePath);
            foreach (var entry in SyncDatabase.Read(file, new SyncReadLimits()))
                yield return (repository.Name, entry);
        }
    }
}
