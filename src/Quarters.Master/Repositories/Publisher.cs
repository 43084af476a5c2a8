using System.Security.Cryptography;
using System.Text.Json;
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
    /// <summary>The name of a snapshot's document in its folder.</summary>
    public const string SnapshotName = "snapshot.json";

    /// <summary>What to do about the files that <see cref="Place"/> tells of.</summary>
    public const string PlaceAdvice =
        "mend what the disk refuses; put back what is gone, or have it built anew (quarters rebuild NAME PKG, then "
        + "quarters merge NAME)";

    /// <summary>Whether the databases are there, are whole, and say what the state says.</summary>
    public bool IsPublished(RepositoryState repository)
    {
        var path = DatabasePath(repository, "db");
        return repository.DatabaseSha256 is { } digest && File.Exists(folders.Database(digest))
            && StoredFile.IsWhole(path, digest)
            && DatabaseRendering.IsWhole(repository, DatabasePath(repository, "files"));
    }

    /// <summary>Puts a checked package file, durable already, into its repository under its own name.</summary>
    public void Store(string file, string repository, string architecture, string fileName)
    {
        var folder = folders.Repository(repository, architecture);
        Link(file, folder, fileName);
        disk.SyncDirectory(folder);
    }

    /// <summary>
    /// Puts the files of a change where it wants them, before it is journaled: each from where it was, or from where it
    /// still lies.
    /// </summary>
    /// <param name="changed">The change.</param>
    /// <param name="incoming">A directory whose files, durable already, may come from outside; null for none.</param>
    /// <returns>Which files are nowhere, or what the disk refused, a sentence each; none when all is in
    /// place.</returns>
    public IReadOnlyList<string> Place(RepositoriesChanged changed, string? incoming)
    {
        var problems = new List<string>();
        try
        {
            PlaceAll(changed, incoming, problems);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // Nothing is journaled yet, so it is the change that fails, not the master. Who asked is told.
            problems.Add(refused.Message);
        }

        return problems;
    }

    private void PlaceAll(RepositoriesChanged changed, string? incoming, List<string> problems)
    {
        var gaining = new HashSet<string>(StringComparer.Ordinal);
        foreach (var one in changed.Replacements)
        {
            if (one.After is not { } package) continue;
            // Where it goes it may lie already, from before; else any repository may have it.
            var from = Directory.EnumerateDirectories(folders.Repositories).Select(Path.GetFileName)
                .OrderBy(name => name == one.Repository ? 0 : 1)
                .Select(name => folders.Repository(name!, one.Architecture)).Concat(incoming is null ? [] : [incoming])
                .FirstOrDefault(folder => IsThere(Path.Combine(folder, package.FileName), package));
            var target = folders.Repository(one.Repository, one.Architecture);
            if (from is null)
            {
                problems.Add(
                    $"{one.Key()}/{package.FileName} is gone: no repository has it with the SHA-256 sum "
                    + package.Sha256);
            }
            else if (from != target)
            {
                Link(Path.Combine(from, package.FileName), target, package.FileName);
                gaining.Add(target);
            }
        }

        // Once for all: a merge brings thousands of files, and everybody waits for it.
        foreach (var folder in gaining) disk.SyncDirectory(folder);
    }

    /// <summary>Takes a repository down that is no more.</summary>
    public void Withdraw(RepositoryState repository)
    {
        // The database first: what it names is there as long as it is.
        disk.Delete(DatabasePath(repository, "db"));
        var folder = Path.Combine(folders.Repositories, repository.Name);
        disk.DeleteDirectory(folder);
    }

    /// <summary>Takes down what a crash left of repositories that are no more.</summary>
    public void WithdrawOthers(MasterState state)
    {
        var known = state.Repositories.Values.Select(repository => repository.Name)
            .Concat(state.Settings?.Repositories ?? []).ToHashSet(StringComparer.Ordinal);
        foreach (var folder in Directory.GetDirectories(folders.Repositories))
        {
            if (!known.Contains(Path.GetFileName(folder))) disk.DeleteDirectory(folder);
        }
    }

    private void Link(string file, string folder, string fileName)
    {
        disk.CreateDirectory(folder);
        var target = Path.Combine(folder, fileName);
        disk.Delete(target + DurableFile.TemporarySuffix);
        disk.HardLink(file, target + DurableFile.TemporarySuffix);
        disk.Rename(target + DurableFile.TemporarySuffix, target);
    }

    private static bool IsThere(string path, RepositoryPackage package) =>
        File.Exists(path) && new FileInfo(path).Length == package.Bytes && StoredFile.IsWhole(path, package.Sha256);

    /// <summary>Writes a repository's databases and switches to them. What did not change is copied from those that
    /// are there.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="tellLeftOut">Is told of each package that is left out since its file is gone, damaged or cannot be
    /// read, in a sentence.</param>
    public RepositoryPublished Publish(RepositoryState repository, Action<string> tellLeftOut)
    {
        var folder = folders.Repository(repository.Name, repository.Architecture);
        disk.CreateDirectory(folders.Databases);
        disk.CreateDirectory(folder);
        var (database, files) = (DatabasePath(repository, "db"), DatabasePath(repository, "files"));
        var aside = Path.Combine(
            folders.Databases, $"{repository.Name}.{repository.Architecture}{DurableFile.TemporarySuffix}");
        using var sha256 = SHA256.Create();
        var rendering = new DatabaseRendering(repository, Locate, database, files);
        var bytes = 0L;
        DurableFile.Write(disk, aside, plain => DurableFile.Write(disk, files + DurableFile.TemporarySuffix, full =>
        {
            using var hashed = new CryptoStream(plain, sha256, CryptoStreamMode.Write, leaveOpen: true);
            bytes = rendering.Write(hashed, full);
        }));
        foreach (var sentence in rendering.LeftOut) tellLeftOut(sentence);
        var digest = Convert.ToHexStringLower(sha256.Hash!);
        disk.Rename(aside, folders.Database(digest));
        disk.SyncDirectory(folders.Databases);
        disk.Rename(files + DurableFile.TemporarySuffix, files);
        disk.Delete(database + DurableFile.TemporarySuffix);
        disk.HardLink(folders.Database(digest), database + DurableFile.TemporarySuffix);
        disk.Rename(database + DurableFile.TemporarySuffix, database);
        disk.SyncDirectory(folder);
        return new RepositoryPublished(repository.Name, repository.Architecture, digest, bytes);
    }

    /// <summary>Keeps the repositories as they are now for those who build against them.</summary>
    public void KeepSnapshots(MasterState state)
    {
        foreach (var (snapshot, _) in Snapshots.Current(state)) Keep(snapshot);
    }

    /// <summary>Replaces what is lost or damaged of the snapshots that builds are offered by what is whole: it is one
    /// file, linked to from both places, until it is written again.</summary>
    /// <returns>The databases that were replaced.</returns>
    public IReadOnlyList<string> MendSnapshots(MasterState state)
    {
        var mended = new List<string>();
        foreach (var (snapshot, _) in Snapshots.Current(state))
        {
            Keep(snapshot);
            foreach (var repository in snapshot.Repositories)
            {
                var whole = folders.Database(repository.DatabaseSha256);
                var os = Path.Combine(
                    folders.Snapshots, snapshot.Id, repository.Name, "os", snapshot.Architecture);
                var name = repository.Name + ".db";
                if (StoredFile.IsWhole(Path.Combine(os, name), repository.DatabaseSha256)
                    || !StoredFile.IsWhole(whole, repository.DatabaseSha256)) continue;
                Link(whole, os, name);
                disk.SyncDirectory(os);
                mended.Add(Path.Combine(os, name));
            }
        }

        return mended;
    }

    private void Keep(SnapshotDocument snapshot)
    {
        var folder = Path.Combine(folders.Snapshots, snapshot.Id);
        if (Directory.Exists(folder))
        {
            // It goes first where somebody deletes by hand, and builders ask for it.
            if (!File.Exists(Path.Combine(folder, SnapshotName))) Describe(snapshot, folder);
            return;
        }

        // A database of others that was lost is fetched again, and this is called again then.
        if (!snapshot.Repositories.All(r => File.Exists(folders.Database(r.DatabaseSha256)))) return;
        var aside = folder + DurableFile.TemporarySuffix;
        disk.DeleteDirectory(aside);
        disk.CreateDirectory(aside);
        foreach (var repository in snapshot.Repositories)
        {
            var os = Path.Combine(aside, repository.Name, "os", snapshot.Architecture);
            disk.CreateDirectory(os);
            disk.HardLink(folders.Database(repository.DatabaseSha256), Path.Combine(os, repository.Name + ".db"));
            disk.SyncDirectory(os);
        }

        Describe(snapshot, aside);
        disk.Rename(aside, folder);
        disk.SyncDirectory(folders.Snapshots);
    }

    private void Describe(SnapshotDocument snapshot, string folder)
    {
        var path = Path.Combine(folder, SnapshotName);
        disk.Write(
            path + DurableFile.TemporarySuffix,
            JsonSerializer.SerializeToUtf8Bytes(snapshot, QuartersJson.Default.SnapshotDocument));
        disk.Rename(path + DurableFile.TemporarySuffix, path);
        disk.SyncDirectory(folder);
    }

    /// <summary>A package's file. What is for any architecture may yet have to be linked from where another has
    /// it.</summary>
    /// <exception cref="UnreadablePackageException">It cannot be linked.</exception>
    private string Locate(RepositoryState repository, RepositoryPackage package)
    {
        var path = folders.Package(repository, package);
        if (File.Exists(path)) return path;
        var elsewhere = Directory.EnumerateDirectories(Path.Combine(folders.Repositories, repository.Name, "os"))
            .Select(folder => Path.Combine(folder, package.FileName))
            .FirstOrDefault(other => StoredFile.IsWhole(other, package.Sha256));
        if (elsewhere is null) return path;
        try
        {
            Store(elsewhere, repository.Name, repository.Architecture, package.FileName);
            return path;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StoredPackage.Fault(
                path, package, $"cannot be put there: {refused.Message}", refused);
        }
    }

    private string DatabasePath(RepositoryState repository, string extension) => Path.Combine(
        folders.Repository(repository.Name, repository.Architecture), $"{repository.Name}.{extension}");
}
