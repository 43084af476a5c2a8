using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Quarters.Alpm;

/// <summary>
/// Where in a file which segment is. It stands at the end of the file in a skippable frame, which every reader of zstd
/// passes over: the file says itself what of it can be used again.
/// </summary>
/// <remarks>
/// Numbers are little-endian. Frame: magic <c>0x184D2A5E</c>, length of the rest. Rest: the count; for each segment its
/// length in bytes, its key, the SHA-256 of its bytes, the length of its first name, that name; the SHA-256 of the rest
/// so far; the length of the rest again, and <c>QSEG</c>, by which it is found from the end of the file.
/// </remarks>
internal static class SegmentTable
{
    /// <summary>The end of every archive, two blocks of zeros, compressed for itself. Written down, since a reader
    /// needs it too, and starting a compressor costs more than reading a thousand entries.</summary>
    public static ReadOnlySpan<byte> End =>
    [
        0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, // a frame
        0x4C, 0x00, 0x00, 0x10, 0x00, 0x00, 0x01, 0x00, 0xFB, 0x2B, 0x80, 0x05, // zeros, once and 1,023 times again
        0x01, 0x00, 0x00, // nothing more
    ];

    /// <summary>What that is unpacked.</summary>
    public const int EndLength = 2 * TarFormat.Block;

    private const uint Magic = 0x184D2A5E;
    private const int DigestLength = 32;
    private const int TailLength = 8;

    /// <summary>What each segment takes beside its name.</summary>
    private const int FixedLength = 4 + (2 * DigestLength) + 4;

    private const int MaxLength = 64 << 20;

    /// <summary>The whole frame.</summary>
    public static byte[] Write(IReadOnlyList<StoredSegment> segments)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(Magic);
        writer.Write(0);
        writer.Write(segments.Count);
        foreach (var segment in segments)
        {
            writer.Write(segment.Length);
            writer.Write(Convert.FromHexString(segment.Key));
            writer.Write(Convert.FromHexString(segment.Sha256));
            var first = Encoding.UTF8.GetBytes(segment.First);
            writer.Write(first.Length);
            writer.Write(first);
        }

        writer.Flush();
        var restLength = (int)bytes.Length - 8 + DigestLength + TailLength;
        writer.Write(SHA256.HashData(bytes.GetBuffer().AsSpan(8, (int)bytes.Length - 8)));
        writer.Write(restLength);
        writer.Write("QSEG"u8);
        writer.Flush();
        var frame = bytes.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), restLength);
        return frame;
    }

    /// <summary>The segments of a file, in its order; null when it has no table, or one that is not whole.</summary>
    /// <param name="file">Can be sought in. It is left open.</param>
    /// <param name="isTrusted">Do not compare the digest of the table.</param>
    public static ImmutableArray<StoredSegment>? Read(Stream file, bool isTrusted)
    {
        Span<byte> tail = stackalloc byte[TailLength];
        if (file.Length < TailLength) return null;
        file.Position = file.Length - TailLength;
        file.ReadExactly(tail);
        var length = BinaryPrimitives.ReadInt32LittleEndian(tail);
        if (!tail[4..].SequenceEqual("QSEG"u8) || length is < DigestLength + TailLength + 4 or > MaxLength
            || length + 8 > file.Length)
            return null;
        var frame = new byte[length + 8];
        file.Position = file.Length - frame.Length;
        file.ReadExactly(frame);
        var table = frame.AsSpan(8, length - TailLength - DigestLength);
        if (BinaryPrimitives.ReadUInt32LittleEndian(frame) != Magic
            || BinaryPrimitives.ReadInt32LittleEndian(frame.AsSpan(4)) != length
            || (!isTrusted && !IsDigestOf(frame.AsSpan(8 + table.Length, DigestLength), table)))
            return null;
        if (Parse(table) is not { } segments) return null;
        // What is between the last segment and the table is the end of the archive, and nothing else.
        var end = segments is [.., var last] ? last.Offset + last.Length : 0;
        return end + End.Length + frame.Length == file.Length ? segments : null;
    }

    private static bool IsDigestOf(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> table) =>
        digest.SequenceEqual(SHA256.HashData(table));

    /// <summary>The digest proves that somebody meant it, not that it was us.</summary>
    private static ImmutableArray<StoredSegment>? Parse(ReadOnlySpan<byte> table)
    {
        var count = BinaryPrimitives.ReadInt32LittleEndian(table);
        table = table[4..];
        var segments = ImmutableArray.CreateBuilder<StoredSegment>();
        var offset = 0L;
        for (var i = 0; i < count; i++)
        {
            if (table.Length < FixedLength) return null;
            var length = BinaryPrimitives.ReadInt32LittleEndian(table);
            var nameLength = BinaryPrimitives.ReadInt32LittleEndian(table[(FixedLength - 4)..]);
            if (length < 0 || nameLength < 0 || nameLength > table.Length - FixedLength) return null;
            segments.Add(new StoredSegment(
                Encoding.UTF8.GetString(table.Slice(FixedLength, nameLength)),
                Convert.ToHexStringLower(table.Slice(4, DigestLength)),
                Convert.ToHexStringLower(table.Slice(4 + DigestLength, DigestLength)), offset, length));
            table = table[(FixedLength + nameLength)..];
            offset += length;
        }

        return table.IsEmpty ? segments.ToImmutable() : null;
    }
}

/// <summary>A segment as it lies in a file.</summary>
/// <param name="First">The name of its first package.</param>
/// <param name="Key">What it follows from: <see cref="DatabaseSegment.Key"/>.</param>
/// <param name="Sha256">The digest of its bytes in hex.</param>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="Length">Its bytes.</param>
public sealed record StoredSegment(string First, string Key, string Sha256, long Offset, int Length);
