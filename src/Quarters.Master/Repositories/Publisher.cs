using System.Security.Cryptography;
using System.Text.Json;
using Quarters.Alpm;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Linux.Files;

namespace Quarters.Master.Repositories;

/// <summary>
/// Writes our repositories as pacman reads them. Package files are there first, the files database second and the
/// database last, each switched to by a rename, so that pacman can read at every instant. Everything written is a
/// function of the state and the package files: what is lost is made again, to the same bytes.
/// </summary>
internal sealed class Publisher(MasterFolders folders, IDisk disk)
{
    /// <summary>Whether the databases are there and say what the state says.</summary>
    public bool IsPublished(RepositoryState repository)
    {
        var path = DatabasePath(repository, "db");
        return repository.DatabaseSha256 is { } digest && File.Exists(DatabasePath(repository, "files"))
            && File.Exists(folders.Database(digest)) && File.Exists(path) && DigestOf(path) == digest;
    }

    /// <summary>Puts a checked package file, durable already, into its repository under its own name.</summary>
    public void Store(string file, string repository, string architecture, string fileName)
    {
        var folder = folders.Repository(repository, architecture);
        disk.CreateDirectory(folder);
        var target = Path.Combine(folder, fileName);
        disk.Delete(target + DurableFile.TemporarySuffix);
        disk.HardLink(file, target + DurableFile.TemporarySuffix);
        disk.Rename(target + DurableFile.TemporarySuffix, target);
        disk.SyncDirectory(folder);
    }

    /// <summary>Writes a repository's databases and switches to them.</summary>
    /// <exception cref="AlpmFormatException">A package file that was accepted cannot be read any more.</exception>
    public RepositoryPublished Publish(RepositoryState repository)
    {
        var (database, files) = Render(repository);
        var digest = Convert.ToHexStringLower(SHA256.HashData(database));
        disk.CreateDirectory(folders.Databases);
        disk.CreateDirectory(folders.Repository(repository.Name, repository.Architecture));
        DurableFile.Replace(disk, folders.Database(digest), database);
        DurableFile.Replace(disk, DatabasePath(repository, "files"), files);
        DurableFile.Replace(disk, DatabasePath(repository, "db"), database);
        return new RepositoryPublished(repository.Name, repository.Architecture, digest, database.Length);
    }

    /// <summary>Keeps the repositories as they are now for those who build against them.</summary>
    public void KeepSnapshots(MasterState state)
    {
        foreach (var architecture in state.Settings?.Architectures ?? [])
        {
            if (Snapshots.Of(state, architecture) is { } snapshot) Keep(snapshot);
        }
    }

    private void Keep(SnapshotDocument snapshot)
    {
        var folder = Path.Combine(folders.Snapshots, snapshot.Id);
        if (Directory.Exists(folder)) return;
        // A database of others that was lost is fetched again, and this is called again then.
        if (!snapshot.Repositories.All(r => File.Exists(folders.Database(r.DatabaseSha256)))) return;
        var aside = folder + DurableFile.TemporarySuffix;
        if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
        disk.CreateDirectory(aside);
        foreach (var repository in snapshot.Repositories)
        {
            var os = Path.Combine(aside, repository.Name, "os", snapshot.Architecture);
            disk.CreateDirectory(os);
            disk.HardLink(folders.Database(repository.DatabaseSha256), Path.Combine(os, repository.Name + ".db"));
            disk.SyncDirectory(os);
        }

        disk.Write(
            Path.Combine(aside, "snapshot.json"),
            JsonSerializer.SerializeToUtf8Bytes(snapshot, QuartersJson.Default.SnapshotDocument));
        disk.SyncDirectory(aside);
        disk.Rename(aside, folder);
        disk.SyncDirectory(folders.Snapshots);
    }

    /// <summary>Both databases: entries that did not change are taken over, the others read from their package
    /// files.</summary>
    private (byte[] Database, byte[] Files) Render(RepositoryState repository)
    {
        var wanted = repository.Packages.Values.ToDictionary(p => p.FileName, StringComparer.Ordinal);
        var entries = new Dictionary<string, SyncEntry>(StringComparer.Ordinal);
        foreach (var entry in Published(repository))
        {
            if (wanted.TryGetValue(
                entry.FileName, out var package) && package.Sha256 == entry.Sha256 && entry.Files is not null)
                entries[entry.FileName] = entry;
        }

        foreach (var package in wanted.Values)
        {
            if (!entries.ContainsKey(package.FileName)) entries[package.FileName] = ReadEntry(repository, package);
        }

        return (Write(entries.Values, withFiles: false), Write(entries.Values, withFiles: true));
    }

    private List<SyncEntry> Published(RepositoryState repository)
    {
        var path = DatabasePath(repository, "files");
        if (!File.Exists(path)) return [];
        try
        {
            using var stream = File.OpenRead(path);
            return [.. SyncDatabase.Read(stream, new SyncReadLimits())];
        }
        catch (AlpmFormatException)
        {
            // A damaged index costs time, not packages: all is read from the package files again.
            return [];
        }
    }

    private SyncEntry ReadEntry(RepositoryState repository, RepositoryPackage package)
    {
        using var stream = File.OpenRead(folders.Package(repository, package));
        var facts = PackageFile.Read(stream, new PackageReadLimits());
        return SyncEntry.FromPackage(facts.Info, package.FileName, package.Bytes, package.Sha256, facts.Files);
    }

    private static byte[] Write(IEnumerable<SyncEntry> entries, bool withFiles)
    {
        using var bytes = new MemoryStream();
        SyncDatabase.Write(bytes, entries, CompressionFormat.Zstandard, withFiles);
        return bytes.ToArray();
    }

    private string DatabasePath(RepositoryState repository, string extension) => Path.Combine(
        folders.Repository(repository.Name, repository.Architecture), $"{repository.Name}.{extension}");

    private static string DigestOf(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
