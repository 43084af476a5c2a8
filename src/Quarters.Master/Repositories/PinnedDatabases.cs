using Quarters.Alpm;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Repositories;

/// <summary>Reads the databases of others that are pinned, which are kept by hash.</summary>
internal sealed class PinnedDatabases(MasterFolders folders)
{
    /// <summary>No database of others is larger than this, in bytes.</summary>
    public const long MaxBytes = 256L << 20;

    /// <summary>What a pinned repository offers; null when its file is gone or damaged: then it is fetched
    /// again.</summary>
    public PackageIndex? Index(PinnedRepository pinned)
    {
        var path = folders.Database(pinned.Sha256);
        return StoredFile.IsWhole(path, pinned.Sha256) ? Read(path) : null;
    }

    /// <summary>What a database offers.</summary>
    /// <exception cref="AlpmFormatException">It is no database.</exception>
    public static PackageIndex Read(string path)
    {
        using var stream = File.OpenRead(path);
        return PackageIndex.Of([.. SyncDatabase.Read(stream, new SyncReadLimits())
            .Select(e => new OfferedPackage(e.Name, e.Version.ToString(), [.. e.Provides.Select(p => p.ToString())]))]);
    }
}
