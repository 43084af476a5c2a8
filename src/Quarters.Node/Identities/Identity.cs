using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Quarters.Linux.Files;

namespace Quarters.Node;

/// <summary>
/// A node's own key (ECDSA P-256) and the self-signed certificate by which it shows it. Whoever has the key is the
/// node: there are no other accounts.
/// </summary>
public sealed class Identity : IDisposable
{
    /// <summary>The private key, PKCS #8 in PEM, readable by its owner only.</summary>
    public const string KeyFile = "key.pem";

    /// <summary>The certificate, PEM.</summary>
    public const string CertificateFile = "cert.pem";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // RFC 5280, 4.1.2.5: the date that means "no well-defined expiration". Peers pin the key, so no date would protect
    // them.
    private static readonly DateTimeOffset Never = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);

    private readonly ECDsa _privateKey;

    private Identity(X509Certificate2 certificate)
    {
        Certificate = certificate;
        _privateKey = certificate.GetECDsaPrivateKey()
            ?? throw new CryptographicException("A node's key must be ECDSA; make a new identity with `quarters init`");
        PublicKey = NodeKey.Of(certificate);
    }

    /// <summary>The certificate with its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Who the node is to others.</summary>
    public NodeKey PublicKey { get; }

    /// <summary>Whether a directory holds an identity.</summary>
    public static bool Exists(string directory) => File.Exists(Path.Combine(directory, KeyFile));

    /// <summary>Makes a key and certificate in a directory, which is made if it is missing.</summary>
    /// <param name="directory">Where both files go.</param>
    /// <param name="name">The node's name, the certificate's common name.</param>
    /// <param name="hosts">Names and addresses by which others reach it; the loopback's are always added.</param>
    /// <param name="time">For the first day on which the certificate is valid.</param>
    /// <exception cref="IOException">There is an identity already, or the files cannot be written.</exception>
    public static Identity Create(string directory, string name, IEnumerable<string> hosts, TimeProvider time)
    {
        Directory.CreateDirectory(directory);
        var keyPath = Path.Combine(directory, KeyFile);
        if (File.Exists(keyPath))
            throw new IOException($"{keyPath} exists already; a new key would make this node a stranger to its peers");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = SelfSigned(key, name, hosts, time.GetUtcNow());

        // The key is renamed into place last, so that an identity is either whole or not there.
        DurableFile.Replace(LinuxDisk.Instance, Path.Combine(directory, CertificateFile),
            Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"));
        var aside = keyPath + DurableFile.TemporarySuffix;
        File.Delete(aside);
        using (var file = new FileStream(aside, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        }))
        {
            file.Write(Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
            file.Flush(flushToDisk: true);
        }

        LinuxDisk.Instance.Rename(aside, keyPath);
        LinuxDisk.Instance.SyncDirectory(directory);
        return Load(directory);
    }

    /// <summary>Reads the identity in a directory.</summary>
    /// <exception cref="IOException">A file is missing, or others may read the key.</exception>
    /// <exception cref="CryptographicException">A file is not what it should be, or they do not belong
    /// together.</exception>
    public static Identity Load(string directory)
    {
        var keyPath = Path.Combine(directory, KeyFile);
        var certificatePath = Path.Combine(directory, CertificateFile);
        if (!File.Exists(keyPath))
            throw new FileNotFoundException($"There is no node key at {keyPath}; make one with `quarters init`",
                keyPath);
        if ((File.GetUnixFileMode(keyPath) & ~(OwnerOnly | UnixFileMode.UserExecute)) != UnixFileMode.None)
            throw new IOException(
                $"Others than its owner may use the node key {keyPath}; protect it with: chmod 600 {keyPath}");
        try
        {
            return new Identity(X509Certificate2.CreateFromPemFile(certificatePath, keyPath));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CryptographicException(
                $"{certificatePath} and {keyPath} are not a certificate and its key: {e.Message}", e);
        }
    }

    /// <summary>Signs a payload of the given media type.</summary>
    public DsseEnvelope Sign(string payloadType, byte[] payload)
    {
        var signature = _privateKey.SignData(DsseEnvelope.PreAuthenticationEncoding(payloadType, payload),
            HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var publicKey = Certificate.PublicKey.ExportSubjectPublicKeyInfo();
        return new DsseEnvelope(payloadType, payload, [new DsseSignature(PublicKey.ToString(), signature, publicKey)]);
    }

    /// <summary>A signature of a document, as <c>/v1/sig/</c> shows it.</summary>
    public byte[] SignDocument(string sha256, long length)
    {
        var statement = new SignedDocument { Sha256 = sha256, Bytes = length };
        var payload = JsonSerializer.SerializeToUtf8Bytes(statement, DsseJson.Default.SignedDocument);
        return JsonSerializer.SerializeToUtf8Bytes(
            Sign(SignedDocument.PayloadType, payload), DsseJson.Default.DsseEnvelope);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _privateKey.Dispose();
        Certificate.Dispose();
    }

    private static X509Certificate2 SelfSigned(ECDsa key, string name, IEnumerable<string> hosts, DateTimeOffset now)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (
            var host in hosts.Prepend("::1").Prepend("127.0.0.1").Prepend("localhost").Distinct(StringComparer.Ordinal))
        {
            if (IPAddress.TryParse(host, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));

        // A day earlier, for readers whose clock is behind.
        return request.CreateSelfSigned(now - TimeSpan.FromDays(1), Never);
    }
}
