using System.Buffers.Binary;
using System.Text;

namespace Quarters.Alpm;

/// <summary>The 512 bytes of a ustar header.</summary>
internal static class TarFormat
{
    public const int Block = 512;

    private const int PathLength = 100;
    private const int PrefixAt = 345;

    public static int Padding(long length) => (int)(-length & (Block - 1));

    public static ReadOnlySpan<byte> UntilNul(ReadOnlySpan<byte> field) =>
        field.IndexOf((byte)0) is >= 0 and var end ? field[..end] : field;

    /// <summary>The path, with the prefix that POSIX (but not GNU, which keeps other things there) may put before
    /// it.</summary>
    public static ReadOnlySpan<byte> Path(ReadOnlySpan<byte> block)
    {
        var name = UntilNul(block[..PathLength]);
        if (!block.Slice(257, 6).SequenceEqual("ustar\0"u8) || block[PrefixAt] == 0) return name;
        byte[] path = [.. UntilNul(block.Slice(PrefixAt, 155)), (byte)'/', .. name];
        return path;
    }

    public static ReadOnlySpan<byte> LinkTarget(ReadOnlySpan<byte> block) => UntilNul(block.Slice(157, 100));

    public static bool HasValidChecksum(ReadOnlySpan<byte> block) =>
        TryReadNumber(block.Slice(148, 8), out var stored) && stored == Checksum(block);

    /// <summary>Octal digits between blanks, or, where the first bit is set, a binary number (GNU's, for more than 8
    /// GiB).</summary>
    public static bool TryReadNumber(ReadOnlySpan<byte> field, out long number)
    {
        number = 0;
        if ((field[0] & 0x80) != 0)
        {
            // Only what fits a positive long: all the bytes above are the mark and zeros.
            if (field.Length < 9 || field[0] != 0x80 || field[1..^8].ContainsAnyExcept((byte)0)) return false;
            number = BinaryPrimitives.ReadInt64BigEndian(field[^8..]);
            return number >= 0;
        }
        // By hand, as below: what the library has for it is generic, and is compiled only while a program runs.
        while (field is [(byte)' ' or 0, ..]) field = field[1..];
        while (field is [.., (byte)' ' or 0]) field = field[..^1];
        foreach (var digit in field)
        {
            if (digit is < (byte)'0' or > (byte)'7') return false;
            number = (number << 3) | (uint)(digit - '0');
        }
        return true;
    }

    /// <summary>Writes the header of a file or directory, owned by root and from 1970, with a pax header before it if
    /// the path is long.</summary>
    public static void WriteHeader(Stream target, string path, long size, bool directory)
    {
        var bytes = Encoding.UTF8.GetBytes(path);
        if (bytes.Length > PathLength)
        {
            var record = PaxRecord("path", path);
            WriteBlock(target, "PaxHeader"u8, record.Length, (byte)'x', 0x1A4);
            target.Write(record);
            WritePadding(target, record.Length);
        }
        WriteBlock(
            target, bytes.AsSpan(0, Math.Min(bytes.Length, PathLength)), size,
            directory ? (byte)'5' : (byte)'0', directory ? 0x1ED : 0x1A4);
    }

    public static void WritePadding(Stream target, long length)
    {
        Span<byte> zeros = stackalloc byte[Block];
        zeros.Clear();
        target.Write(zeros[..Padding(length)]);
    }

    /// <summary>Two blocks of zeros.</summary>
    public static void WriteEnd(Stream target)
    {
        Span<byte> zeros = stackalloc byte[Block * 2];
        zeros.Clear();
        target.Write(zeros);
    }

    private static void WriteBlock(Stream target, ReadOnlySpan<byte> path, long size, byte type, int mode)
    {
        Span<byte> block = stackalloc byte[Block];
        block.Clear();
        path.CopyTo(block);
        WriteOctal(block.Slice(100, 8), mode);
        WriteOctal(block.Slice(108, 8), 0);
        WriteOctal(block.Slice(116, 8), 0);
        WriteOctal(block.Slice(124, 12), size);
        WriteOctal(block.Slice(136, 12), 0);
        block[156] = type;
        "ustar\0"u8.CopyTo(block[257..]);
        "00"u8.CopyTo(block[263..]);
        "root"u8.CopyTo(block[265..]);
        "root"u8.CopyTo(block[297..]);
        WriteOctal(block.Slice(148, 7), Checksum(block));
        block[155] = (byte)' ';
        target.Write(block);
    }

    private static void WriteOctal(Span<byte> field, long number)
    {
        for (var i = field.Length - 2; i >= 0; i--, number >>= 3) field[i] = (byte)('0' + (number & 7));
        if (number != 0)
            throw new ArgumentOutOfRangeException(nameof(number), "The file is too large for a tar header.");
    }

    private static byte[] PaxRecord(string key, string value)
    {
        var rest = Encoding.UTF8.GetByteCount($" {key}={value}\n");
        // The length counts its own digits, which may make it a digit longer.
        var length = rest + $"{rest}".Length;
        if ($"{length}".Length > $"{rest}".Length) length = rest + $"{length}".Length;
        return Encoding.UTF8.GetBytes($"{length} {key}={value}\n");
    }

    /// <summary>The sum of all bytes, with blanks in place of the checksum.</summary>
    private static long Checksum(ReadOnlySpan<byte> block)
    {
        const ulong even = 0x00FF_00FF_00FF_00FF;
        // Four sums side by side, 16 bits each: 64 steps of at most 510 fit.
        var sums = 0UL;
        for (var i = 0; i < Block; i += sizeof(ulong))
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(block[i..]);
            sums += (word & even) + ((word >> 8) & even);
        }

        var sum = (long)((sums & 0xFFFF) + ((sums >> 16) & 0xFFFF) + ((sums >> 32) & 0xFFFF) + (sums >> 48));
        foreach (var stored in block.Slice(148, 8)) sum += ' ' - stored;
        return sum;
    }
}
