using Quarters.Alpm;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Repositories;

/// <summary>Reads the databases that are kept by hash: those of others that are pinned, and our own as they
/// were.</summary>
internal sealed class PinnedDatabases(MasterFolders folders)
{
    /// <summary>No database of others is larger than this, in bytes.</summary>
    public const long MaxBytes = 256L << 20;

    /// <summary>What a pinned repository offers; nothing when its file is gone (it is fetched again).</summary>
    public PackageIndex Index(PinnedRepository pinned)
    {
        var path = folders.Database(pinned.Sha256);
        return File.Exists(path) ? Read(path) : PackageIndex.Empty;
    }

    /// <summary>What a database offers.</summary>
    /// <exception cref="AlpmFormatException">It is no database.</exception>
    public static PackageIndex Read(string path)
    {
        using var stream = File.OpenRead(path);
        return PackageIndex.Of([.. SyncDatabase.Read(stream, new SyncReadLimits())
            .Select(e => new OfferedPackage(e.Name, e.Version.ToString(), [.. e.Provides.Select(p => p.ToString())]))]);
    }

    /// <summary>Every package of a snapshot as <c>.BUILDINFO</c> names it: <c>NAME-VERSION-ARCH</c>.</summary>
    public HashSet<string> PackagesOf(string snapshot)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(
            Path.Combine(folders.Snapshots, snapshot), "*.db", SearchOption.AllDirectories))
        {
            using var stream = File.OpenRead(path);
            foreach (var entry in SyncDatabase.Read(stream, new SyncReadLimits()))
                found.Add($"{entry.Name}-{entry.Version}-{entry.Architecture}");
        }

        return found;
    }

    /// <summary>Which packages of our repositories install which of these paths.</summary>
    public Dictionary<string, List<string>> Owners(
        IEnumerable<RepositoryState> repositories, IReadOnlySet<string> paths)
    {
        var owners = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var repository in repositories)
        {
            var file = Path.Combine(
                folders.Repository(repository.Name, repository.Architecture), repository.Name + ".files");
            if (!File.Exists(file)) continue;
            using var stream = File.OpenRead(file);
            foreach (var entry in SyncDatabase.Read(stream, new SyncReadLimits()))
            {
                foreach (var path in (entry.Files ?? []).Where(paths.Contains))
                {
                    if (!owners.TryGetValue(path, out var names)) owners[path] = names = [];
                    names.Add(entry.Name);
                }
            }
        }

        return owners;
    }
}
