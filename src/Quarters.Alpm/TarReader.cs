using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Quarters.Alpm;

/// <summary>What reading an archive may cost.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TarLimits(int MaxEntries, int MaxPathLength);

/// <summary>Reads a tar archive member by member: ustar, pax and GNU long names, which is what pacman's world
/// writes.</summary>
/// <remarks>
/// Not System.Formats.Tar, because that allocates as much as an extended header claims to need, makes a dozen objects
/// a member (a database has 30,000), and is lenient where a second reader (libarchive, in pacman) may understand
/// another thing. Whatever two readers could disagree about is refused: contents on links, sparse files, global
/// headers.
/// Source: POSIX pax (IEEE 1003.1), and tar(5) of libarchive.
/// </remarks>
internal sealed class TarReader(Stream stream, string document, TarLimits limits)
{
    /// <summary>Extended headers carry attributes too, which Linux bounds at 64 KiB each.</summary>
    private const int MaxExtendedHeader = 1 << 20;

    /// <summary>What is larger than 80 KiB is collected only with all the rest, and makes that more often so.</summary>
    private readonly byte[] _buffer = new byte[64 << 10];
    private byte[] _path = new byte[TarFormat.Block];
    private int _pathLength;
    private string? _pathText;
    private readonly Header _header = new();
    private int _start;
    private int _end;
    private long _content;
    private int _padding;
    private int _entries;

    /// <summary>The path without the slash that ends a directory.</summary>
    public string Path => _pathText ??= Text(PathUtf8);

    /// <summary>The same as it stands in the archive, for who needs no text: a database has 30,000 members.</summary>
    public ReadOnlySpan<byte> PathUtf8 => _path.AsSpan(0, _pathLength);

    public PackageEntryType Type { get; private set; }

    public int Mode { get; private set; }

    /// <summary>Bytes of content; 0 for all but files.</summary>
    public long Size { get; private set; }

    public string? LinkTarget { get; private set; }

    /// <summary>Bytes from the first block of zeros on; known when there is no next member.</summary>
    public long EndLength { get; private set; }

    /// <summary>Skips what is left of the present member and goes to the next; false at the end of the
    /// archive.</summary>
    public bool Next()
    {
        SkipContent();
        _header.Clear();
        while (true)
        {
            if (!Fill(TarFormat.Block))
                throw Error("it ends without the blocks of zeros that end an archive: it is cut off");
            var block = _buffer.AsSpan(_start, TarFormat.Block);
            if (!block.ContainsAnyExcept((byte)0))
            {
                if (_header.IsStarted) throw Error("it ends after an extended header");
                Drain();
                return false;
            }
            if (++_entries > limits.MaxEntries) throw Error($"it has more than {limits.MaxEntries} entries");
            if (!TarFormat.HasValidChecksum(block))
                throw Error($"the header of entry {_entries} is corrupt, or this is no tar archive");
            var type = block[156];
            if (type is not ((byte)'x' or (byte)'L' or (byte)'K'))
            {
                Describe(block, type);
                _start += TarFormat.Block;
                return true;
            }
            var length = Number(block.Slice(124, 12), "size");
            _start += TarFormat.Block;
            ReadExtendedHeader(type, length);
        }
    }

    /// <summary>All of the present member's content. The span is valid until the next call.</summary>
    public ReadOnlySpan<byte> ReadContent(ref byte[] buffer, int maxLength)
    {
        if (Size > maxLength) throw Error($"{AlpmFormatException.Quote(Path)} is longer than {maxLength} bytes");
        if (_content != Size) throw new InvalidOperationException("The content was already read.");
        var length = (int)Size;
        // Nearly all are small, and need not be copied.
        if (length <= _buffer.Length)
        {
            if (!Fill(length)) throw CutOff();
            _start += length;
            _content = 0;
            return _buffer.AsSpan(_start - length, length);
        }

        if (buffer.Length < length) buffer = new byte[Math.Max(length, Math.Min(maxLength, buffer.Length * 2))];
        ReadExactly(buffer.AsSpan(0, length));
        return buffer.AsSpan(0, length);
    }

    /// <summary>Whether what was not read yet of the present member's content begins so.</summary>
    public bool ContentStartsWith(ReadOnlySpan<byte> beginning)
    {
        if (_content < beginning.Length) return false;
        if (!Fill(beginning.Length)) throw CutOff();
        return _buffer.AsSpan(_start, beginning.Length).SequenceEqual(beginning);
    }

    /// <summary>Copies what was not read of the present member's content.</summary>
    public void CopyContent(Stream target)
    {
        while (_content > 0)
        {
            if (_start == _end && !Fill(1)) throw CutOff();
            var step = (int)Math.Min(_content, _end - _start);
            target.Write(_buffer.AsSpan(_start, step));
            _start += step;
            _content -= step;
        }
    }

    public AlpmFormatException Error(string what) => new(document, what);

    private void Describe(ReadOnlySpan<byte> block, byte type)
    {
        Type = type switch
        {
            (byte)'0' or 0 => PackageEntryType.File,
            (byte)'1' => PackageEntryType.HardLink,
            (byte)'2' => PackageEntryType.SymbolicLink,
            (byte)'5' => PackageEntryType.Directory,
            (byte)'3' or (byte)'4' or (byte)'6' => throw Error($"entry {_entries} is a device or pipe"),
            (byte)'g' => throw Error("it has a global header, which makepkg never writes"),
            _ => throw Error($"entry {_entries} is of the unknown type {type}"),
        };
        SetPath(_header.Path ?? TarFormat.Path(block));
        Mode = (int)(Number(block.Slice(100, 8), "mode") & 0xFFF);
        Size = _header.Size ?? Number(block.Slice(124, 12), "size");
        if (Size != 0 && Type != PackageEntryType.File)
            throw Error($"{AlpmFormatException.Quote(Path)} is no file and yet has content");
        LinkTarget = Type is PackageEntryType.HardLink or PackageEntryType.SymbolicLink
            ? _header.LinkTarget ?? Text(TarFormat.LinkTarget(block)) : null;
        if (LinkTarget is "") throw Error($"the link {AlpmFormatException.Quote(Path)} points nowhere");
        _content = Size;
        _padding = TarFormat.Padding(Size);
    }

