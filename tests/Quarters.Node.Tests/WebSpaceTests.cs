using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace Quarters.Node.Tests;

/// <summary>A node that is read from a web space: the real nginx, with a certificate that is not the node's.</summary>
public sealed class WebSpaceTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private Identity _node = null!;
    private PublicTree _tree = null!;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private FolderPublisher _publisher = null!;
    private Task _publishing = Task.CompletedTask;
    private Nginx _nginx = null!;
    private long _revision;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Space => _directory["space"];

    private string StateFile => Path.Combine(Space, "v1/state.json");

    public async ValueTask InitializeAsync()
    {
        _node = Identity.Create(_directory["identity"], "alder", [], TimeProvider.System);
        _tree = new PublicTree(_node, TimeProvider.System);
        _tree.Map("/out/", _directory["out"], FileKind.Immutable);
        _tree.Map("/v1/logs/", _directory["logs"], FileKind.Growing);
        Directory.CreateDirectory(Space);
        var settings = new PublishSettings { Folder = Space, Command = ["true"], Interval = TimeSpan.Zero };
        _publisher = new FolderPublisher(settings, _tree, _node.PublicKey, TimeProvider.System, () => 0.5);
        _publishing = _publisher.RunAsync(Revision, problem => Assert.Null(problem), _stop.Token);
        _nginx = await Nginx.StartAsync(
            "quarters-webspace.conf", "builder.example.org", _directory["nginx"], ("/srv/quarters/builder", Space));
        await SayAsync("first");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _publishing);
        _publisher.Dispose();
        _stop.Dispose();
        await _nginx.DisposeAsync();
        _node.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_document_is_believed_for_its_signature_and_not_sent_twice()
    {
        using var puller = Puller(_node.PublicKey);

        var first = Assert.IsType<PullResult.Document>(await ReadAsync(puller));
        Assert.Equal(File.ReadAllBytes(StateFile), first.Bytes);
        Assert.IsType<PullResult.NotModified>(await ReadAsync(puller, first.Tag));
        await SayAsync("second");
        var second = Assert.IsType<PullResult.Document>(await ReadAsync(puller, first.Tag));
        Assert.Contains("second", Encoding.UTF8.GetString(second.Bytes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tampered_document_is_refused_since_nobody_signed_it()
    {
        using var puller = Puller(_node.PublicKey);
        File.WriteAllText(StateFile, File.ReadAllText(StateFile).Replace("first", "forged", StringComparison.Ordinal));

        var failure = await FailureAsync(puller);

        Assert.Equal(PullFailureKind.NotSigned, failure.Kind);
        Assert.Contains("there is no signature at", failure.Sentence, StringComparison.Ordinal);
        Assert.Contains(_node.PublicKey.ToString(), failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signature_of_another_document_is_refused()
    {
        using var puller = Puller(_node.PublicKey);
        var before = SignatureFile();
        await SayAsync("second");
        File.Copy(before, SignatureFile(), overwrite: true);

        var failure = await FailureAsync(puller);

        Assert.Equal(PullFailureKind.NotSigned, failure.Kind);
        Assert.Contains("signs another document", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signature_by_another_key_is_refused_and_both_keys_are_named()
    {
        using var stranger = Identity.Create(_directory["stranger"], "rowan", [], TimeProvider.System);
        using var puller = Puller(stranger.PublicKey);

        var failure = await FailureAsync(puller);

        Assert.Equal(PullFailureKind.NotSigned, failure.Kind);
        Assert.Contains(stranger.PublicKey.ToString(), failure.Sentence, StringComparison.Ordinal);
        Assert.Contains(_node.PublicKey.ToString(), failure.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no JSON")]
    [InlineData("{}")]
    [InlineData("""{"payloadType":"text/plain","payload":"","signatures":[]}""")]
    public async Task What_is_no_signature_is_refused(string text)
    {
        using var puller = Puller(_node.PublicKey);
        File.WriteAllText(SignatureFile(), text);

        Assert.Equal(PullFailureKind.NotSigned, (await FailureAsync(puller)).Kind);
    }

    [Fact]
    public async Task An_older_document_is_refused_however_well_it_is_signed()
    {
        using var puller = Puller(_node.PublicKey);
        var old = File.ReadAllBytes(StateFile);
        await SayAsync("second");
        Assert.IsType<PullResult.Document>(await ReadAsync(puller));
        File.WriteAllBytes(StateFile, old);

        var failure = await FailureAsync(puller);

        Assert.Equal(PullFailureKind.Outdated, failure.Kind);
        Assert.Contains("is of revision 1, and revision 2 was seen before", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_proves_nothing()
    {
        using var puller = new Puller(_node.PublicKey, new PullerSettings(), TimeProvider.System, () => 0.5);

        var failure = await FailureAsync(puller);

        Assert.Equal(PullFailureKind.WrongKey, failure.Kind);
        Assert.Contains("nobody who is trusted here vouches", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_for_another_host_proves_nothing()
    {
        using var puller = Puller(_node.PublicKey);

        var failure = await FailureAsync(puller, new Uri($"https://127.0.0.1:{_nginx.Address.Port}/v1/state.json"));

        Assert.Equal(PullFailureKind.WrongKey, failure.Kind);
        Assert.Contains("RemoteCertificateNameMismatch", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_is_resumed_and_checked_by_its_hash_alone()
    {
        var content = RandomNumberGenerator.GetBytes(300_000);
        Directory.CreateDirectory(_directory["out/job.1"]);
        File.WriteAllBytes(_directory["out/job.1/file"], content);
        await SayAsync("there are files");
        var target = _directory["fetched"];
        File.WriteAllBytes(target + ".part", content[..100_000]);
        using var puller = Puller(_node.PublicKey);

        Assert.Null(await puller.DownloadAsync(new Uri(_nginx.Address, "out/job.1/file"), target,
            Convert.ToHexStringLower(SHA256.HashData(content)), content.Length, Cancel));

        Assert.Equal(content, File.ReadAllBytes(target));
        Assert.Contains(_nginx.AccessLog, line => line.StartsWith("GET /out/job.1/file HTTP/2.0 206",
            StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_log_is_followed_where_it_was_copied_to()
    {
        File.WriteAllText(_directory["logs/job.1.log"], "one\ntwo\n");
        await SayAsync("there are files");
        using var puller = Puller(_node.PublicKey);
        var log = new Uri(_nginx.Address, "v1/logs/job.1.log");

        var tail = Assert.IsType<PullResult.Document>(await puller.GetTailAsync(log, 4, TimeSpan.Zero, 100, Cancel));

        Assert.Equal("two\n", Encoding.ASCII.GetString(tail.Bytes));
        Assert.IsType<PullResult.NotModified>(await puller.GetTailAsync(log, 8, TimeSpan.Zero, 100, Cancel));
    }

    [Fact]
    public async Task A_node_is_read_directly_and_through_a_web_space_by_one_reader_in_any_order()
    {
        await using var server = await NodeServer.StartAsync(
            new ServerSettings { Listen = new IPEndPoint(IPAddress.Loopback, 0) }, _node, _tree,
            NullLoggerFactory.Instance, Cancel);
        using var puller = Puller(_node.PublicKey);
        Uri[] addresses = [server.LoopbackAddress, _nginx.Address, server.LoopbackAddress, _nginx.Address];
        foreach (var address in addresses)
        {
            var read = await puller.GetDocumentAsync(
                new Uri(address, "v1/state.json"), null, TimeSpan.Zero, 1000, Cancel);
            Assert.IsType<PullResult.Document>(read);
        }
    }

    [Fact]
    public async Task No_signature_is_asked_for_when_the_connection_proves_the_key()
    {
        var asked = 0;
        var bytes = "{}"u8.ToArray();
        var shown = new PublicTree(_node, TimeProvider.System);
        shown.Publish("/v1/state.json", bytes, "application/json");
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Directory.CreateDirectory(_directory["sig"]);
        File.WriteAllText(_directory["sig/" + sha256], "");
        shown.Map("/v1/sig/", _directory["sig"], FileKind.Replaced, _ => ++asked);
        await using var server = await NodeServer.StartAsync(
            new ServerSettings { Listen = new IPEndPoint(IPAddress.Loopback, 0) }, _node, shown,
            NullLoggerFactory.Instance, Cancel);
        using var puller = Puller(_node.PublicKey);
        var state = new Uri(server.LoopbackAddress, "v1/state.json");

        Assert.IsType<PullResult.Document>(await puller.GetDocumentAsync(state, null, TimeSpan.Zero, 1000, Cancel));
        Assert.Equal(0, asked);
        await puller.GetFileAsync(new Uri(state, "sig/" + sha256), 1000, Cancel);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Caches_are_told_what_never_changes()
    {
        File.WriteAllText(_directory["out/file"], "");
        File.WriteAllText(_directory["logs/job.1.log"], "");
        await SayAsync("there are files");
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, _, _, errors) =>
                errors == System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors },
            UseProxy = false,
        });
        var said = new List<string?>();
        foreach (var path in new[] { "v1/state.json", "v1/logs/job.1.log", "out/file",
            "v1/sig/" + Path.GetFileName(SignatureFile()), "v1/absent.json" })
        {
            using var answer = await client.GetAsync(new Uri(_nginx.Address, path), Cancel);
            said.Add($"{(int)answer.StatusCode} {answer.Headers.CacheControl}");
        }

        Assert.Equal(
            ["200 no-cache", "200 no-cache", "200 public, max-age=31536000, immutable",
                "200 public, max-age=31536000, immutable", "404 no-cache"],
            said);
    }

    private async Task SayAsync(string word)
    {
        lock (_gate)
        {
            _tree.Publish("/v1/state.json", Encoding.UTF8.GetBytes(
                $$"""{"words":["{{word}}",{"revision":9}],"revision":{{++_revision}}}"""), "application/json");
        }

        await _publisher.UntilPublicAsync(Revision(), Cancel);
    }

    private long Revision()
    {
        lock (_gate)
            return _revision;
    }

    private string SignatureFile() => Path.Combine(
        Space, "v1/sig", Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(StateFile))));

    private Puller Puller(NodeKey pin) => new(
        pin, new PullerSettings { AuthoritiesFile = _nginx.AuthorityFile }, TimeProvider.System, () => 0.5);

    private Task<PullResult> ReadAsync(Puller puller, string? tag = null) =>
        puller.GetDocumentAsync(new Uri(_nginx.Address, "v1/state.json"), tag, TimeSpan.Zero, 1000, Cancel);

    private async Task<PullFailure> FailureAsync(Puller puller, Uri? url = null) => Assert.IsType<PullResult.Failed>(
        await puller.GetDocumentAsync(url ?? new Uri(_nginx.Address, "v1/state.json"), null, TimeSpan.Zero, 1000,
            Cancel)).Failure;
}
