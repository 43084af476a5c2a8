using System.IO.Compression;
using Microsoft.Net.Http.Headers;
using ZstdSharp;

namespace Quarters.Node;

/// <summary>The content codings (RFC 9110, 8.4.1; zstd is RFC 8878) that nodes speak, best first.</summary>
internal static class ContentCoding
{
    internal const string Identity = "identity";

    private const int ZstdLevel = 6;

    /// <summary>What a reader of ours asks for: codings of which it can tell whether all has come.</summary>
    internal const string Accepted = "zstd, gzip";

    private static readonly string[] Preferred = ["zstd", "br", "gzip"];

    /// <summary>The coding that the reader likes best, ours breaking ties; <see cref="Identity"/> if it takes
    /// none.</summary>
    internal static string Choose(IList<StringWithQualityHeaderValue> accepted)
    {
        var best = Identity;
        var bestQuality = 0.0;
        foreach (var coding in Preferred)
        {
            var named =
                accepted.FirstOrDefault(value => value.Value.Equals(coding, StringComparison.OrdinalIgnoreCase));
            var quality = named is null ? 0 : named.Quality ?? 1;
            if (quality > bestQuality)
                (best, bestQuality) = (coding, quality);
        }

        return best;
    }

    /// <summary>The bytes in a coding. The same bytes give the same result for as long as the process runs.</summary>
    internal static byte[] Encode(string coding, ReadOnlySpan<byte> bytes)
    {
        // At once, because the tables are as large as the whole needs, and a stream cannot know that.
        if (coding == "zstd")
        {
            using var compressor = new Compressor(ZstdLevel);
            return compressor.Wrap(bytes).ToArray();
        }

        using var output = new MemoryStream();
        using (Stream encoder = coding switch
        {
            "br" => new BrotliStream(output, CompressionLevel.Fastest, leaveOpen: true),
            "gzip" => new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true),
            _ => throw new ArgumentOutOfRangeException(nameof(coding), coding, "not a coding that is spoken here"),
        })
            encoder.Write(bytes);
        return output.ToArray();
    }

    /// <summary>A stream that decodes; null for a coding that is not asked for. That of zstd says so when data ends too
    /// early; that of gzip ends there, see <see cref="CountingStream.Tail"/>.</summary>
    internal static Stream? Decoder(string? coding, Stream encoded) => coding switch
    {
        null or "" or Identity => encoded,
        "zstd" => new DecompressionStream(encoded),
        "gzip" or "x-gzip" => new GZipStream(encoded, CompressionMode.Decompress),
        _ => null,
    };
}
