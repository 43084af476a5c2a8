using Quarters.Core.Builder;
using Quarters.Core.Planning;

namespace Quarters.Builder;

/// <summary>Deletes what nobody needs any more: all of it can be had again.</summary>
internal static class Leftovers
{
    /// <summary>The logs of so many attempts stay, beside those of unsettled ones: somebody may still want to
    /// read.</summary>
    internal const int LogsKept = 500;

    /// <summary>So many databases stay; the master's and a distribution's change several times a day.</summary>
    internal const int DatabasesKept = 64;

    /// <summary>Partial source packages older than this are given up.</summary>
    private static readonly TimeSpan PartialSourcesKept = TimeSpan.FromDays(7);

    /// <summary>After a start, when nothing runs yet: whatever the state does not name.</summary>
    internal static void RemoveAll(BuilderFolders folders, BuilderState state, DateTimeOffset now)
    {
        foreach (var work in Directory.EnumerateDirectories(folders.Work))
            Directory.Delete(work, recursive: true);
        var named = Named(state);
        foreach (var result in Directory.EnumerateDirectories(folders.Results))
        {
            if (!named.Contains(Path.GetFileName(result)))
                Directory.Delete(result, recursive: true);
        }

        foreach (var source in Directory.EnumerateFiles(folders.Sources))
        {
            if (now.UtcDateTime - File.GetLastWriteTimeUtc(source) > PartialSourcesKept)
                File.Delete(source);
        }

        RemoveOldLogs(folders, state);
        RemoveOldest(folders.Databases, "*", DatabasesKept);
    }

    /// <summary>Keeps the newest logs, and those of attempts that the state names.</summary>
    internal static void RemoveOldLogs(BuilderFolders folders, BuilderState state)
    {
        var named = Named(state);
        RemoveOldest(
            folders.Logs,
            "*" + BuilderFolders.LogSuffix,
            LogsKept,
            name => named.Contains(Path.GetFileNameWithoutExtension(name)));
    }

    /// <summary>Keeps the newest files of a folder.</summary>
    internal static void RemoveOldest(string folder, string pattern, int kept, Func<string, bool>? needed = null)
    {
        var files = new DirectoryInfo(folder).EnumerateFiles(pattern)
            .Where(file => needed is null || !needed(file.Name)).ToList();
        foreach (var file in files.OrderByDescending(file => file.LastWriteTimeUtc).Skip(kept))
            file.Delete();
    }

    private static HashSet<string> Named(BuilderState state) =>
    [
        .. state.Claims.Select(claim => JobId.AttemptName(claim.Job.Id, claim.Job.Attempt)),
        .. state.Results.Select(result => JobId.AttemptName(result.Job, result.Attempt)),
    ];
}
