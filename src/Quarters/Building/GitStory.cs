using System.Globalization;
using Quarters.Linux.Processes;

namespace Quarters.Building;

/// <summary>Who last changed a package's directory, and when, as git tells it.</summary>
internal sealed record GitStory(string Packager, DateTimeOffset Time)
{
    /// <summary>In a repository of very many commits git may need long to find the one that touched a
    /// directory.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Asks git. Null where the directory is in no repository, in no commit, or there is no git.</summary>
    internal static async Task<GitStory?> FindAsync(string directory, CancellationToken cancellationToken)
    {
        // Without this look git would be started, and that costs more than all of reading, where there is nothing to
        // ask.
        if (!IsInRepository(directory))
            return null;
        try
        {
            var result = await ProcessRunner.RunAsync(
                new ProcessSpec
                {
                    FileName = "git",
                    // Somebody else's checkout is only read here, and nothing that its configuration names is run.
                    Arguments =
                    [
                        "-c", "safe.directory=*", "-c", "log.showSignature=false", "-c", "core.fsmonitor=false",
                        "-C", directory, "--no-pager", "log", "-1", "--no-color", "--format=%ct%n%an <%ae>", "--", ".",
                    ],
                    Timeout = Patience,
                    MaxOutputBytes = 64 * 1024,
                },
                cancellationToken);
            return result.Succeeded ? Parse(result.StandardOutput) : null;
        }
        catch (ProcessStartException)
        {
            return null;
        }
    }

    private static GitStory? Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length < 2 || !long.TryParse(lines[0], CultureInfo.InvariantCulture, out var seconds) || seconds < 0)
            return null;
        var author = new string([.. lines[1].Where(character => !char.IsControl(character))]).Trim();
        return author.Length == 0 ? null : new GitStory(author, DateTimeOffset.FromUnixTimeSeconds(seconds));
    }

    private static bool IsInRepository(string directory)
    {
        for (var at = new DirectoryInfo(directory); at is not null; at = at.Parent)
        {
            if (Path.Exists(Path.Combine(at.FullName, ".git")))
                return true;
        }

        return false;
    }
}
