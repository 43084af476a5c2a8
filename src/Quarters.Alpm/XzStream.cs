using SharpCompress.Compressors.Xz;

namespace Quarters.Alpm;

/// <summary>Reads one .xz stream block by block, so that a block's dictionary is known before memory is spent on
/// it.</summary>
/// <remarks>Source: "The .xz File Format", version 1.2.1. SharpCompress reads the parts; its own XZStream would
/// allocate whatever dictionary (up to 4 GiB) a header asks for.</remarks>
internal sealed class XzStream(PeekStream source) : ReadStream
{
    private const byte Lzma2 = 0x21;

    private XZHeader? _header;
    private XZBlock? _block;
    private bool _ended;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || _ended) return 0;
        _header ??= XZHeader.FromStream(source);
        while (!_ended)
        {
            if (_block is not null)
            {
                if (_block.Read(buffer) is > 0 and var read) return read;
                _block = null;
            }
            OpenNext();
        }
        return 0;
    }

    private void OpenNext()
    {
        var size = source.Peek(1);
        if (size.IsEmpty) throw new EndOfStreamException("it ends before its index");
        if (size[0] != 0)
        {
            CheckDictionaries(source.Peek((size[0] + 1) * 4));
            _block = new XZBlock(source, _header!.BlockCheckType, _header.BlockCheckSize);
            return;
        }
        XZIndex.FromStream(source, indexMarkerAlreadyVerified: false);
        XZFooter.FromStream(source);
        if (!source.Peek(1).IsEmpty) throw new InvalidDataException("something follows after the end of its xz stream");
        _ended = true;
    }

    /// <summary>Walks over the filters of a block header: flags, sizes if the flags say so, then id, length,
    /// properties.</summary>
    private static void CheckDictionaries(ReadOnlySpan<byte> header)
    {
        var filters = (header[1] & 0x03) + 1;
        var at = 2;
        if ((header[1] & 0x40) != 0) ReadInteger(header, ref at);
        if ((header[1] & 0x80) != 0) ReadInteger(header, ref at);
        for (var i = 0; i < filters; i++)
        {
            var id = ReadInteger(header, ref at);
            var length = checked((int)ReadInteger(header, ref at));
            if (id == Lzma2)
            {
                // The dictionary is 2 or 3 times a power of two: section 5.3.1.
                var bits = header[at] & 0x3F;
                var dictionary = bits >= 40 ? uint.MaxValue : (2UL | ((uint)bits & 1)) << ((bits / 2) + 11);
                if (dictionary > Compression.MaxWindow)
                    throw new InvalidDataException($"its dictionary of {dictionary} bytes is too large");
            }
            at = checked(at + length);
        }
    }

    private static ulong ReadInteger(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; shift < 63; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if ((next & 0x80) == 0) return value;
        }
        throw new InvalidDataException("a number in a block header is too long");
    }
}
