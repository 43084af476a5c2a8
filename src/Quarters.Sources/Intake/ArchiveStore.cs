using System.Globalization;
using System.Security.Cryptography;
using Quarters.Core.Sources;
using Quarters.Linux.Files;

namespace Quarters.Sources.Intake;

/// <summary>The source packages that builders fetch, each under its hash: <c>SHA256.tar.zst</c>.</summary>
public sealed class ArchiveStore
{
    private const string Suffix = ".tar.zst";

    private readonly string _directory;
    private readonly IDisk _disk;
    private int _written;

    /// <summary>Opens a store; the directory is made if it is missing.</summary>
    public ArchiveStore(string directory, IDisk disk)
    {
        _directory = directory;
        _disk = disk;
        disk.CreateDirectory(directory);
        foreach (var left in Directory.EnumerateFiles(directory, "*" + DurableFile.TemporarySuffix))
            disk.Delete(left);
    }

    /// <summary>Where the archive of this hash lies, be it there or not.</summary>
    public string PathOf(string sha256) => Path.Combine(_directory, sha256 + Suffix);

    /// <summary>True when the archive is there, whole.</summary>
    public bool Holds(ArchiveFacts archive)
    {
        var file = new FileInfo(PathOf(archive.Sha256));
        if (!file.Exists || file.Length != archive.Bytes)
            return false;
        // What is asked for is needed again: whoever clears up goes by this.
        file.LastWriteTimeUtc = TimeProvider.System.GetUtcNow().UtcDateTime;
        return true;
    }

    /// <summary>Writes the archive of a tree, if it is not there. Its name is durable after
    /// <see cref="Sync"/>.</summary>
    public ArchiveFacts Add(SourceTree tree)
    {
        var (archive, bytes) = Measure(tree);
        if (Holds(archive))
            return archive;
        var number = Interlocked.Increment(ref _written).ToString(CultureInfo.InvariantCulture);
        var temporary = $"{PathOf(archive.Sha256)}.{number}{DurableFile.TemporarySuffix}";
        _disk.Write(temporary, bytes.Span);
        _disk.Rename(temporary, PathOf(archive.Sha256));
        return archive;
    }

    /// <summary>The tree in an archive; null when the archive is not there.</summary>
    /// <exception cref="SourceTreeException">It is damaged.</exception>
    public SourceTree? Find(string sha256)
    {
        if (!File.Exists(PathOf(sha256)))
            return null;
        using var file = File.OpenRead(PathOf(sha256));
        return SourceArchive.Read(file, TreeLimits.Default);
    }

    /// <summary>Waits until the device knows the names of all archives added so far.</summary>
    public void Sync() => _disk.SyncDirectory(_directory);

    /// <summary>What the archive of a tree is or would be.</summary>
    internal static (ArchiveFacts Facts, ReadOnlyMemory<byte> Bytes) Measure(SourceTree tree)
    {
        using var buffer = new MemoryStream();
        SourceArchive.Write(tree, buffer);
        var bytes = buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
        return (new ArchiveFacts(Convert.ToHexStringLower(SHA256.HashData(bytes.Span)), bytes.Length), bytes);
    }
}