    private void SetPath(ReadOnlySpan<byte> path)
    {
        path = Checked(path);
        if (path is [.., (byte)'/'])
        {
            if (Type != PackageEntryType.Directory)
                throw Error($"the path {AlpmFormatException.Quote(Text(path))} of a file ends in a slash");
            path = path.Length == 1 ? path : path[..^1];
        }
        if (path.IsEmpty) throw Error($"entry {_entries} has no path");
        if (_path.Length < path.Length) _path = new byte[path.Length];
        path.CopyTo(_path);
        _pathLength = path.Length;
        _pathText = null;
    }

    private void ReadExtendedHeader(byte type, long length)
    {
        if (length > MaxExtendedHeader) throw Error($"an extended header is longer than {MaxExtendedHeader} bytes");
        var content = new byte[(int)length];
        _content = length;
        _padding = TarFormat.Padding(length);
        ReadExactly(content);
        SkipContent();
        switch (type)
        {
            case (byte)'L': _header.Path = Checked(TarFormat.UntilNul(content)).ToArray(); break;
            case (byte)'K': _header.LinkTarget = Text(TarFormat.UntilNul(content)); break;
            default: ReadPax(content); break;
        }
        _header.IsStarted = true;
    }

    /// <summary>Records of <c>LENGTH KEY=VALUE\n</c>, where the length counts itself.</summary>
    private void ReadPax(ReadOnlySpan<byte> records)
    {
        while (!records.IsEmpty)
        {
            if (!Utf8Parser.TryParse(records, out int length, out var digits)
                || length <= digits + 2 || length > records.Length || records[digits] != ' '
                    || records[length - 1] != '\n')
                throw Error("an extended header is malformed");
            var record = records[(digits + 1)..(length - 1)];
            records = records[length..];
            var equals = record.IndexOf((byte)'=');
            if (equals < 0) throw Error("an extended header is malformed");
            var key = record[..equals];
            var value = record[(equals + 1)..];
            if (key.SequenceEqual("path"u8)) _header.Path = Checked(value).ToArray();
            else if (key.SequenceEqual("linkpath"u8)) _header.LinkTarget = Text(value);
            else if (key.SequenceEqual("size"u8)) _header.Size = PaxSize(value);
            else if (key.StartsWith("GNU.sparse"u8) || key.SequenceEqual("SCHILY.realsize"u8))
                throw Error("it has a sparse file");
        }
    }

    private long PaxSize(ReadOnlySpan<byte> value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            ? size : throw Error("an extended header has a malformed size");

    private ReadOnlySpan<byte> Checked(ReadOnlySpan<byte> path)
    {
        if (path.Length > limits.MaxPathLength) throw Error($"a path is longer than {limits.MaxPathLength} bytes");
        return path.IndexOf((byte)0) < 0 ? path : throw Error("a path has a zero byte");
    }

    private string Text(ReadOnlySpan<byte> path)
    {
        try
        {
            return KeyValueLines.StrictUtf8.GetString(Checked(path));
        }
        catch (DecoderFallbackException e)
        {
            throw new AlpmFormatException(document, $"the path of entry {_entries} is not UTF-8", e);
        }
    }

    private long Number(ReadOnlySpan<byte> field, string name) =>
        TarFormat.TryReadNumber(field, out var number)
            ? number : throw Error($"entry {_entries} has a malformed {name}");

    private void SkipContent()
    {
        var rest = checked(_content + _padding);
        while (rest > 0)
        {
            if (_start == _end && !Fill(1)) throw CutOff();
            var step = (int)Math.Min(rest, _end - _start);
            _start += step;
            rest -= step;
        }
        _content = _padding = 0;
    }

    private void ReadExactly(Span<byte> target)
    {
        _content -= target.Length;
        while (!target.IsEmpty)
        {
            if (_start == _end && !Fill(1)) throw CutOff();
            var step = Math.Min(target.Length, _end - _start);
            _buffer.AsSpan(_start, step).CopyTo(target);
            _start += step;
            target = target[step..];
        }
    }

    private bool Fill(int needed)
    {
        if (_end - _start >= needed) return true;
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        while (_end < needed)
        {
            var read = stream.Read(_buffer.AsSpan(_end));
            if (read == 0) return false;
            _end += read;
        }
        return true;
    }

    /// <summary>Reads on to the end of the compressed data, where its checksum stands.</summary>
    private void Drain()
    {
        EndLength = _end - _start;
        while (stream.Read(_buffer) is > 0 and var read) EndLength += read;
    }

    private AlpmFormatException CutOff() => Error($"it ends within {AlpmFormatException.Quote(Path)}: it is cut off");

    /// <summary>What extended headers said about the member that follows them.</summary>
    private sealed class Header
    {
        public bool IsStarted { get; set; }

        public byte[]? Path { get; set; }

        public string? LinkTarget { get; set; }

        public long? Size { get; set; }

        public void Clear()
        {
            IsStarted = false;
            Path = null;
            LinkTarget = null;
            Size = null;
        }
    }
}
