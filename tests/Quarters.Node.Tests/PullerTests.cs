using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quarters.Node.Tests;

public sealed class PullerTests : IAsyncLifetime
{
    private RunningNode _node = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _node = await RunningNode.StartAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Theory]
    [InlineData(10)]
    [InlineData(200_000)]
    public async Task A_document_arrives_and_is_not_sent_again(int size)
    {
        var bytes = Encoding.ASCII.GetBytes(new string('x', size));
        _node.Tree.Publish("/v1/state.json", bytes, "application/json");
        using var puller = _node.Puller();

        var first =
            Assert.IsType<PullResult.Document>(
                await puller.GetDocumentAsync(_node["/v1/state.json"], null, TimeSpan.Zero, size, Cancel));
        var second = await puller.GetDocumentAsync(_node["/v1/state.json"], first.Tag, TimeSpan.Zero, size, Cancel);

        Assert.Equal(bytes, first.Bytes);
        Assert.IsType<PullResult.NotModified>(second);
    }

    [Fact]
    public async Task A_wrong_key_is_refused_and_both_keys_are_named()
    {
        _node.Tree.Publish("/v1/state.json", "{}"u8.ToArray(), "application/json");
        var expected = NodeKey.Of("somebody else"u8);
        using var puller = new Puller(expected, new PullerSettings(), TimeProvider.System, () => 0.5);

        var failure = await FailureAsync(puller, _node["/v1/state.json"]);

        Assert.Equal(PullFailureKind.WrongKey, failure.Kind);
        Assert.Contains(expected.ToString(), failure.Sentence, StringComparison.Ordinal);
        Assert.Contains(_node.Identity.PublicKey.ToString(), failure.Sentence, StringComparison.Ordinal);
        Assert.False(failure.IsPassing);
        var file =
            await puller.DownloadAsync(_node["/v1/state.json"], _node.Directory["state"], new string('0', 64), 100,
                Cancel);
        Assert.Equal(PullFailureKind.WrongKey, file!.Kind);
    }

    [Fact]
    public async Task Without_a_key_a_certificate_that_no_authority_vouches_for_is_refused()
    {
        using var puller = new Puller(null, new PullerSettings(), TimeProvider.System, () => 0.5);

        var failure = await FailureAsync(puller, _node["/v1/state.json"]);

        Assert.Equal(PullFailureKind.WrongKey, failure.Kind);
        Assert.Contains("cannot prove who it is", failure.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1001, "image/png")]
    [InlineData(10_000_000, "application/json")]
    public async Task More_than_is_allowed_is_not_taken_even_if_it_was_small_when_encoded(int size, string contentType)
    {
        _node.Tree.Publish("/v1/state.json", new byte[size], contentType);
        using var puller = _node.Puller();

        var failure = await FailureAsync(puller, _node["/v1/state.json"]);

        Assert.Equal(PullFailureKind.TooLarge, failure.Kind);
        Assert.Contains("1000 bytes", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_told_by_its_status()
    {
        using var puller = _node.Puller();

        var failure = await FailureAsync(puller, _node["/v1/absent.json"]);

        Assert.Equal((PullFailureKind.Status, 404, false), (failure.Kind, failure.Status, failure.IsPassing));
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_unreachable()
    {
        using var puller = _node.Puller();
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = new Uri($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/v1/state.json");
        listener.Stop();

        var failure = await FailureAsync(puller, url);

        Assert.Equal((PullFailureKind.Unreachable, true), (failure.Kind, failure.IsPassing));
        Assert.StartsWith(url.ToString(), failure.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.")]
    public async Task A_node_that_falls_silent_is_left(string words)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var puller =
            new Puller(null, new PullerSettings { StallAfter = TimeSpan.FromMilliseconds(300) }, TimeProvider.System,
                () => 0.5);
        var asking =
            puller.GetDocumentAsync(new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"), null,
            TimeSpan.Zero, 1000, Cancel);
        using var accepted = await listener.AcceptTcpClientAsync(Cancel);
        await accepted.GetStream().WriteAsync(Encoding.ASCII.GetBytes(words), Cancel);

        var failed = Assert.IsType<PullResult.Failed>(await asking.WaitAsync(TimeSpan.FromSeconds(20), Cancel));

        Assert.Equal((PullFailureKind.Timeout, true), (failed.Failure.Kind, failed.Failure.IsPassing));
    }

    [Fact]
    public async Task A_connection_that_never_stands_is_left()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var settings = new PullerSettings { ConnectWithin = TimeSpan.FromMilliseconds(300) };
        using var puller = new Puller(_node.Identity.PublicKey, settings, TimeProvider.System, () => 0.5);

        var failure =
            await FailureAsync(puller, new Uri($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"));

        Assert.Equal(PullFailureKind.Timeout, failure.Kind);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("compress")]
    public async Task What_cannot_be_decoded_is_a_failure_and_no_exception(string coding)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var puller = new Puller(null, new PullerSettings(), TimeProvider.System, () => 0.5);
        var asking =
            puller.GetDocumentAsync(new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"), null,
            TimeSpan.Zero, 1000, Cancel);
        using var accepted = await listener.AcceptTcpClientAsync(Cancel);
        await accepted.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nContent-Encoding: {coding}\r\n\r\nthis is no such data"),
                Cancel);

        var failed = Assert.IsType<PullResult.Failed>(await asking.WaitAsync(TimeSpan.FromSeconds(20), Cancel));

        Assert.Equal(PullFailureKind.BadContent, failed.Failure.Kind);
    }

    [Fact]
    public async Task A_key_is_never_asked_for_without_encryption_beyond_this_machine()
    {
        using var puller = _node.Puller();

        var failure = await FailureAsync(puller, new Uri("http://192.0.2.1/v1/state.json"));

        Assert.Equal(PullFailureKind.WrongKey, failure.Kind);
        Assert.Contains("only https", failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_caller_may_give_up()
    {
        _node.Tree.Publish("/v1/state.json", "{}"u8.ToArray(), "application/json");
        using var puller = _node.Puller();
        var first =
            Assert.IsType<PullResult.Document>(
                await puller.GetDocumentAsync(_node["/v1/state.json"], null, TimeSpan.Zero, 100, Cancel));
        using var gaveUp = new CancellationTokenSource();

        var asking =
            puller.GetDocumentAsync(_node["/v1/state.json"], first.Tag, TimeSpan.FromSeconds(50), 100, gaveUp.Token);
        await gaveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    private static async Task<PullFailure> FailureAsync(Puller puller, Uri url) =>
        Assert.IsType<PullResult.Failed>(await puller.GetDocumentAsync(url, null, TimeSpan.Zero, 1000, Cancel)).Failure;
}
