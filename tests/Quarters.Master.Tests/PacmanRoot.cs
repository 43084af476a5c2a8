namespace Quarters.Master.Tests;

/// <summary>An empty machine on which pacman installs from one repository of a master.</summary>
internal static class PacmanRoot
{
    /// <summary>Installs; what pacman refuses fails the test.</summary>
    public static void Install(MasterFolders folders, string repository, params string[] packages)
    {
        var root = Directory.CreateTempSubdirectory("quarters-pacman-").FullName;
        try
        {
            foreach (var made in new[] { "var/lib/pacman", "cache" })
                Directory.CreateDirectory(Path.Combine(root, made));
            var configuration = Path.Combine(root, "pacman.conf");
            File.WriteAllText(configuration, $"""
                [options]
                Architecture = x86_64
                SigLevel = Never
                [{repository}]
                Server = file://{folders.Repositories}/$repo/os/$arch
                """);
            MasterNodeTests.Run("pacman",
            [
                "--config", configuration, "--root", root, "--dbpath", Path.Combine(root, "var/lib/pacman"),
                "--cachedir", Path.Combine(root, "cache"), "--logfile", Path.Combine(root, "log"),
                "--noconfirm", "--noscriptlet", "-Sy", .. packages,
            ]);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
