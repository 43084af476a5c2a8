using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Quarters.Node;

/// <summary>
/// Who a node is: the SHA-256 of its public key as the certificate carries it (SubjectPublicKeyInfo, DER), the value
/// that RFC 7469 pins. Written <c>sha256:</c> and 64 lower-case hexadecimal digits.
/// </summary>
public sealed record NodeKey
{
    private const string Prefix = "sha256:";

    private NodeKey(string text) => Text = text;

    private string Text { get; }

    /// <summary>The key of whoever holds this certificate.</summary>
    public static NodeKey Of(X509Certificate2 certificate) => Of(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary>The key with this SubjectPublicKeyInfo (DER).</summary>
    public static NodeKey Of(ReadOnlySpan<byte> publicKeyInfo) =>
        new(Prefix + Convert.ToHexStringLower(SHA256.HashData(publicKeyInfo)));

    /// <summary>Reads <c>sha256:HEX</c>; upper-case digits are taken too.</summary>
    /// <exception cref="FormatException">It is anything else.</exception>
    public static NodeKey Parse(string text) => TryParse(text, out var key)
        ? key
        : throw new FormatException(
            $"A node's key is written \"sha256:\" and 64 hexadecimal digits, not \"{Shortened(text)}\"");

    /// <summary>Reads <c>sha256:HEX</c> and says whether it was one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out NodeKey? key)
    {
        key = text is not null && text.Length == Prefix.Length + (2 * SHA256.HashSizeInBytes)
            && text.StartsWith(Prefix, StringComparison.Ordinal)
            && text.AsSpan(Prefix.Length).IndexOfAnyExcept(HexDigits) < 0
                ? new NodeKey(text.ToLowerInvariant())
                : null;
        return key is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static readonly System.Buffers.SearchValues<char> HexDigits =
        System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");

    private static string Shortened(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
