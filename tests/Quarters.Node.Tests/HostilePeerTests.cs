using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quarters.Node.Tests;

/// <summary>Peers that do not keep to HTTP, or to its spirit: each question to one ends soon, with a failure.</summary>
public sealed class HostilePeerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly PullerSettings Hasty = new()
    {
        StallAfter = TimeSpan.FromMilliseconds(300),
        DocumentWithin = TimeSpan.FromSeconds(1),
        FirstPause = TimeSpan.FromMilliseconds(1),
        LongestPause = TimeSpan.FromMilliseconds(5),
        Retries = 2,
    };

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TemporaryDirectory _directory = new();
    private readonly CancellationTokenSource _stop = new();

    public HostilePeerTests() => _listener.Start();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1/state.json");

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _directory.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task A_body_of_a_byte_now_and_then_is_a_stall() => await ExpectAsync(
        PullFailureKind.Timeout, Hasty with { DocumentWithin = Timeout.InfiniteTimeSpan },
        async peer =>
        {
            await SayAsync(peer, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n");
            await TrickleAsync(peer, "x", TimeSpan.FromMilliseconds(20));
        });

    [Fact]
    public async Task A_body_just_fast_enough_to_be_no_stall_ends_all_the_same() => await ExpectAsync(
        PullFailureKind.Timeout, Hasty with { StallAfter = TimeSpan.FromSeconds(20) },
        async peer =>
        {
            await SayAsync(peer, "HTTP/1.1 200 OK\r\n\r\n");
            await TrickleAsync(peer, "xxxx", TimeSpan.FromMilliseconds(20));
        },
        maxBytes: 1_000_000);

    [Fact]
    public async Task Headers_of_a_byte_now_and_then_are_a_stall() => await ExpectAsync(
        PullFailureKind.Timeout, Hasty with { DocumentWithin = Timeout.InfiniteTimeSpan },
        async peer =>
        {
            await SayAsync(peer, "HTTP/1.1 200 OK\r\nX-Long: ");
            await TrickleAsync(peer, "x", TimeSpan.FromMilliseconds(20));
        });

    [Fact]
    public async Task Headers_without_end_are_not_read_to_their_end() => await ExpectAsync(
        PullFailureKind.Unreachable, Hasty with { StallAfter = Patience, DocumentWithin = Patience },
        async peer =>
        {
            await SayAsync(peer, "HTTP/1.1 200 OK\r\n");
            await TrickleAsync(peer, $"X-More: {new string('x', 4000)}\r\n", TimeSpan.Zero);
        });

    [Theory]
    [InlineData("")]
    [InlineData("Transfer-Encoding: chunked\r\n")]
    public async Task A_body_without_end_is_taken_to_the_limit(string headers) => await ExpectAsync(
        PullFailureKind.TooLarge, Hasty with { StallAfter = Patience, DocumentWithin = Patience },
        async peer =>
        {
            await SayAsync(peer, $"HTTP/1.1 200 OK\r\n{headers}\r\n");
            var part = new string('x', 0x1000);
            await TrickleAsync(peer, headers.Length == 0 ? part : $"1000\r\n{part}\r\n", TimeSpan.Zero);
        });

    [Fact]
    public async Task A_length_beyond_the_limit_is_not_waited_for() => await ExpectAsync(
        PullFailureKind.TooLarge, Hasty with { StallAfter = Patience, DocumentWithin = Patience },
        peer => SayAsync(peer, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"));

    [Fact]
    public async Task A_body_shorter_than_its_length_is_no_document() => await ExpectAsync(
        PullFailureKind.Unreachable, Hasty,
        async peer =>
        {
            await SayAsync(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
            peer.Close();
        });

    [Theory]
    [InlineData("abc")]
    [InlineData("-1")]
    [InlineData("5\r\nContent-Length: 6")]
    public async Task A_length_that_is_none_is_no_document(string length) => await ExpectAsync(
        null, Hasty, peer => SayAsync(peer, $"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nshort"));

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public async Task A_bomb_is_not_unpacked_beyond_the_limit(string coding)
    {
        // 256 MiB of nothing.
        var bomb = Encoded(coding, 256 << 20);
        var before = GC.GetTotalAllocatedBytes();
        await ExpectAsync(PullFailureKind.TooLarge, Hasty with { StallAfter = Patience, DocumentWithin = Patience },
            async peer =>
            {
                await SayAsync(peer, $"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n"
                    + $"Content-Length: {bomb.Length}\r\n\r\n");
                await peer.GetStream().WriteAsync(bomb, _stop.Token);
            },
            maxBytes: 100_000);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 64 << 20, "the bomb was unpacked");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public async Task An_encoded_document_that_is_cut_is_none_even_when_the_line_ends_politely(string coding)
    {
        var whole = Encoded(coding, 50_000, isNoise: true);
        foreach (var length in new[] { 1, whole.Length / 2, whole.Length - 1 })
        {
            // Without a length only the coding can tell.
            var failure = await FailureAsync(
                Hasty,
                async peer =>
                {
                    await SayAsync(peer, $"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n");
                    await peer.GetStream().WriteAsync(whole.AsMemory(0, length), _stop.Token);
                    peer.Close();
                },
                maxBytes: 100_000);
            Assert.Contains(failure.Kind, new[] { PullFailureKind.BadContent, PullFailureKind.Unreachable });
        }
    }

    [Theory]
    [InlineData("301")]
    [InlineData("302")]
    [InlineData("307")]
    [InlineData("308")]
    public async Task A_node_that_points_elsewhere_is_not_followed_there(string status)
    {
        using var elsewhere = new TcpListener(IPAddress.Loopback, 0);
        elsewhere.Start();
        var there = $"http://127.0.0.1:{((IPEndPoint)elsewhere.LocalEndpoint).Port}/";
        var failure = await FailureAsync(
            Hasty, peer => SayAsync(peer,
                $"HTTP/1.1 {status} Elsewhere\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n"), 1000);

        Assert.Equal((PullFailureKind.Status, int.Parse(status, null)), (failure.Kind, failure.Status));
        Assert.Contains($"points to {there}, which is not followed", failure.Sentence, StringComparison.Ordinal);
        Assert.False(elsewhere.Pending());
    }

    [Fact]
    public async Task A_download_that_trickles_ends_when_its_retries_do()
    {
        using var puller = NewPuller(Hasty);
        var serving = new Serving(_listener, async peer =>
        {
            await SayAsync(peer, "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n");
            await TrickleAsync(peer, "", TimeSpan.FromMilliseconds(20));
        });

        var failure = await puller.DownloadAsync(Url, _directory["file"], new string('0', 64), 1_000_000, Cancel)
            .WaitAsync(Patience, Cancel);

        Assert.Equal((PullFailureKind.Timeout, true), (failure!.Kind, failure.IsPassing));
        await serving.DisposeAsync();
    }

    [Fact]
    public async Task A_download_of_more_than_was_promised_ends_at_the_limit()
    {
        using var puller = NewPuller(Hasty);
        var serving = new Serving(_listener, async peer =>
        {
            await SayAsync(peer, "HTTP/1.1 200 OK\r\n\r\n");
            await TrickleAsync(peer, new string('x', 4096), TimeSpan.Zero);
        });

        var failure = await puller.DownloadAsync(Url, _directory["file"], new string('0', 64), 100_000, Cancel)
            .WaitAsync(Patience, Cancel);

        Assert.Equal(PullFailureKind.TooLarge, failure!.Kind);
        Assert.Empty(Directory.EnumerateFiles(_directory.Path));
        await serving.DisposeAsync();
    }

    private async Task ExpectAsync(
        PullFailureKind? kind, PullerSettings settings, Func<TcpClient, Task> serve, int maxBytes = 1000)
    {
        var failure = await FailureAsync(settings, serve, maxBytes);
        if (kind is not null)
            Assert.Equal(kind, failure.Kind);
        Assert.StartsWith(new Uri(Url, ".").ToString(), failure.Sentence, StringComparison.Ordinal);
    }

    private async Task<PullFailure> FailureAsync(PullerSettings settings, Func<TcpClient, Task> serve, int maxBytes)
    {
        using var puller = NewPuller(settings);
        var serving = new Serving(_listener, serve);
        var result = await puller.GetDocumentAsync(Url, null, TimeSpan.Zero, maxBytes, Cancel)
            .WaitAsync(Patience, Cancel);
        await serving.DisposeAsync();
        return Assert.IsType<PullResult.Failed>(result).Failure;
    }

    private static Puller NewPuller(PullerSettings settings) =>
        new(NodeKey.Of("somebody"u8), settings, TimeProvider.System, () => 0.5);

    private async Task TrickleAsync(TcpClient peer, string part, TimeSpan pause)
    {
        while (!_stop.IsCancellationRequested)
        {
            await SayAsync(peer, part);
            await Task.Delay(pause, _stop.Token);
        }
    }

    private async Task SayAsync(TcpClient peer, string text) =>
        await peer.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), _stop.Token);

    private static byte[] Encoded(string coding, int bytes, bool isNoise = false)
    {
        using var output = new MemoryStream();
        using (Stream encoder = coding switch
        {
            "gzip" => new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true),
            _ => new ZstdSharp.CompressionStream(output, leaveOpen: true),
        })
        {
            var block = new byte[10_000];
            if (isNoise)
                new Random(1).NextBytes(block);
            for (var at = 0; at < bytes; at += block.Length)
                encoder.Write(block);
        }

        return output.ToArray();
    }

    /// <summary>Answers every connection in one way, until it is disposed of.</summary>
    private sealed class Serving : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stopped = new();
        private readonly Task _accepting;

        public Serving(TcpListener listener, Func<TcpClient, Task> serve) => _accepting = AcceptAsync(listener, serve);

        public async ValueTask DisposeAsync()
        {
            await _stopped.CancelAsync();
            await _accepting;
            _stopped.Dispose();
        }

        private async Task AcceptAsync(TcpListener listener, Func<TcpClient, Task> serve)
        {
            try
            {
                while (true)
                {
                    using var peer = await listener.AcceptTcpClientAsync(_stopped.Token);
                    // Closing with a question unread would be a reset, which is another failure.
                    var question = new byte[16 * 1024];
                    await peer.GetStream().ReadExactlyAsync(question.AsMemory(0, 16), _stopped.Token);
                    while (peer.Available > 0)
                        _ = await peer.GetStream().ReadAsync(question, _stopped.Token);
                    try
                    {
                        await serve(peer).WaitAsync(_stopped.Token);
                    }
                    catch (Exception e) when (e is IOException or SocketException)
                    {
                        // The reader had enough.
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // The test is over.
            }
        }
    }
}
