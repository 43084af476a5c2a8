using System.Text;

namespace Quarters.Alpm;

/// <summary>Repository databases, <c>REPO.db</c> and <c>REPO.files</c>: read and written as streams, entry by
/// entry.</summary>
public static class SyncDatabase
{
    /// <summary>Reads a database, plain or compressed with gzip, zstd or xz, in one pass.</summary>
    /// <param name="database">Read from where it stands to the end, and left open.</param>
    /// <param name="limits">What it may cost.</param>
    /// <returns>The entries in the order of the database. Sections that this library does not know are left out,
    /// as pacman leaves them out.</returns>
    /// <exception cref="AlpmFormatException">While enumerating: it is no database, is corrupt or cut off, or exceeds a
    /// limit.</exception>
    public static IEnumerable<SyncEntry> Read(Stream database, SyncReadLimits limits)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(limits);
        return ReadEntries(database, new DescReader(), limits, endLength: null);
    }

    /// <summary>Reads which packages a database has and nothing else of them, in a third of the time.</summary>
    /// <param name="database">Read from where it stands to the end, and left open.</param>
    /// <param name="limits">What it may cost.</param>
    /// <returns>In the order of the database.</returns>
    /// <exception cref="AlpmFormatException">While enumerating: it is no database, is corrupt or cut off, or exceeds a
    /// limit. What else an entry says is not looked at.</exception>
    public static IEnumerable<ListedPackage> List(Stream database, SyncReadLimits limits)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(limits);
        return ReadEntries(database, new DescLister(), limits, endLength: null);
    }

    /// <summary>Writes a whole database.</summary>
    /// <param name="target">Written from where it stands, and left open.</param>
    /// <param name="entries">In any order.</param>
    /// <param name="format">Gzip is what every pacman reads; zstd is smaller and faster.</param>
    /// <param name="withFiles">Write a <c>.files</c> database; each entry must have its files.</param>
    /// <exception cref="AlpmFormatException">A value of an entry cannot be written.</exception>
    /// <exception cref="ArgumentException">An entry is there twice.</exception>
    public static void Write(Stream target, IEnumerable<SyncEntry> entries, CompressionFormat format, bool withFiles)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var sorted = entries.ToArray();
        var names = Array.ConvertAll(sorted, static entry => entry.DirectoryName);
        Array.Sort(names, sorted, Comparer<string>.Create(Utf8Order.Compare));
        using var writer = new SyncDatabaseWriter(target, format, withFiles);
        foreach (var entry in sorted) writer.Write(entry);
        writer.Finish();
    }

    /// <summary>Reads a database, or a part of one with the end of an archive behind it.</summary>
    /// <param name="database">Read from where it stands to the end, and left open.</param>
    /// <param name="reader">Makes of each entry what is wanted of it.</param>
    /// <param name="limits">What it may cost.</param>
    /// <param name="endLength">How many bytes of zeros it ends with; null for any number, and whatever may follow
    /// them.</param>
    internal static IEnumerable<T> ReadEntries<T>(
        Stream database, IDescReader<T> reader, SyncReadLimits limits, long? endLength)
        where T : class
    {
        using var decoded = Compression.Decode(database, "database", limits.MaxUnpackedSize);
        // A directory, a desc and a files for each entry.
        var tar = new TarReader(decoded, "database", new TarLimits(checked(limits.MaxEntries * 3), 512));
        var directory = "";
        byte[] buffer = [];
        while (tar.Next())
        {
            if (tar.Type == PackageEntryType.Directory) continue;
            var path = tar.PathUtf8;
            if (path.StartsWith("./"u8)) path = path[2..];
            var slash = path.IndexOf((byte)'/');
            // Databases of pacman 4 had a file depends; others put a file of their own at the top. pacman skips both.
            var isDesc = slash >= 0 && path[(slash + 1)..].SequenceEqual("desc"u8);
            if (slash < 0 || (!isDesc && !path[(slash + 1)..].SequenceEqual("files"u8))) continue;
            if (tar.Type != PackageEntryType.File)
                throw tar.Error($"{AlpmFormatException.Quote(tar.Path)} is not a file");
            // One that is not ASCII is the directory of no package, which its reader says.
            if (!Ascii.Equals(path[..slash], directory))
            {
                var next = KeyValueLines.Decode("database", path[..slash], path.Length);
                if (directory.Length > 0) yield return reader.Finish(directory);
                directory = next;
            }
            if (isDesc) reader.ReadDesc(directory, tar.ReadContent(ref buffer, SyncReadLimits.MaxDescLength));
            else reader.ReadFiles(directory, tar.ReadContent(ref buffer, limits.MaxFilesLength));
        }
        if (endLength is { } length && tar.EndLength != length)
            throw tar.Error("there is more behind the end of the archive");
        if (directory.Length > 0) yield return reader.Finish(directory);
    }
}

/// <summary>A package as a list names it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
public sealed record ListedPackage(string Name, PackageVersion Version)
{
    /// <summary>The order in which pacman lists packages: by the bytes of their names.</summary>
    public static Comparison<ListedPackage> ByName { get; } = static (a, b) => Utf8Order.Compare(a.Name, b.Name);
}

/// <summary>What reading a database may cost. One that needs more is refused.</summary>
public sealed record SyncReadLimits
{
    /// <summary>The longest accepted desc in bytes.</summary>
    public const int MaxDescLength = 1 << 20;

    /// <summary>The uncompressed archive in bytes. The files database of a large distribution has 500 MB.</summary>
    public long MaxUnpackedSize { get; init; } = 4L << 30;

    /// <summary>Packages.</summary>
    public int MaxEntries { get; init; } = 500_000;

    /// <summary>One package's list of files in bytes.</summary>
    public int MaxFilesLength { get; init; } = 256 << 20;
}
