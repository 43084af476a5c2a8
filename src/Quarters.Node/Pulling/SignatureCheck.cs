using System.Security.Cryptography;
using System.Text.Json;

namespace Quarters.Node;

/// <summary>
/// Whether documents that came through somebody else are the node's own: signed by its key, and none older than one
/// that was seen. May be used from many threads at once.
/// </summary>
internal sealed class SignatureCheck(NodeKey pin)
{
    /// <summary>No signature is larger, in bytes.</summary>
    internal const int MaxBytes = 16 * 1024;

    /// <summary>So many documents are remembered; then the one is forgotten that was not asked for the
    /// longest.</summary>
    private const int SeenLimit = 4096;

    private const string DocumentsPath = "/v1/";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);
    private long _uses;

    /// <summary>Checks a document.</summary>
    /// <param name="url">Where it was read.</param>
    /// <param name="bytes">What came.</param>
    /// <param name="fetch">Reads a signature; null when there is none.</param>
    /// <exception cref="PullException">It is not to be believed.</exception>
    internal async Task CheckAsync(Uri url, byte[] bytes, Func<Uri, Task<byte[]?>> fetch)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        lock (_gate)
        {
            if (_seen.TryGetValue(url.AbsoluteUri, out var last) && last.Sha256 == sha256)
                return;
        }

        var at = SignatureOf(url, sha256);
        var envelope = await fetch(at)
            // It may be on its way: who copies files one by one is done in a moment.
            ?? throw Refused($"{url} cannot be believed: whoever serves it does not prove the key {pin} by TLS, and "
                + $"there is no signature at {at}", isPassing: true);
        CheckSignature(url, at, envelope, sha256, bytes.Length);
        Remember(url, sha256, RevisionOf(bytes));
    }

    private static Uri SignatureOf(Uri url, string sha256)
    {
        var start = url.AbsoluteUri.LastIndexOf(DocumentsPath, StringComparison.Ordinal);
        return start < 0
            ? throw Refused($"{url} is no document that a node could have signed", isPassing: false)
            : new Uri(url.AbsoluteUri[..start] + DocumentsPath + "sig/" + sha256);
    }

    private void CheckSignature(Uri url, Uri at, byte[] bytes, string sha256, int length)
    {
        try
        {
            var envelope = JsonSerializer.Deserialize(bytes, DsseJson.Default.DsseEnvelope);
            if (envelope?.PayloadType != SignedDocument.PayloadType)
                throw Refused($"{at} is no signature of a document", isPassing: false);
            if (envelope.PayloadSignedBy(pin) is not { } payload)
                throw Refused(
                    $"{at} is not signed with the key {pin}, but with {SignersOf(envelope)}, or the signature does "
                    + "not hold", isPassing: false);
            var signed = JsonSerializer.Deserialize(payload, DsseJson.Default.SignedDocument);
            if (signed?.Schema != SignedDocument.SchemaName)
                throw Refused($"{at} signs \"{signed?.Schema}\" instead of {SignedDocument.SchemaName}", false);
            if (signed.Sha256 != sha256 || signed.Bytes != length)
                throw Refused($"{at} signs another document ({signed.Sha256}, {signed.Bytes} bytes) than {url} shows "
                    + $"({sha256}, {length} bytes)", isPassing: false);
        }
        catch (Exception e) when (e is JsonException or CryptographicException)
        {
            throw Refused($"{at} is no signature that could be read: {e.Message}", isPassing: false);
        }
    }

    private void Remember(Uri url, string sha256, long? revision)
    {
        lock (_gate)
        {
            if (_seen.TryGetValue(url.AbsoluteUri, out var last) && revision < last.Revision)
                throw new PullException(new PullFailure(PullFailureKind.Outdated,
                    $"{url} is of revision {revision}, and revision {last.Revision} was seen before: somebody shows an "
                    + "old document, or the node lost its journal", IsPassing: true));
            if (last is null && _seen.Count >= SeenLimit)
                _seen.Remove(_seen.MinBy(pair => pair.Value.Used).Key);
            _seen[url.AbsoluteUri] = new Seen(sha256, revision ?? last?.Revision, ++_uses);
        }
    }

    private static string SignersOf(DsseEnvelope envelope) => envelope.Signatures is { Length: > 0 } signatures
        ? string.Join(", ", signatures.Take(3).Select(signature =>
            signature?.PublicKey is { } key ? NodeKey.Of(key).ToString() : "no key"))
        : "no key";

    /// <summary>The document's revision; null when it has none.</summary>
    private static long? RevisionOf(byte[] bytes)
    {
        var reader = new Utf8JsonReader(bytes);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isRevision = reader.ValueTextEquals("revision"u8);
                reader.Read();
                if (isRevision)
                    return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var revision)
                        ? revision
                        : null;
                reader.Skip();
            }

            return null;
        }
        catch (JsonException)
        {
            // What it should be, its reader knows.
            return null;
        }
    }

    private static PullException Refused(string sentence, bool isPassing) =>
        new(new PullFailure(PullFailureKind.NotSigned, sentence, isPassing));

    private sealed record Seen(string Sha256, long? Revision, long Used);
}
