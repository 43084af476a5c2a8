using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Quarters.Node.Tests;

public sealed class FileTests : IAsyncLifetime
{
    private static readonly byte[] Content =
        Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i:D4} ")));
    private RunningNode _node = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _client = _node.Client();
        _node.Tree.Map("/repo/", _node.Directory["repo"], FileKind.Replaced);
        _node.Tree.Map("/src/", _node.Directory["src"], FileKind.Immutable);
        _node.Tree.Map("/v1/logs/", _node.Directory["logs"], FileKind.Growing);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _node.DisposeAsync();
    }

    [Theory]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=10-19", 10, 10)]
    [InlineData("bytes=4990-", 4990, 10)]
    [InlineData("bytes=4990-99999", 4990, 10)]
    [InlineData("bytes=-3", 4997, 3)]
    [InlineData("bytes=-9999", 0, 5000)]
    public async Task A_range_is_served(string range, int from, int count)
    {
        _node.WriteFile("repo/core/a.pkg.tar.zst", Content);

        using var response = await _client.AskAsync("/repo/core/a.pkg.tar.zst", range: range);

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(Content[from..(from + count)], await response.BytesAsync());
        Assert.Equal($"bytes {from}-{from + count - 1}/5000", response.Content.Headers.ContentRange!.ToString());
        Assert.Equal(count, response.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("bytes=5000-")]
    [InlineData("bytes=9999-10000")]
    public async Task A_range_beyond_the_end_is_refused_with_the_length(string range)
    {
        _node.WriteFile("repo/a", Content);

        using var response = await _client.AskAsync("/repo/a", range: range);

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, response.StatusCode);
        Assert.Equal("bytes */5000", response.Content.Headers.ContentRange!.ToString());
    }

    [Fact]
    public async Task Several_ranges_are_answered_with_the_whole()
    {
        _node.WriteFile("repo/a", Content);

        using var response = await _client.AskAsync("/repo/a", range: "bytes=0-1,5-6");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Content, await response.BytesAsync());
    }

    [Fact]
    public async Task A_range_is_served_only_of_the_file_that_it_is_meant_for()
    {
        _node.WriteFile("repo/a", Content);
        using var whole = await _client.AskAsync("/repo/a");
        var tag = whole.Headers.ETag!.ToString();

        using var same = await _client.AskAsync("/repo/a", range: "bytes=5-", ifRange: tag);
        using var weak = await _client.AskAsync("/repo/a", range: "bytes=5-", ifRange: "W/" + tag);
        using var other = await _client.AskAsync("/repo/a", range: "bytes=5-", ifRange: "\"other\"");

        Assert.Equal(HttpStatusCode.PartialContent, same.StatusCode);
        Assert.Equal(HttpStatusCode.OK, weak.StatusCode);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.Equal(Content.Length, (await other.BytesAsync()).Length);
    }

    [Fact]
    public async Task A_file_that_is_replaced_has_another_tag_at_once()
    {
        var path = _node.WriteFile("repo/core.db", "first"u8.ToArray());
        using var first = await _client.AskAsync("/repo/core.db");
        Assert.Equal($"\"{Convert.ToHexStringLower(SHA256.HashData("first"u8))}\"", first.Headers.ETag!.ToString());
        Assert.Equal("public, max-age=1", first.Headers.CacheControl!.ToString());
        using (var known = await _client.AskAsync("/repo/core.db", tag: first.Headers.ETag!.ToString()))
            Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);

        // The same size and the same second: what a fast publisher does.
        var modified = File.GetLastWriteTimeUtc(path);
        File.Move(_node.WriteFile("repo/.new", "other"u8.ToArray()), path, overwrite: true);
        File.SetLastWriteTimeUtc(path, modified);

        using var second = await _client.AskAsync("/repo/core.db", tag: first.Headers.ETag!.ToString());
        Assert.Equal("other", await second.TextAsync());
    }

    [Fact]
    public async Task An_old_file_keeps_its_tag_and_many_may_ask_for_it_at_once()
    {
        var path = _node.WriteFile("repo/old.pkg.tar.zst", Content);
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc));

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => _client.AskAsync("/repo/old.pkg.tar.zst")));

        Assert.Equal($"\"{Convert.ToHexStringLower(SHA256.HashData(Content))}\"",
            answers.Select(answer => answer.Headers.ETag!.ToString()).Distinct().Single());
        Assert.Equal(new DateTimeOffset(2020, 1, 2, 3, 4, 5, TimeSpan.Zero), answers[0].Content.Headers.LastModified);
        using var head = await _client.AskAsync("/repo/old.pkg.tar.zst", HttpMethod.Head);
        Assert.Equal(Content.Length, head.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task A_name_that_is_a_hash_is_the_tag()
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(Content));
        _node.WriteFile($"src/{sha256}.tar.zst", Content);

        using var response = await _client.AskAsync($"/src/{sha256}.tar.zst");

        Assert.Equal($"\"{sha256}\"", response.Headers.ETag!.ToString());
        Assert.Equal("public, max-age=31536000, immutable", response.Headers.GetValues("Cache-Control").Single());
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType!.ToString());
    }

    [Theory]
    [InlineData("/repo/../identity/key.pem")]
    [InlineData("/repo/%2e%2e/identity/key.pem")]
    [InlineData("/repo/..%2fidentity/key.pem")]
    [InlineData("/repo/..%5cidentity/key.pem")]
    [InlineData("/repo//etc/passwd")]
    [InlineData("/repo/%2fetc/passwd")]
    [InlineData("/repo/./secret")]
    [InlineData("/repo/.hidden")]
    [InlineData("/repo/.git/config")]
    [InlineData("/repo/real/../../identity/key.pem")]
    [InlineData("/repo/real%00.txt")]
    [InlineData("/repo/outside")]
    [InlineData("/repo/outside-directory/key.pem")]
    [InlineData("/repo/real")]
    [InlineData("/repo/")]
    [InlineData("/repo")]
    [InlineData("/repo/pipe")]
    [InlineData("/repo/absent")]
    [InlineData("/identity/key.pem")]
    public async Task No_path_leads_out_of_a_directory(string path)
    {
        _node.WriteFile("repo/.hidden", Content);
        _node.WriteFile("repo/.git/config", Content);
        _node.WriteFile("repo/real/file", Content);
        File.CreateSymbolicLink(_node.Directory["repo/outside"], _node.Directory["identity/key.pem"]);
        File.CreateSymbolicLink(_node.Directory["repo/outside-directory"], _node.Directory["identity"]);
        using (var mkfifo = Process.Start("mkfifo", [_node.Directory["repo/pipe"]]))
            await mkfifo.WaitForExitAsync(TestContext.Current.CancellationToken);

        var answer = await RawAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        Assert.Matches("^HTTP/1.1 (404|400) ", answer);
        Assert.DoesNotContain("PRIVATE KEY", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_inside_the_directory_is_followed_and_unusual_names_are_found()
    {
        _node.WriteFile("repo/core.db.tar.gz", Content);
        File.CreateSymbolicLink(_node.Directory["repo/core.db"], "core.db.tar.gz");
        _node.WriteFile("repo/libstdc++-1:2.0+r3-1-any.pkg.tar.zst", Content);

        using var link = await _client.AskAsync("/repo/core.db");
        using var named = await _client.AskAsync("/repo/libstdc++-1:2.0+r3-1-any.pkg.tar.zst");
        using var escaped = await _client.AskAsync("/repo/libstdc%2B%2B-1%3A2.0%2Br3-1-any.pkg.tar.zst");

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK],
            [link.StatusCode, named.StatusCode, escaped.StatusCode]);
    }

    [Fact]
    public async Task A_log_is_followed_without_asking_again_and_again()
    {
        using var log = new LiveLog(_node.Directory["logs/j.1.log"], LiveLog.DefaultBytesLimit);
        log.AppendLine("first");
        using var puller = _node.Puller();
        var url = _node["/v1/logs/j.1.log"];
        var cancel = TestContext.Current.CancellationToken;

        var first =
            Assert.IsType<PullResult.Document>(await puller.GetTailAsync(url, 0, TimeSpan.FromSeconds(50), 4, cancel));
        Assert.Equal("firs"u8.ToArray(), first.Bytes);
        var rest =
            Assert.IsType<PullResult.Document>(
                await puller.GetTailAsync(url, 4, TimeSpan.FromSeconds(50), 4000, cancel));
        Assert.Equal("t\n"u8.ToArray(), rest.Bytes);
        Assert.IsType<PullResult.NotModified>(await puller.GetTailAsync(url, 6, TimeSpan.Zero, 4000, cancel));
        var waiting = puller.GetTailAsync(url, 6, TimeSpan.FromSeconds(50), 4000, cancel);
        Assert.IsType<PullResult.NotModified>(await puller.GetTailAsync(url, 6, TimeSpan.FromSeconds(1), 4000, cancel));
        Assert.False(waiting.IsCompleted);
        log.AppendLine("second");

        var more = Assert.IsType<PullResult.Document>(await waiting.WaitAsync(TimeSpan.FromSeconds(20), cancel));
        Assert.Equal("second\n"u8.ToArray(), more.Bytes);
        using var whole = await _client.AskAsync("/v1/logs/j.1.log");
        Assert.Null(whole.Headers.ETag);
        Assert.Equal("first\nsecond\n", await whole.TextAsync());
        Assert.Equal("text/plain; charset=utf-8", whole.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task What_is_not_durable_yet_is_not_shown()
    {
        var durable = 5L;
        _node.WriteFile("journal/000000000001.jsonl", "12345678"u8.ToArray());
        _node.Tree.Map("/v1/journal/", _node.Directory["journal"], FileKind.Growing,
            name => name == "000000000001.jsonl" ? durable : null);

        using (var part = await _client.AskAsync("/v1/journal/000000000001.jsonl"))
            Assert.Equal("12345", await part.TextAsync());
        durable = 8;
        using var whole = await _client.AskAsync("/v1/journal/000000000001.jsonl", range: "bytes=5-");
        Assert.Equal("678", await whole.TextAsync());
    }

    private async Task<string> RawAsync(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _node.Server.Port, TestContext.Current.CancellationToken);
        using var secure = new System.Net.Security.SslStream(socket.GetStream(), false, (_, certificate, _, _) =>
            NodeKey.Of((X509Certificate2)certificate!) == _node.Identity.PublicKey);
        await secure.AuthenticateAsClientAsync("localhost");
        await secure.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(secure, Encoding.Latin1);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
