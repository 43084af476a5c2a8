using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Quarters.Alpm;

namespace Quarters.Commands;

/// <summary><c>quarters repo-db DIRECTORY NAME</c>: a repository of all packages in a directory, at once, where repo-add
/// needs half a second for each.</summary>
internal static class RepoDbCommand
{
    private static readonly PackageReadLimits Limits = new();

    internal static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("DIRECTORY") { Description = "Where the package files are." };
        var name = new Argument<string>("NAME") { Description = "The repository's name." };
        var command = new Command("repo-db", """
            Write NAME.db and NAME.files anew for the packages in DIRECTORY, of each the newest version.

            Example:
              quarters repo-db /srv/packages custom
            """)
        { directory, name };
        command.SetAction(parsed =>
        {
            try
            {
                var count = Write(parsed.GetRequiredValue(directory).FullName, parsed.GetRequiredValue(name));
                parsed.InvocationConfiguration.Output.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"{parsed.GetRequiredValue(name)}: {count} packages"));
                return 0;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or AlpmFormatException)
            {
                parsed.InvocationConfiguration.Error.WriteLine($"quarters: {e.Message}");
                return 2;
            }
        });
        return command;
    }

    private static int Write(string directory, string name)
    {
        var newest = Directory.EnumerateFiles(directory, "*.pkg.tar*")
            .Where(static path => !path.EndsWith(".sig", StringComparison.Ordinal))
            .AsParallel()
            .Select(Read)
            .AsSequential()
            .GroupBy(static entry => entry.Name, StringComparer.Ordinal)
            .Select(static versions => versions.MaxBy(static entry => entry.Version)!)
            .ToArray();
        Replace(Path.Combine(directory, name + ".files"), newest, withFiles: true);
        Replace(Path.Combine(directory, name + ".db"), newest, withFiles: false);
        return newest.Length;
    }

    private static SyncEntry Read(string path)
    {
        using var file = File.OpenRead(path);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
        file.Position = 0;
        try
        {
            var package = PackageFile.Read(file, Limits);
            return SyncEntry.FromPackage(package.Info, Path.GetFileName(path), file.Length, sha256, package.Files);
        }
        catch (AlpmFormatException e)
        {
            throw new IOException($"{path}: {e.Message}", e);
        }
    }

    // Whoever reads the repository meanwhile sees the old database or the new one.
    private static void Replace(string path, IReadOnlyList<SyncEntry> entries, bool withFiles)
    {
        var aside = path + ".new";
        using (var file = File.Create(aside))
            SyncDatabase.Write(file, entries, CompressionFormat.Zstandard, withFiles);
        File.Move(aside, path, overwrite: true);
    }
}
