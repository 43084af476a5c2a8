using System.Collections.Concurrent;
using System.Security.Cryptography;
using Quarters.Alpm;

namespace Quarters.Master.Repositories;

/// <summary>Compares every package file of a repository with what its databases say.</summary>
public static class RepositoryCheck
{
    /// <summary>Reads everything.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="kept">Names of package files that may be there without an entry; null for any.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="links">Where to read which libraries programs are linked with, and whom to tell; null where that
    /// does not matter.</param>
    /// <returns>The entries of the database; and what is wrong, a sentence each, in the order of the files'
    /// names.</returns>
    /// <exception cref="IOException">The database or the directory cannot be read.</exception>
    public static (IReadOnlyList<SyncEntry> Entries, IReadOnlyList<string> Problems) Read(
        RepositoryFolder repository, IReadOnlySet<string>? kept, CancellationToken cancellationToken,
        LinkReading? links = null)
    {
        ArgumentNullException.ThrowIfNull(repository);
        // Before the database: files of a repository that is in use are there first.
        var present = kept is null ? [] : Directory.GetFiles(repository.Directory);
        IReadOnlyList<SyncEntry> entries;
        try
        {
            entries = repository.Read();
        }
        catch (MasterException damaged)
        {
            return ([], [damaged.Message]);
        }

        var problems = new ConcurrentBag<(string File, string Problem)>();
        var files = FilesOf(repository, problems);
        Parallel.ForEach(
            entries, new ParallelOptions { CancellationToken = cancellationToken }, entry =>
            {
                if (FindProblem(repository, entry, files, links) is { } problem)
                    problems.Add((entry.FileName, problem));
            });
        if (files is not null) Compare(entries, files, problems);
        if (kept is not null) FindStrays(repository, entries, present, kept, problems);
        return (entries, [.. problems.OrderBy(p => p.File, StringComparer.Ordinal).Select(p => p.Problem)]);
    }

    private static void FindStrays(
        RepositoryFolder repository, IEnumerable<SyncEntry> entries, string[] present,
        IReadOnlySet<string> kept, ConcurrentBag<(string File, string Problem)> problems)
    {
        var named = entries.Select(e => e.FileName).ToHashSet(StringComparer.Ordinal);
        foreach (var name in present.Select(path => Path.GetFileName(path)))
        {
            if (PackageFileName.TryParse(name, out _) && !named.Contains(name) && !kept.Contains(name))
                problems.Add((name, $"{name} is there, and has no entry in {repository.Name}.db"));
        }
    }

    private static Dictionary<string, SyncEntry>? FilesOf(
        RepositoryFolder repository, ConcurrentBag<(string File, string Problem)> problems)
    {
        // pacman installs without it; `pacman -F` and we miss it.
        if (!File.Exists(repository.Files)) return null;
        try
        {
            return repository.ReadFiles().DistinctBy(e => e.DirectoryName)
                .ToDictionary(e => e.DirectoryName, StringComparer.Ordinal);
        }
        catch (MasterException damaged)
        {
            problems.Add(("", damaged.Message));
            return null;
        }
    }

    private static string? FindProblem(
        RepositoryFolder repository, SyncEntry entry, Dictionary<string, SyncEntry>? files, LinkReading? links)
    {
        if (!PackageFileName.TryParse(entry.FileName, out _))
            return $"{entry.FileName} is not the name of a package file";
        var path = Path.Combine(repository.Directory, entry.FileName);
        if (!File.Exists(path)) return $"{entry.FileName} is missing: the database has {entry.DirectoryName}";
        try
        {
            using var stream = RepositoryFolder.Open(path);
            return FindProblem(repository, entry, files, links, stream);
        }
        catch (Exception unread) when (
            unread is AlpmFormatException or IOException or UnauthorizedAccessException)
        {
            return $"{entry.FileName} cannot be read: {unread.Message}";
        }
    }

    private static string? FindProblem(
        RepositoryFolder repository, SyncEntry entry, Dictionary<string, SyncEntry>? files, LinkReading? links,
        FileStream stream)
    {
        if (stream.Length != entry.CompressedSize)
            return $"{entry.FileName} is damaged: it has {stream.Length} bytes, the database says "
                + $"{entry.CompressedSize}";
        if (entry.Sha256 is null)
            return $"the database has no SHA-256 sum of {entry.FileName}: add it again with `repo-add`, which writes "
                + "one since pacman 4";
        var found = Convert.ToHexStringLower(SHA256.HashData(stream));
        if (entry.Sha256 != found)
            return $"{entry.FileName} is damaged: its SHA-256 sum is {found}, the database says {entry.Sha256}";
        stream.Position = 0;
        using var scratch = links?.OpenScratch();
        var facts = PackageFile.Read(stream, new PackageReadLimits(), scratch);
        links?.Found(entry, facts);
        var info = facts.Info;
        if (info.Name != entry.Name || info.Version != entry.Version || info.Architecture != entry.Architecture)
            return $"{entry.FileName} is another package than the database says: {info.Name} {info.Version} "
                + $"for {info.Architecture}";
        return files?.GetValueOrDefault(entry.DirectoryName)?.Files is { } listed
            && !listed.Order(StringComparer.Ordinal).SequenceEqual(facts.Files.Order(StringComparer.Ordinal))
            ? $"{entry.FileName} holds other files than {repository.Name}.files lists"
            : null;
    }

    private static void Compare(
        IEnumerable<SyncEntry> entries, Dictionary<string, SyncEntry> files,
        ConcurrentBag<(string File, string Problem)> problems)
    {
        var left = files.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (!left.Remove(entry.DirectoryName))
                problems.Add((entry.FileName, $"{entry.DirectoryName} is in the database, and not in that of files"));
        }

        foreach (var name in left) problems.Add((name, $"{name} is in the database of files, and not in the other"));
    }
}

/// <summary>Has the libraries read that a repository's packages bring and are linked with.</summary>
/// <param name="OpenScratch">Opens an empty file to copy programs and libraries into.</param>
/// <param name="Found">Is told of each package that could be read, from many threads.</param>
public sealed record LinkReading(Func<Stream> OpenScratch, Action<SyncEntry, PackageFacts> Found);
