namespace Quarters.Alpm;

/// <summary>A file or symbolic link of a source package.</summary>
/// <param name="Path">As the archive has it; nothing about it has been checked.</param>
/// <param name="IsExecutable">Whether its owner may run it.</param>
/// <param name="LinkTarget">Where it points; null for a file.</param>
/// <param name="Content">A file's bytes.</param>
public sealed record SourcePackageEntry(
    string Path, bool IsExecutable, string? LinkTarget, ReadOnlyMemory<byte> Content);

/// <summary>Reads source packages, <c>.src.tar</c> as <c>makepkg --source</c> makes them: plain, or compressed with
/// gzip, zstd or xz.</summary>
public static class SourcePackageFile
{
    private const string Document = "source package";
    private const int MaxPathLength = 4096;
    private const int BytesBesideEach = 4096;

    /// <summary>Reads all files and links, in one pass.</summary>
    /// <param name="archive">Read from where it stands, and left open.</param>
    /// <param name="maxBytes">The most that all files may hold together.</param>
    /// <param name="maxEntries">The most entries, directories included.</param>
    /// <exception cref="AlpmFormatException">It is no such archive, is corrupt or cut off, is too large, or holds what
    /// no source package does (hard links, devices, pipes).</exception>
    public static List<SourcePackageEntry> Read(Stream archive, int maxBytes, int maxEntries)
    {
        using var decoded = Compression.Decode(archive, Document, maxBytes + ((long)maxEntries * BytesBesideEach));
        var tar = new TarReader(decoded, Document, new TarLimits(maxEntries, MaxPathLength));
        var entries = new List<SourcePackageEntry>();
        var buffer = new byte[16 << 10];
        while (tar.Next())
        {
            switch (tar.Type)
            {
                case PackageEntryType.Directory:
                    break;
                case PackageEntryType.SymbolicLink:
                    entries.Add(new SourcePackageEntry(tar.Path, false, tar.LinkTarget, default));
                    break;
                case PackageEntryType.File:
                    var content = tar.ReadContent(ref buffer, maxBytes).ToArray();
                    entries.Add(new SourcePackageEntry(tar.Path, (tar.Mode & 0x40) != 0, null, content));
                    break;
                default:
                    throw tar.Error($"{AlpmFormatException.Quote(tar.Path)} is a hard link");
            }
        }

        return entries;
    }
}
