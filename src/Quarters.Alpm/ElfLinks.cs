using System.Buffers.Binary;
using System.Text;

namespace Quarters.Alpm;

/// <summary>What a program or shared library says of libraries: its own name (<c>DT_SONAME</c>) and those that it is
/// linked with (<c>DT_NEEDED</c>), as makepkg writes them into depends and provides: <c>libfoo.so=2-64</c> is
/// <c>libfoo.so.2</c> for 64 bits, <c>libfoo-1.so=64</c> a name without a version.</summary>
/// <remarks>
/// Source: System V ABI, chapters 4 and 5, and elf(5). Only the dynamic section is read, the way the dynamic loader
/// finds it: through the program headers. Whatever does not add up has no links and is no error, because a package may
/// well hold broken ELF files, for tests of its own.
/// </remarks>
internal sealed record ElfLinks(string? Soname, IReadOnlyList<string> Needed)
{
    private const int MaxSegments = 512;
    private const int MaxDynamicBytes = 64 << 10;
    private const int MaxNeeded = 1024;
    private const int MaxNameLength = 255;

    /// <summary>The four bytes that every ELF file begins with.</summary>
    public static ReadOnlySpan<byte> Magic => "\u007fELF"u8;

    /// <summary>Reads a file.</summary>
    /// <param name="file">All of it; it must be seekable.</param>
    /// <returns>Null when it is not dynamically linked, or damaged.</returns>
    public static ElfLinks? Read(Stream file)
    {
        var header = new byte[64];
        if (!TryRead(file, 0, header) || !header.AsSpan(0, 4).SequenceEqual(Magic)) return null;
        if (header[4] is not (1 or 2) || header[5] is not (1 or 2)) return null;
        var layout = new Layout(header[4] == 2, header[5] == 1);
        var segments = ReadSegments(file, layout, header);
        if (segments.FirstOrDefault(one => one.Type == SegmentType.Dynamic) is not { } place
            || place.FileSize > MaxDynamicBytes)
            return null;
        var dynamic = new byte[(int)place.FileSize];
        return TryRead(file, place.Offset, dynamic) ? ReadDynamic(file, layout, segments, dynamic) : null;
    }

    private static List<Segment> ReadSegments(Stream file, Layout layout, ReadOnlySpan<byte> header)
    {
        var size = layout.Is64 ? 56 : 32;
        int count = layout.Short(header[(layout.Is64 ? 56 : 44)..]);
        var segments = new List<Segment>();
        if (layout.Short(header[(layout.Is64 ? 54 : 42)..]) != size || count > MaxSegments) return segments;
        var table = new byte[size * count];
        if (!TryRead(file, layout.Word(header[(layout.Is64 ? 32 : 28)..]), table)) return segments;
        for (var at = 0; at < table.Length; at += size)
        {
            var one = table.AsSpan(at, size);
            segments.Add(layout.Is64
                ? new(layout.Type(one), layout.Word(one[8..]), layout.Word(one[16..]), layout.Word(one[32..]))
                : new(layout.Type(one), layout.Word(one[4..]), layout.Word(one[8..]), layout.Word(one[16..])));
        }

        return segments;
    }

    private static ElfLinks? ReadDynamic(
        Stream file, Layout layout, List<Segment> segments, ReadOnlySpan<byte> dynamic)
    {
        var word = layout.Is64 ? 8 : 4;
        ulong? soname = null, table = null;
        var needed = new List<ulong>();
        for (var rest = dynamic; rest.Length >= 2 * word; rest = rest[(2 * word)..])
        {
            var (tag, value) = ((DynamicTag)layout.Word(rest), layout.Word(rest[word..]));
            if (tag == DynamicTag.End) break;
            if (tag == DynamicTag.Needed) needed.Add(value);
            else if (tag == DynamicTag.Soname) soname = value;
            else if (tag == DynamicTag.StringTable) table = value;
        }

        if (needed.Count > MaxNeeded || table is not { } address) return null;
        // An address in memory: the place in the file is told by the segment that is loaded there.
        if (segments.FirstOrDefault(one => one.Loads(address)) is not { } loaded) return null;
        var strings = address - loaded.Address + loaded.Offset;
        return new ElfLinks(
            soname is { } own ? Name(file, layout, strings + own) : null,
            [.. needed.Select(one => Name(file, layout, strings + one)).OfType<string>()]);
    }

    private static string? Name(Stream file, Layout layout, ulong offset)
    {
        if (offset >= (ulong)file.Length) return null;
        Span<byte> bytes = stackalloc byte[MaxNameLength + 1];
        file.Position = (long)offset;
        var end = bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)].IndexOf((byte)0);
        // A name with a slash is a path, which no other package provides.
        if (end < 1 || bytes[..end].ContainsAnyExceptInRange((byte)'!', (byte)'~') || bytes[..end].Contains((byte)'/'))
            return null;
        var name = Encoding.ASCII.GetString(bytes[..end]);
        var bits = layout.Is64 ? "64" : "32";
        var version = name.IndexOf(".so.", StringComparison.Ordinal);
        return version < 0 ? $"{name}={bits}" : $"{name[..(version + 3)]}={name[(version + 4)..]}-{bits}";
    }

    private static bool TryRead(Stream file, ulong offset, Span<byte> target)
    {
        if (offset > (ulong)file.Length) return false;
        file.Position = (long)offset;
        return file.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) == target.Length;
    }

    private enum SegmentType : uint
    {
        Load = 1,
        Dynamic = 2,
    }

    private enum DynamicTag : ulong
    {
        End = 0,
        Needed = 1,
        StringTable = 5,
        Soname = 14,
    }

    private sealed record Segment(SegmentType Type, ulong Offset, ulong Address, ulong FileSize)
    {
        public bool Loads(ulong address) =>
            Type == SegmentType.Load && address >= Address && address - Address < FileSize;
    }

    /// <summary>How wide a file's words are and which end comes first.</summary>
    private readonly record struct Layout(bool Is64, bool IsLittleEndian)
    {
        public ushort Short(ReadOnlySpan<byte> at) => IsLittleEndian
            ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);

        public SegmentType Type(ReadOnlySpan<byte> at) => (SegmentType)(IsLittleEndian
            ? BinaryPrimitives.ReadUInt32LittleEndian(at) : BinaryPrimitives.ReadUInt32BigEndian(at));

        public ulong Word(ReadOnlySpan<byte> at) => (Is64, IsLittleEndian) switch
        {
            (true, true) => BinaryPrimitives.ReadUInt64LittleEndian(at),
            (true, false) => BinaryPrimitives.ReadUInt64BigEndian(at),
            (false, true) => BinaryPrimitives.ReadUInt32LittleEndian(at),
            (false, false) => BinaryPrimitives.ReadUInt32BigEndian(at),
        };
    }
}
