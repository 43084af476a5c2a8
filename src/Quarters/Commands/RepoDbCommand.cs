using System.Collections.Concurrent;
using System.CommandLine;
using System.Security.Cryptography;
using Quarters.Alpm;
using Quarters.Linux.Files;

namespace Quarters.Commands;

/// <summary><c>quarters repo-db DIR NAME</c>: repo-add for a whole directory at once.</summary>
internal static class RepoDbCommand
{
    internal static Command Create()
    {
        var directory = new Argument<string>("DIR") { Description = "the directory with the package files" };
        var name = new Argument<string>("NAME") { Description = "the repository's name, as in pacman.conf" };
        var command = new Command(
            "repo-db", "Write the databases of a pacman repository, DIR/NAME.db and .files, from all packages in DIR.")
        {
            directory, name,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var console = parsed.InvocationConfiguration;
            Run(parsed.GetRequiredValue(directory), parsed.GetRequiredValue(name), console, cancellationToken);
            return Task.FromResult(ExitCode.Done);
        });
        return command.WithExample("""
            quarters repo-db /srv/repo mine
            Then in /etc/pacman.conf:
              [mine]
              SigLevel = Optional TrustAll
              Server = file:///srv/repo
            """);
    }

    private static void Run(
        string directory, string name, InvocationConfiguration console, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(directory))
            throw new MistakeException($"{directory} is not a directory; name the one with the package files");
        if (!IsRepositoryName(name))
            throw new MistakeException(
                $"\"{name}\" cannot be the name of a repository: letters, digits, '-', '_' and '.' only");

        var newest = Newest(Read(directory, cancellationToken), console.Error);
        Write(Path.Combine(directory, name + ".db"), newest, withFiles: false);
        Write(Path.Combine(directory, name + ".files"), newest, withFiles: true);
        console.Output.WriteLine($"{Path.Combine(directory, name + ".db")}: {newest.Count} packages");
    }

    private static bool IsRepositoryName(string name) =>
        name.Length is > 0 and <= 100 && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static ConcurrentBag<SyncEntry> Read(string directory, CancellationToken cancellationToken)
    {
        var files = Directory.EnumerateFiles(directory)
            .Where(path => PackageFileName.TryParse(Path.GetFileName(path), out _))
            .ToArray();
        if (files.Length == 0)
            throw new MistakeException($"{directory} holds no package file (*.pkg.tar.zst, .xz, .gz)");
        var entries = new ConcurrentBag<SyncEntry>();
        try
        {
            Parallel.ForEach(
                files, new ParallelOptions { CancellationToken = cancellationToken }, path => entries.Add(Entry(path)));
        }
        catch (AggregateException several) when (several.InnerExceptions[0] is MistakeException first)
        {
            throw new MistakeException(first.Message);
        }

        return entries;
    }

    private static SyncEntry Entry(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var facts = PackageFile.Read(file, new PackageReadLimits());
            file.Position = 0;
            var sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
            var signature = path + ".sig";
            return SyncEntry.FromPackage(facts.Info, Path.GetFileName(path), file.Length, sha256, facts.Files) with
            {
                PgpSignature = File.Exists(signature) ? Convert.ToBase64String(File.ReadAllBytes(signature)) : null,
            };
        }
        catch (AlpmFormatException e)
        {
            throw new MistakeException($"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>A repository holds one version of a package: the newest one.</summary>
    private static List<SyncEntry> Newest(IEnumerable<SyncEntry> entries, TextWriter error)
    {
        var newest = new List<SyncEntry>();
        foreach (var versions in entries.GroupBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var ordered = versions
                .OrderByDescending(entry => entry.Version)
                .ThenBy(entry => entry.FileName, StringComparer.Ordinal)
                .ToList();
            newest.Add(ordered[0]);
            foreach (var older in ordered.Skip(1))
                error.WriteLine($"quarters: {older.FileName} is left out: {newest[^1].FileName} is newer");
        }

        return newest;
    }

    private static void Write(string path, List<SyncEntry> entries, bool withFiles)
    {
        using var bytes = new MemoryStream();
        SyncDatabase.Write(bytes, entries, CompressionFormat.Zstandard, withFiles);
        // A reader meets the old database or the new one, never a part.
        DurableFile.Replace(LinuxDisk.Instance, path, bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }
}
