using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Quarters.Node;

/// <summary>One version of a document in memory. It never changes; another takes its place.</summary>
internal sealed class Document
{
    /// <summary>Smaller ones do not gain by compression.</summary>
    private const int CompressedFrom = 1024;

    private readonly byte[] _bytes;
    private readonly ConcurrentDictionary<string, Lazy<byte[]>> _encoded = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Document(byte[] bytes, string contentType, DateTimeOffset modified)
    {
        _bytes = bytes;
        ContentType = contentType;
        Modified = modified;
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    internal string ContentType { get; }

    internal DateTimeOffset Modified { get; }

    internal string Sha256 { get; }

    internal int Length => _bytes.Length;

    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Done when another version took its place, or none.</summary>
    internal Task Replaced => _replaced.Task;

    internal bool IsCompressible => _bytes.Length >= CompressedFrom
        && (ContentType.StartsWith("text/", StringComparison.Ordinal)
            || ContentType.Contains("json", StringComparison.Ordinal)
            || ContentType.Contains("xml", StringComparison.Ordinal));

    internal void MarkReplaced() => _replaced.TrySetResult();

    internal bool Equals(ReadOnlySpan<byte> content, string contentType) =>
        ContentType == contentType && content.SequenceEqual(_bytes);

    /// <summary>
    /// The bytes in a coding, and a strong entity tag for exactly these: two codings of one document are two
    /// representations (RFC 9110, 8.8.3.3), so they have two tags.
    /// </summary>
    internal Representation In(string coding)
    {
        var isPlain = coding == ContentCoding.Identity || !IsCompressible;
        return new Representation
        {
            Body = new MemoryBody(isPlain ? _bytes : _encoded.GetOrAdd(coding,
                name => new Lazy<byte[]>(() => ContentCoding.Encode(name, _bytes))).Value),
            ContentType = ContentType,
            ContentEncoding = isPlain ? null : coding,
            Tag = isPlain ? Sha256 : $"{Sha256}-{coding}",
            Modified = Modified,
            CacheControl = CacheControls.Document,
            VariesByCoding = IsCompressible,
        };
    }
}
