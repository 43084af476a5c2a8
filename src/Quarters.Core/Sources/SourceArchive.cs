using System.Formats.Tar;
using System.Text;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Quarters.Core.Sources;

/// <summary>
/// A source tree as one file, <c>.tar.zst</c>: sorted, owned by 0:0, modes 0644 and 0755, one fixed time. The same tree
/// gives the same bytes as long as the compressor's version stays.
/// </summary>
public static class SourceArchive
{
    // Not 1970: zip files, which some builds make of what they find, cannot hold a time before 1980.
    private static readonly DateTimeOffset FixedTime = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const int CompressionLevel = 6;

    // Headers and padding, and the two blocks that a long name takes.
    private const int MaxOverheadOfEntry = 4096;

    /// <summary>Writes the archive; the stream stays open.</summary>
    public static void Write(SourceTree tree, Stream output)
    {
        using var compressed = new CompressionStream(output, CompressionLevel, leaveOpen: true);
        // Thousands of small trees are imported in a row, and each would pay for the tables of a large one.
        compressed.SetParameter(ZSTD_cParameter.ZSTD_c_experimentalParam7, SizeHint(tree));
        using var writer = new TarWriter(compressed, TarEntryFormat.Gnu, leaveOpen: true);
        foreach (var entry in tree.Entries)
        {
            var link = entry.Kind == TreeEntryKind.Symlink;
            // The GNU form: .NET names the headers of the pax form after its process id.
            var written = new GnuTarEntry(link ? TarEntryType.SymbolicLink : TarEntryType.RegularFile, entry.Path)
            {
                ModificationTime = FixedTime,
                Mode = Mode(entry.Kind),
                Uid = 0,
                Gid = 0,
            };
            using var content = link ? null : new MemoryStream(entry.Content.ToArray(), writable: false);
            if (link)
                written.LinkName = Encoding.UTF8.GetString(entry.Content.Span);
            else
                written.DataStream = content;
            writer.WriteEntry(written);
        }
    }

    /// <summary>Reads an archive that anybody may have written. Nothing is taken but files and links inside
    /// it.</summary>
    /// <exception cref="SourceTreeException">It is damaged, too large, or holds what no source package may hold.
    /// </exception>
    public static SourceTree Read(Stream input, TreeLimits limits)
    {
        try
        {
            using var plain = new DecompressionStream(input, leaveOpen: true);
            using var bounded =
                new BoundedStream(plain, limits.MaxBytes + ((long)limits.MaxFiles * MaxOverheadOfEntry));
            using var reader = new TarReader(bounded, leaveOpen: true);
            return SourceTree.Create(Entries(reader), limits);
        }
        catch (Exception damage) when (damage is ZstdException or InvalidDataException or IOException
            or FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            throw new SourceTreeException($"its archive is damaged ({damage.Message})");
        }
    }

    /// <summary>About how large the archive is before it is compressed: <c>ZSTD_c_srcSizeHint</c>.</summary>
    private static int SizeHint(SourceTree tree) =>
        (int)Math.Min(int.MaxValue, tree.Bytes + (tree.Entries.Length * 1024L));

    private static IEnumerable<TreeEntry> Entries(TarReader reader)
    {
        while (reader.GetNextEntry(copyData: false) is { } entry)
        {
            switch (entry.EntryType)
            {
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                    var kind = entry.Mode.HasFlag(UnixFileMode.UserExecute)
                        ? TreeEntryKind.Executable
                        : TreeEntryKind.File;
                    yield return new TreeEntry(entry.Name, kind, Content(entry));
                    break;
                case TarEntryType.SymbolicLink:
                    yield return new TreeEntry(
                        entry.Name, TreeEntryKind.Symlink, Encoding.UTF8.GetBytes(entry.LinkName));
                    break;
                case TarEntryType.Directory:
                    break;
                default:
                    throw new SourceTreeException(
                        $"{entry.Name} is neither a file, a directory nor a symbolic link ({entry.EntryType})");
            }
        }
    }

    private static ReadOnlyMemory<byte> Content(TarEntry entry)
    {
        using var content = new MemoryStream();
        entry.DataStream?.CopyTo(content);
        return content.ToArray();
    }

    private static UnixFileMode Mode(TreeEntryKind kind)
    {
        const UnixFileMode Plain =
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        const UnixFileMode Execute =
            UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return kind switch
        {
            TreeEntryKind.File => Plain,
            TreeEntryKind.Executable => Plain | Execute,
            _ => Plain | Execute | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite,
        };
    }

    /// <summary>A stream that may be read this far and no further: against archives that unpack without end.</summary>
    private sealed class BoundedStream(Stream inner, long limit) : Stream
    {
        private long _left = limit;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var count = inner.Read(buffer);
            _left -= count;
            if (_left < 0)
                throw new SourceTreeException("its archive unpacks to more than a source package may hold");
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
