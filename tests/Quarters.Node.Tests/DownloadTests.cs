using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using CsCheck;

namespace Quarters.Node.Tests;

public sealed class DownloadTests : IAsyncLifetime
{
    private static readonly PullerSettings Hasty = new()
    {
        FirstPause = TimeSpan.FromMilliseconds(1),
        LongestPause = TimeSpan.FromMilliseconds(5),
        Retries = 3,
    };

    private RunningNode _node = null!;
    private byte[] _content = [];
    private string _sha256 = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Target => _node.Directory["fetched"];

    public async ValueTask InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _node.Tree.Map("/out/", _node.Directory["out"], FileKind.Immutable);
        Present(300_000, seed: 1);
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task A_file_arrives_and_nothing_is_left_beside_it()
    {
        using var puller = _node.Puller();

        Assert.Null(await puller.DownloadAsync(_node["/out/file"], Target, _sha256, _content.Length, Cancel));

        Assert.Equal(_content, File.ReadAllBytes(Target));
        Assert.False(File.Exists(Target + ".part"));
    }

    [Fact]
    public async Task A_line_that_breaks_again_and_again_delivers_the_file_in_the_end()
    {
        await Gen.Select(Gen.Int[0, 120_000].Array[1, 12], Gen.Int[1, 400_000]).SampleAsync(async (cuts, size) =>
        {
            Present(size, size);
            await using var proxy = new CuttingProxy(_node.Server.Port, cuts);
            // The handshake needs some kilobytes, so a line that is cut before brings nothing: those must be fewer
            // than the retries.
            using var puller =
                new Puller(_node.Identity.PublicKey, Hasty with { Retries = 14 }, TimeProvider.System, () => 0.5);

            var failure =
                await puller.DownloadAsync(new Uri($"https://localhost:{proxy.Port}/out/file"), Target, _sha256, size,
                    Cancel);

            Assert.Null(failure);
            Assert.Equal(_content, File.ReadAllBytes(Target));
            File.Delete(Target);
        }, iter: 25, threads: 1);
    }

    [Fact]
    public async Task A_line_that_ends_as_soon_as_it_stands_is_a_bad_line_and_no_fault()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(1000);
        var resets = new Thread(() =>
        {
            try
            {
                while (true)
                {
                    using var line = listener.AcceptSocket();
                    line.LingerState = new LingerOption(true, 0);
                }
            }
            catch (SocketException)
            {
                // The listener is closed: the test is over.
            }
        });
        resets.Start();
        var url = new Uri($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}/out/file");
        using var puller = new Puller(_node.Identity.PublicKey, Hasty with
        {
            FirstPause = TimeSpan.Zero,
            LongestPause = TimeSpan.Zero,
            Retries = 500,
        }, TimeProvider.System, () => 0.5);

        // HttpClient looks at the line once more when it stands: that it is gone by then is a matter of luck.
        var failure = await puller.DownloadAsync(url, Target, _sha256, _content.Length, Cancel);

