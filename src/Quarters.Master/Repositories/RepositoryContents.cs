using System.Text.Json;
using Microsoft.Extensions.Caching.Memory;
using Quarters.Alpm;
using Quarters.Core;
using Quarters.Core.Master;

namespace Quarters.Master.Repositories;

/// <summary>
/// Answers what acceptance asks of databases: whether a snapshot holds a package, and who installs a path. Only the
/// segments in question are read, and what was read is remembered by the digest of its bytes: between two acceptances
/// one segment changes, and one is read.
/// </summary>
internal sealed class RepositoryContents(MasterFolders folders) : IDisposable
{
    /// <summary>So many packages are remembered by name and version, in about 100 bytes each.</summary>
    private const int MaxPackages = 250_000;

    /// <summary>So many paths are remembered, in 4 bytes each.</summary>
    private const int MaxPaths = 16_000_000;

    private static readonly SyncReadLimits Limits = new();

    private readonly MemoryCache _packages = new(new MemoryCacheOptions { SizeLimit = MaxPackages });
    private readonly MemoryCache _paths = new(new MemoryCacheOptions { SizeLimit = MaxPaths });

    /// <summary>Which of these packages a snapshot holds, in exactly this version.</summary>
    /// <exception cref="AlpmFormatException">A database of the snapshot is damaged, or it is lost.</exception>
    public HashSet<InstalledPackage> Held(string snapshot, IEnumerable<InstalledPackage> asked)
    {
        var wanted = asked.ToHashSet();
        var held = new HashSet<InstalledPackage>();
        var folder = Path.Combine(folders.Snapshots, snapshot);
        var digests = Digests(folder);
        foreach (var path in DatabasesIn(folder))
        {
            using var file = File.OpenRead(path);
            var segmented = SegmentedDatabase.Open(file);
            held.UnionWith(wanted.Where(
                p => Packages(path, digests, file, segmented, p.Name).Contains(p.ToString())));
        }

        return held;
    }

    /// <summary>Which packages of our repositories install which of these paths.</summary>
    /// <exception cref="AlpmFormatException">A database of ours is damaged or lost.</exception>
    public Dictionary<string, List<string>> Owners(
        IEnumerable<RepositoryState> repositories, IReadOnlySet<string> paths)
    {
        var owners = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var repository in repositories)
        {
            var path = Path.Combine(
                folders.Repository(repository.Name, repository.Architecture), repository.Name + ".files");
            // One that was never published holds nothing.
            if (repository.DatabaseSha256 is null) continue;
            if (!File.Exists(path)) throw new AlpmFormatException(path, "it is lost");
            using var file = File.OpenRead(path);
            if (SegmentedDatabase.Open(file) is not { } database)
                throw new AlpmFormatException(path, "it is damaged");
            foreach (var segment in database.Segments.Where(s => MayHold(database, s, paths)))
                AddOwners(owners, database.Read(segment, Limits), paths);
        }

        return owners;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _packages.Dispose();
        _paths.Dispose();
    }

    /// <summary>The databases that a snapshot has, which are there whatever becomes of its document.</summary>
    private static string[] DatabasesIn(string folder) => Directory.Exists(folder)
        ? Directory.GetFiles(folder, "*.db", SearchOption.AllDirectories)
        : throw new AlpmFormatException(folder, "it is lost");

    /// <summary>The digest of each database of a snapshot, by the repository's name; none when its document is lost:
    /// then they are read once more.</summary>
    private static Dictionary<string, string> Digests(string folder)
    {
        var path = Path.Combine(folder, Publisher.SnapshotName);
        if (!File.Exists(path)) return [];
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), QuartersJson.Default.SnapshotDocument)!
                .Repositories.ToDictionary(r => r.Name, r => r.DatabaseSha256, StringComparer.Ordinal);
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private HashSet<string> Packages(
        string path, Dictionary<string, string> digests, FileStream file, SegmentedDatabase? segmented, string name)
    {
        if (segmented is null)
        {
            var key = digests.GetValueOrDefault(Path.GetFileNameWithoutExtension(path), path);
            return Remembered(_packages, key, () =>
            {
                file.Position = 0;
                return SyncDatabase.Read(file, Limits).Select(Installed).ToHashSet();
            }, set => set.Count);
        }

        return segmented.Find(name) is { } segment
            ? Remembered(
                _packages, segment.Sha256, () => segmented.Read(segment, Limits).Select(Installed).ToHashSet(),
                set => set.Count)
            : [];
    }

    /// <summary>Paths are remembered by 32 bits of their hash: one that is found may be there, one that is not is
    /// not.</summary>
    private bool MayHold(SegmentedDatabase database, StoredSegment segment, IReadOnlySet<string> paths)
    {
        var hashes = Remembered(
            _paths, segment.Sha256, () => Hashes(database.Read(segment, Limits)), all => all.Length);
        return paths.Any(path => Array.BinarySearch(hashes, HashOf(path)) >= 0);
    }

    private static int[] Hashes(IEnumerable<SyncEntry> entries)
    {
        int[] hashes = [.. entries.SelectMany(e => e.Files ?? []).Where(p => !p.EndsWith('/')).Select(HashOf)];
        Array.Sort(hashes);
        return hashes;
    }

    private static int HashOf(string path) => path.GetHashCode(StringComparison.Ordinal);

    private static void AddOwners(
        Dictionary<string, List<string>> owners, IEnumerable<SyncEntry> entries, IReadOnlySet<string> paths)
    {
        foreach (var entry in entries)
        {
            foreach (var path in (entry.Files ?? []).Where(paths.Contains))
            {
                if (!owners.TryGetValue(path, out var names)) owners[path] = names = [];
                names.Add(entry.Name);
            }
        }
    }

    /// <summary>As <c>.BUILDINFO</c> names it; a text takes half the memory of what it says.</summary>
    private static string Installed(SyncEntry entry) => $"{entry.Name}-{entry.Version}-{entry.Architecture}";

    private static T Remembered<T>(MemoryCache cache, string digest, Func<T> read, Func<T, int> size)
        where T : class => cache.GetOrCreate(digest, entry =>
        {
            var known = read();
            entry.Size = size(known) + 1;
            return known;
        })!;
}
