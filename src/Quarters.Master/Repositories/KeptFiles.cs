using Quarters.Alpm;

namespace Quarters.Master.Repositories;

/// <summary>The package files that snapshots hold.</summary>
public static class KeptFiles
{
    /// <summary>The names of the package files that the snapshots of a master hold of one repository of its
    /// own.</summary>
    /// <param name="folders">The master's folders.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="counts">Whether a snapshot counts, by its id; null for all.</param>
    /// <exception cref="AlpmFormatException">The database of a snapshot is damaged; the message says which, and what to
    /// do.</exception>
    public static IReadOnlySet<string> Of(
        MasterFolders folders, string repository, string architecture, Func<string, bool>? counts = null)
    {
        ArgumentNullException.ThrowIfNull(folders);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var read = new HashSet<string>(StringComparer.Ordinal);
        if (!Directory.Exists(folders.Snapshots)) return names;
        foreach (var snapshot in Directory.EnumerateDirectories(folders.Snapshots))
        {
            if (counts is not null && !counts(Path.GetFileName(snapshot))) continue;
            var path = Path.Combine(snapshot, repository, "os", architecture, repository + ".db");
            if (!File.Exists(path)) continue;
            try
            {
                names.UnionWith(Read(path, read));
            }
            catch (AlpmFormatException damaged)
            {
                throw new AlpmFormatException(
                    $"{path} is damaged",
                    $"{damaged.Message}; if no build needs this snapshot any more, delete {snapshot}",
                    damaged);
            }
        }

        return names;
    }

    /// <summary>The names in a database; those of segments that were read before are left out.</summary>
    private static HashSet<string> Read(string path, HashSet<string> read)
    {
        using var file = File.OpenRead(path);
        if (SegmentedDatabase.Open(file) is not { } database)
        {
            file.Position = 0;
            return [.. SyncDatabase.Read(file, new SyncReadLimits()).Select(e => e.FileName)];
        }

        // From one snapshot to the next one segment differs.
        return
        [
            .. database.Segments.Where(segment => read.Add(segment.Sha256))
                .SelectMany(segment => database.Read(segment, new SyncReadLimits())).Select(e => e.FileName),
        ];
    }
}