        Assert.Equal((PullFailureKind.Unreachable, true), (failure!.Kind, failure.IsPassing));
        listener.Dispose();
        resets.Join();
    }

    [Fact]
    public async Task What_came_before_a_restart_is_not_fetched_again()
    {
        await using (var proxy =
            new CuttingProxy(_node.Server.Port, Enumerable.Repeat(100_000, 3).Concat(Enumerable.Repeat(0, 100))))
        {
            using var first = new Puller(_node.Identity.PublicKey, Hasty, TimeProvider.System, () => 0.5);
            Present(3_000_000, seed: 3);
            var failure =
                await first.DownloadAsync(new Uri($"https://localhost:{proxy.Port}/out/file"), Target, _sha256,
                    _content.Length, Cancel);
            Assert.Equal((PullFailureKind.Unreachable, true), (failure!.Kind, failure.IsPassing));
        }

        var have = new FileInfo(Target + ".part").Length;
        Assert.InRange(have, 100_000, 300_000);
        File.WriteAllBytes(_node.Directory["out/file"], [.. new byte[have], .. _content[(int)have..]]);
        using var second = _node.Puller();

        // What the server has at the beginning now is wrong: only a reader that does not ask for it gets the right
        // file.
        Assert.Null(await second.DownloadAsync(_node["/out/file"], Target, _sha256, _content.Length, Cancel));
        Assert.Equal(_content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_part_of_something_else_is_forgotten()
    {
        File.WriteAllBytes(Target + ".part", new byte[1000]);
        using var puller = new Puller(_node.Identity.PublicKey, Hasty, TimeProvider.System, () => 0.5);

        Assert.Null(await puller.DownloadAsync(_node["/out/file"], Target, _sha256, _content.Length, Cancel));

        Assert.Equal(_content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_part_that_is_longer_than_the_file_is_forgotten()
    {
        File.WriteAllBytes(Target + ".part", new byte[_content.Length + 5]);
        using var puller = new Puller(_node.Identity.PublicKey, Hasty, TimeProvider.System, () => 0.5);

        Assert.Null(await puller.DownloadAsync(_node["/out/file"], Target, _sha256, _content.Length + 10, Cancel));

        Assert.Equal(_content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_part_that_is_whole_needs_no_question()
    {
        File.WriteAllBytes(Target + ".part", _content);
        using var puller = _node.Puller();

        Assert.Null(await puller.DownloadAsync(
            new Uri("https://localhost:1/nobody"), Target, _sha256, _content.Length, Cancel));

        Assert.Equal(_content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_server_without_ranges_gives_the_whole_again()
    {
        File.WriteAllBytes(Target + ".part", _content[..1000]);
        _node.Tree.Publish("/document", _content, "application/octet-stream");
        using var puller = _node.Puller();

        Assert.Null(await puller.DownloadAsync(_node["/document"], Target, _sha256, _content.Length, Cancel));

        Assert.Equal(_content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_file_with_another_hash_is_deleted_and_both_hashes_are_named()
    {
        using var puller = _node.Puller();
        var wanted = new string('a', 64);

        var failure = await puller.DownloadAsync(_node["/out/file"], Target, wanted, _content.Length, Cancel);

        Assert.Equal((PullFailureKind.BadContent, false), (failure!.Kind, failure.IsPassing));
        Assert.Contains(wanted, failure.Sentence, StringComparison.Ordinal);
        Assert.Contains(_sha256, failure.Sentence, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
        Assert.False(File.Exists(Target + ".part"));
    }

    [Fact]
    public async Task A_file_that_is_too_large_is_not_taken()
    {
        using var puller = _node.Puller();

        var failure = await puller.DownloadAsync(_node["/out/file"], Target, _sha256, _content.Length - 1, Cancel);

        Assert.Equal(PullFailureKind.TooLarge, failure!.Kind);
        Assert.False(File.Exists(Target + ".part"));
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_told_by_its_status_at_once()
    {
        using var puller = _node.Puller();

        var failure = await puller.DownloadAsync(_node["/out/absent"], Target, _sha256, _content.Length, Cancel);

        Assert.Equal((PullFailureKind.Status, 404), (failure!.Kind, failure.Status));
    }

    [Fact]
    public async Task A_directory_that_is_missing_is_our_own_mistake()
    {
        using var puller = _node.Puller();

        await Assert.ThrowsAsync<DirectoryNotFoundException>(
            () => puller.DownloadAsync(_node["/out/file"], _node.Directory["absent/fetched"], _sha256, _content.Length,
                Cancel));
    }

    private void Present(int size, int seed)
    {
        _content = new byte[size];
        new Random(seed).NextBytes(_content);
        _sha256 = Convert.ToHexStringLower(SHA256.HashData(_content));
        File.Delete(_node.Directory["out/file"]);
        _node.WriteFile("out/file", _content);
    }
}
