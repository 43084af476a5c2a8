using System.IO.Compression;

namespace Quarters.Alpm;

/// <summary>How a package or database is compressed.</summary>
public enum CompressionFormat
{
    None,
    Gzip,
    Zstandard,

    /// <summary>Can only be read.</summary>
    Xz,
}

/// <summary>The one place that knows the compression libraries.</summary>
public static class Compression
{
    /// <summary>The largest window or dictionary of a compressed file, and so about the memory that reading one takes:
    /// what zstd itself allows unasked, and what <c>zstd --ultra -20</c> of Arch's makepkg.conf needs.</summary>
    internal const int MaxWindow = 128 << 20;

    /// <summary>What a file is by its first bytes; six are enough.</summary>
    public static CompressionFormat Detect(ReadOnlySpan<byte> start) => start switch
    {
        [0x1F, 0x8B, ..] => CompressionFormat.Gzip,
        [0x28, 0xB5, 0x2F, 0xFD, ..] => CompressionFormat.Zstandard,
        // A skippable frame, with which parallel compressors begin.
        [>= 0x50 and <= 0x5F, 0x2A, 0x4D, 0x18, ..] => CompressionFormat.Zstandard,
        [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => CompressionFormat.Xz,
        _ => CompressionFormat.None,
    };

    /// <summary>Decompresses as the first bytes say; what is not compressed is passed on.</summary>
    /// <param name="source">Read from where it stands, and left open.</param>
    /// <param name="document">What it is, for messages.</param>
    /// <param name="maxLength">The most bytes that may come out.</param>
    /// <returns>A stream that throws <see cref="AlpmFormatException"/> when the data is corrupt, cut off or too long;
    /// the source's own exceptions pass through.</returns>
    public static Stream OpenRead(Stream source, string document, long maxLength) =>
        Decode(source, document, maxLength);

    /// <summary>Compresses; disposing the stream ends the compressed data and leaves the target open.</summary>
    /// <remarks>The same input gives the same bytes with the same version of the libraries.</remarks>
    /// <exception cref="NotSupportedException">For xz.</exception>
    public static Stream OpenWrite(Stream target, CompressionFormat format) => format switch
    {
        CompressionFormat.Gzip => new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true),
        CompressionFormat.Zstandard => new ZstdSharp.CompressionStream(target, level: 3, leaveOpen: true),
        CompressionFormat.None => new UncompressedStream(target),
        _ => throw new NotSupportedException($"{format} can only be read"),
    };

    internal static DecodedStream Decode(Stream source, string document, long maxLength)
    {
        ArgumentNullException.ThrowIfNull(source);
        var peeked = new PeekStream(source);
        Stream decoder = Detect(peeked.Peek(6)) switch
        {
            CompressionFormat.Gzip => new GZipStream(peeked, CompressionMode.Decompress, leaveOpen: true),
            CompressionFormat.Zstandard =>
                new ZstdSharp.DecompressionStream(peeked, checkEndOfStream: true, leaveOpen: true),
            CompressionFormat.Xz => new XzStream(peeked),
            _ => peeked,
        };
        return new DecodedStream(peeked, decoder, document, maxLength);
    }
}
