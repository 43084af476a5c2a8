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
    /// <exception cref="AlpmFormatException">The database of a snapshot is damaged.</exception>
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
            using var file = File.OpenRead(path);
            if (SegmentedDatabase.Open(file) is not { } database)
            {
                file.Position = 0;
                names.UnionWith(SyncDatabase.Read(file, new SyncReadLimits()).Select(e => e.FileName));
                continue;
            }

            // From one snapshot to the next one segment differs.
            foreach (var segment in database.Segments.Where(segment => read.Add(segment.Sha256)))
                names.UnionWith(database.Read(segment, new SyncReadLimits()).Select(e => e.FileName));
        }

        return names;
    }
}
