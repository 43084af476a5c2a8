using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace Quarters.Node;

/// <summary>
/// A signed payload: DSSE, the Dead Simple Signing Envelope of the secure-systems-lab, version 1.0. Signatures are
/// ECDSA over P-256 with SHA-256, DER-encoded, so that <c>openssl dgst -verify</c> reads them.
/// </summary>
/// <param name="PayloadType">The media type of the payload; it is signed too.</param>
/// <param name="Payload">What is signed. Base64 in JSON.</param>
/// <param name="Signatures">At least one.</param>
public sealed record DsseEnvelope(string PayloadType, byte[] Payload, DsseSignature[] Signatures)
{
    /// <summary>An envelope with more signatures than this is not read.</summary>
    public const int SignaturesLimit = 16;

    /// <summary>The payload, if the node with that key signed it.</summary>
    /// <returns>The payload, or null when no signature of that node is there or it does not hold.</returns>
    public byte[]? PayloadSignedBy(NodeKey key)
    {
        if (Payload is null || PayloadType is null || Signatures is null || Signatures.Length > SignaturesLimit)
            return null;
        var signed = PreAuthenticationEncoding(PayloadType, Payload);
        return Array.Exists(Signatures, signature => signature is not null && signature.Holds(signed, key)) ? Payload
            : null;
    }

    /// <summary>The bytes that are signed, so that type and payload cannot be mistaken for one another
    /// ("PAE").</summary>
    internal static byte[] PreAuthenticationEncoding(string payloadType, ReadOnlySpan<byte> payload)
    {
        var typeLength = Encoding.UTF8.GetByteCount(payloadType).ToString(CultureInfo.InvariantCulture);
        var payloadLength = payload.Length.ToString(CultureInfo.InvariantCulture);
        return [.. Encoding.UTF8.GetBytes($"DSSEv1 {typeLength} {payloadType} {payloadLength} "), .. payload];
    }
}

/// <summary>One signature of an envelope.</summary>
/// <param name="Keyid">The <see cref="NodeKey"/> of the signer.</param>
/// <param name="Sig">ECDSA P-256, SHA-256, DER. Base64 in JSON.</param>
/// <param name="PublicKey">
/// The signer's public key (SubjectPublicKeyInfo). Readers know a node by the hash of it, and could not verify without;
/// DSSE allows members of one's own. Base64 in JSON.
/// </param>
public sealed record DsseSignature(string Keyid, byte[] Sig, byte[] PublicKey)
{
    internal bool Holds(byte[] signed, NodeKey key)
    {
        // The key is right only if it hashes to the pin; what keyid says decides nothing.
        if (PublicKey is null || Sig is null || NodeKey.Of(PublicKey) != key)
            return false;
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(PublicKey, out _);
        return ecdsa.VerifyData(signed, Sig, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}

/// <summary>What <c>/v1/sig/SHA256</c> signs: that a node published this document.</summary>
public sealed record SignedDocument
{
    /// <summary>The envelope's payload type.</summary>
    public const string PayloadType = "application/vnd.quarters.signed-document+json";

    /// <summary>The schema that readers must find.</summary>
    public const string SchemaName = "quarters/signed-document/1";

    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = SchemaName;

    /// <summary>SHA-256 of the document's bytes, 64 lower-case hexadecimal digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The document's size.</summary>
    public required long Bytes { get; init; }
}

/// <summary>JSON of envelopes and signed documents.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DsseEnvelope))]
[JsonSerializable(typeof(SignedDocument))]
public sealed partial class DsseJson : JsonSerializerContext;
