using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using CsCheck;

namespace Quarters.Node.Tests;

public sealed class IdentityTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void An_identity_is_the_same_when_it_is_loaded_again()
    {
        using var made =
            Identity.Create(_directory.Path, "alder", ["alder.example.org", "192.0.2.7"], TimeProvider.System);
        using var loaded = Identity.Load(_directory.Path);

        Assert.Equal(made.PublicKey, loaded.PublicKey);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_directory["key.pem"]));
        Assert.True(loaded.Certificate.MatchesHostname("localhost"));
        Assert.True(loaded.Certificate.MatchesHostname("127.0.0.1"));
        Assert.True(loaded.Certificate.MatchesHostname("::1"));
        Assert.True(loaded.Certificate.MatchesHostname("alder.example.org"));
        Assert.True(loaded.Certificate.MatchesHostname("192.0.2.7"));
        Assert.False(loaded.Certificate.MatchesHostname("example.org"));
        Assert.Contains("CN=alder", loaded.Certificate.Subject, StringComparison.Ordinal);
    }

    [Fact]
    public void The_key_is_the_hash_that_openssl_computes()
    {
        using var identity = Identity.Create(_directory.Path, "alder", [], TimeProvider.System);

        var said =
            Run("sh", "-c",
                $"openssl x509 -in {_directory["cert.pem"]} -noout -pubkey"
                + " | openssl pkey -pubin -outform DER | sha256sum");

        Assert.Equal("sha256:" + said[..64], identity.PublicKey.ToString());
    }

    [Fact]
    public void A_second_identity_does_not_replace_the_first()
    {
        using var first = Identity.Create(_directory.Path, "alder", [], TimeProvider.System);

        var refused =
            Assert.Throws<IOException>(() => Identity.Create(_directory.Path, "alder", [], TimeProvider.System));

        Assert.Contains("exists already", refused.Message, StringComparison.Ordinal);
        using var still = Identity.Load(_directory.Path);
        Assert.Equal(first.PublicKey, still.PublicKey);
    }

    [Fact]
    public void A_key_that_others_may_read_is_refused_with_the_command_that_mends_it()
    {
        Identity.Create(_directory.Path, "alder", [], TimeProvider.System).Dispose();
        File.SetUnixFileMode(_directory["key.pem"], UnixFileMode.UserRead | UnixFileMode.GroupRead);

        var refused = Assert.Throws<IOException>(() => Identity.Load(_directory.Path));

        Assert.Contains($"chmod 600 {_directory["key.pem"]}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_of_another_key_is_refused()
    {
        using var other = new TemporaryDirectory();
        Identity.Create(_directory.Path, "alder", [], TimeProvider.System).Dispose();
        Identity.Create(other.Path, "birch", [], TimeProvider.System).Dispose();
        File.Copy(other["cert.pem"], _directory["cert.pem"], overwrite: true);

        var refused = Assert.Throws<CryptographicException>(() => Identity.Load(_directory.Path));

        Assert.Contains("cert.pem", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_node_signed_holds_for_its_key_only_and_survives_json()
    {
        using var other = new TemporaryDirectory();
        using var alder = Identity.Create(_directory.Path, "alder", [], TimeProvider.System);
        using var birch = Identity.Create(other.Path, "birch", [], TimeProvider.System);
        var payload = Encoding.UTF8.GetBytes("something that was built");

        var json =
            JsonSerializer.SerializeToUtf8Bytes(alder.Sign("text/plain", payload), DsseJson.Default.DsseEnvelope);
        var envelope = JsonSerializer.Deserialize(json, DsseJson.Default.DsseEnvelope)!;

        Assert.Equal(payload, envelope.PayloadSignedBy(alder.PublicKey));
        Assert.Null(envelope.PayloadSignedBy(birch.PublicKey));
        Assert.Null((envelope with { PayloadType = "text/html" }).PayloadSignedBy(alder.PublicKey));
        var forged =
            envelope.Signatures[0] with { PublicKey = birch.Certificate.PublicKey.ExportSubjectPublicKeyInfo() };
        Assert.Null((envelope with { Signatures = [forged] }).PayloadSignedBy(alder.PublicKey));
    }

    [Fact]
    public void No_change_of_a_signature_or_payload_holds_and_none_throws()
    {
        using var alder = Identity.Create(_directory.Path, "alder", [], TimeProvider.System);
        var envelope = alder.Sign("text/plain", Encoding.UTF8.GetBytes("something that was built"));

        Gen.Byte.Array[0, 80].Sample(sig =>
            (envelope with { Signatures = [envelope.Signatures[0] with { Sig = sig }] }).PayloadSignedBy(
                alder.PublicKey) is null,
            iter: 500);
        Gen.Byte.Array[0, 80].Sample(payload =>
            (envelope with { Payload = payload }).PayloadSignedBy(alder.PublicKey) is null, iter: 500);
    }

    [Fact]
    public void Openssl_verifies_a_signature()
    {
        using var alder = Identity.Create(_directory.Path, "alder", [], TimeProvider.System);
        var envelope = alder.Sign("text/plain", "hello"u8.ToArray());
        File.WriteAllText(_directory["signed"], "DSSEv1 10 text/plain 5 hello");
        File.WriteAllBytes(_directory["sig"], envelope.Signatures[0].Sig);
        File.WriteAllText(_directory["public.pem"],
            alder.Certificate.GetECDsaPublicKey()!.ExportSubjectPublicKeyInfoPem());

        Assert.Contains("Verified OK", Run("openssl", "dgst", "-sha256", "-verify", _directory["public.pem"],
            "-signature", _directory["sig"], _directory["signed"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sha256:")]
    [InlineData("sha256:00")]
    [InlineData("sha1:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("sha256:000000000000000000000000000000000000000000000000000000000000000g")]
    public void What_is_no_key_is_not_parsed(string text)
    {
        Assert.False(NodeKey.TryParse(text, out _));
        Assert.Contains("64 hexadecimal digits", Assert.Throws<FormatException>(() => NodeKey.Parse(text)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_is_equal_however_its_digits_are_written()
    {
        var digits = string.Concat(Enumerable.Repeat("aB", 32));
        Assert.Equal(NodeKey.Parse("sha256:" + digits), NodeKey.Parse("sha256:" + digits.ToUpperInvariant()));
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
