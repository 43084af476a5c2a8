using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Quarters.Node.Tests;

public sealed class DocumentTests : IAsyncLifetime
{
    private RunningNode _node = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _client = _node.Client();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task A_document_is_served_with_the_hash_of_its_content_as_tag()
    {
        _node.Tree.Publish("/v1/node.json", "{}"u8.ToArray(), "application/json");

        using var response = await _client.AskAsync("/v1/node.json");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("{}", await response.TextAsync());
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        Assert.Equal($"\"{Convert.ToHexStringLower(SHA256.HashData("{}"u8))}\"", response.Headers.ETag!.ToString());
        Assert.Equal("public, max-age=1", response.Headers.CacheControl!.ToString());
        Assert.NotNull(response.Content.Headers.LastModified);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Contains("default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task A_reader_that_has_the_document_is_told_so_until_it_changes()
    {
        _node.Tree.Publish("/v1/state.json", "1"u8.ToArray(), "application/json");
        using var first = await _client.AskAsync("/v1/state.json");
        var tag = first.Headers.ETag!.ToString();

        using (var same = await _client.AskAsync("/v1/state.json", tag: tag))
        {
            Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
            Assert.Equal(tag, same.Headers.ETag!.ToString());
            Assert.Empty(await same.BytesAsync());
        }

        using (var listed = await _client.AskAsync("/v1/state.json", tag: $"\"other\", W/{tag}"))
            Assert.Equal(HttpStatusCode.NotModified, listed.StatusCode);
        using (var any = await _client.AskAsync("/v1/state.json", tag: "*"))
            Assert.Equal(HttpStatusCode.NotModified, any.StatusCode);
        _node.Tree.Publish("/v1/state.json", "2"u8.ToArray(), "application/json");
        using var changed = await _client.AskAsync("/v1/state.json", tag: tag);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.Equal("2", await changed.TextAsync());
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("PATCH")]
    [InlineData("BREW")]
    public async Task Nothing_but_GET_and_HEAD_is_answered(string method)
    {
        _node.Tree.Publish("/v1/state.json", "1"u8.ToArray(), "application/json");

        using var response = await _client.AskAsync("/v1/state.json", new HttpMethod(method));

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["GET", "HEAD"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task HEAD_says_what_GET_says_without_the_content()
    {
        _node.Tree.Publish("/v1/state.json", Encoding.UTF8.GetBytes(new string('x', 5000)), "application/json");
        using var get = await _client.AskAsync("/v1/state.json");

        using var head = await _client.AskAsync("/v1/state.json", HttpMethod.Head);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(get.Headers.ETag, head.Headers.ETag);
        Assert.Equal(5000, head.Content.Headers.ContentLength);
        Assert.Empty(await head.BytesAsync());
    }

    [Fact]
    public async Task A_waiting_reader_is_answered_when_the_document_changes()
    {
        _node.Tree.Publish("/v1/state.json", "1"u8.ToArray(), "application/json");
        using var first = await _client.AskAsync("/v1/state.json");

        var waiting = _client.AskAsync("/v1/state.json", tag: first.Headers.ETag!.ToString(), wait: 50);
        using var other = await _client.AskAsync("/v1/state.json");
        Assert.False(waiting.IsCompleted);
        _node.Tree.Publish("/v1/state.json", "2"u8.ToArray(), "application/json");

        using var answer = await waiting.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal("2", await answer.TextAsync());
    }

    [Fact]
    public async Task A_waiting_reader_is_told_that_nothing_changed_when_its_time_is_over()
    {
        _node.Tree.Publish("/v1/state.json", "1"u8.ToArray(), "application/json");
        using var first = await _client.AskAsync("/v1/state.json");

        using var answer = await _client.AskAsync("/v1/state.json", tag: first.Headers.ETag!.ToString(), wait: 1);

        Assert.Equal(HttpStatusCode.NotModified, answer.StatusCode);
        Assert.Equal("wait=1", answer.Headers.GetValues("Preference-Applied").Single());
    }

    [Fact]
    public async Task Who_has_another_version_does_not_wait()
    {
        _node.Tree.Publish("/v1/state.json", "1"u8.ToArray(), "application/json");

        using var answer = await _client.AskAsync("/v1/state.json", tag: "\"other\"", wait: 50);

        Assert.Equal("1", await answer.TextAsync());
        Assert.False(answer.Headers.Contains("Preference-Applied"));
    }

    [Fact]
    public async Task Publishing_the_same_bytes_again_wakes_nobody_and_a_withdrawal_does()
    {
        _node.Tree.Publish("/v1/state.json", "1"u8.ToArray(), "application/json");
        using var first = await _client.AskAsync("/v1/state.json");

        var waiting = _client.AskAsync("/v1/state.json", tag: first.Headers.ETag!.ToString(), wait: 50);
        using (var other = await _client.AskAsync("/v1/state.json"))
            _node.Tree.Publish("/v1/state.json", "1"u8.ToArray(), "application/json");
        using (var other = await _client.AskAsync("/v1/state.json"))
            Assert.False(waiting.IsCompleted);
        _node.Tree.Withdraw("/v1/state.json");

        using var answer = await waiting.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Those_who_wait_do_not_hold_up_a_server_that_stops()
    {
        _node.Tree.Publish("/v1/state.json", "1"u8.ToArray(), "application/json");
        using var first = await _client.AskAsync("/v1/state.json");
        var waiting = _client.AskAsync("/v1/state.json", tag: first.Headers.ETag!.ToString(), wait: 50);
        using var other = await _client.AskAsync("/v1/state.json");

        await _node.Server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20),
            TestContext.Current.CancellationToken);

        using var answer = await waiting.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotModified, answer.StatusCode);
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("br", "br")]
    [InlineData("zstd", "zstd")]
    [InlineData("gzip, br, zstd", "zstd")]
    [InlineData("gzip;q=1, br;q=0.5, zstd;q=0", "gzip")]
    [InlineData("deflate", null)]
    [InlineData("identity", null)]
    public async Task Each_coding_is_a_representation_with_a_tag_of_its_own(string accepted, string? expected)
    {
        var text = JsonSerializer.Serialize(Enumerable.Range(0, 2000));
        _node.Tree.Publish("/v1/queue.json", Encoding.UTF8.GetBytes(text), "application/json");
        using var plain = await _client.AskAsync("/v1/queue.json");

        using var response = await _client.AskAsync("/v1/queue.json", coding: accepted);

        Assert.Equal(expected, response.Content.Headers.ContentEncoding.SingleOrDefault());
        Assert.Equal(["Accept-Encoding", "Prefer"], response.Headers.Vary);
        var tag = response.Headers.ETag!;
        Assert.Equal(expected is null, tag.Equals(plain.Headers.ETag));
        Assert.False(tag.IsWeak);
        using var decoded = new MemoryStream(await response.BytesAsync());
        using var reader = new StreamReader(Decoded(expected, decoded));
        Assert.Equal(text, await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        using var again = await _client.AskAsync("/v1/queue.json", tag: tag.ToString(), coding: accepted);
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        if (expected is null)
            return;
        Assert.True(decoded.Length < text.Length / 2);
        using var other = await _client.AskAsync("/v1/queue.json", tag: tag.ToString());
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task A_thousand_documents_are_there_and_each_wakes_its_own_readers()
    {
        for (var i = 0; i < 1000; i++)
            _node.Tree.Publish($"/v1/jobs/{i}.json", Encoding.UTF8.GetBytes($"\"{i}\""), "application/json");
        using var puller = _node.Puller();
        var answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => puller.GetDocumentAsync(
            _node[$"/v1/jobs/{i}.json"], null, TimeSpan.Zero, 100, TestContext.Current.CancellationToken)));
        var tags = answers.Select(answer => Assert.IsType<PullResult.Document>(answer)).ToList();
        Assert.All(tags, (document, i) => Assert.Equal($"\"{i}\"", Encoding.UTF8.GetString(document.Bytes)));

        var waiting =
            Enumerable.Range(0, 50).Select(i => puller.GetDocumentAsync(_node[$"/v1/jobs/{i}.json"], tags[i].Tag,
            TimeSpan.FromSeconds(50), 100, TestContext.Current.CancellationToken)).ToList();
        _node.Tree.Publish("/v1/jobs/7.json", "\"new\""u8.ToArray(), "application/json");
        var woken =
            await Task.WhenAny(waiting).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Assert.Same(waiting[7], woken);
        Assert.Equal(49, waiting.Count(task => !task.IsCompleted));
    }

    [Fact]
    public async Task A_document_and_the_version_before_it_are_signed_and_nothing_else_is()
    {
        var old = "{\"revision\":1}"u8.ToArray();
        _node.Tree.Publish("/v1/state.json", old, "application/json");
        _node.Tree.Publish("/v1/state.json", "{\"revision\":2}"u8.ToArray(), "application/json");
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(old));

        using var response = await _client.AskAsync($"/v1/sig/{sha256}");
        var envelope = JsonSerializer.Deserialize(await response.BytesAsync(), DsseJson.Default.DsseEnvelope)!;

        var payload = envelope.PayloadSignedBy(_node.Identity.PublicKey);
        Assert.NotNull(payload);
        var statement = JsonSerializer.Deserialize(payload, DsseJson.Default.SignedDocument)!;
        Assert.Equal((SignedDocument.SchemaName, sha256, old.Length),
            (statement.Schema, statement.Sha256, (int)statement.Bytes));
        using var unknown = await _client.AskAsync($"/v1/sig/{new string('0', 64)}");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_page_is_rendered_once_a_revision()
    {
        var (revision, rendered) = (1L, 0);
        _node.Tree.Render("/", request => request.Path == "/"
            ? Page.Html($"<p>{revision} {request.Query["q"]} {++rendered}") : null,
            () => revision);

        using var first = await _client.AskAsync("/?q=a");
        using var again = await _client.AskAsync("/?q=a");
        using var known = await _client.AskAsync("/?q=a", tag: first.Headers.ETag!.ToString());
        Assert.Equal("<p>1 a 1", await first.TextAsync());
        Assert.Equal("<p>1 a 1", await again.TextAsync());
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
        revision = 2;
        using var changed = await _client.AskAsync("/?q=a", tag: first.Headers.ETag!.ToString());
        Assert.Equal("<p>2 a 2", await changed.TextAsync());
        using var missing = await _client.AskAsync("/elsewhere");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task A_page_that_says_that_nothing_is_here_says_so_to_who_saw_it_before_too()
    {
        _node.Tree.Render("/", _ => Page.Html("nothing") with { Status = 404 }, () => 1);

        using var first = await _client.AskAsync("/elsewhere");
        using var again = await _client.AskAsync("/elsewhere", tag: first.Headers.ETag!.ToString());

        Assert.Equal((HttpStatusCode.NotFound, "nothing"), (first.StatusCode, await first.TextAsync()));
        Assert.Equal((HttpStatusCode.NotFound, "nothing"), (again.StatusCode, await again.TextAsync()));
    }

    [Fact]
    public async Task Metrics_are_there_for_Prometheus()
    {
        _node.Tree.Publish("/v1/state.json", "12345"u8.ToArray(), "application/json");
        using (await _client.AskAsync("/v1/state.json"))
        {
        }

        using var metrics = await _client.AskAsync("/metrics");

        var text = await metrics.TextAsync();
        Assert.Contains("quarters_served_bytes_total", text, StringComparison.Ordinal);
        Assert.Contains("dotnet_process_memory_working_set_bytes", text, StringComparison.Ordinal);
        using var post = await _client.AskAsync("/metrics", HttpMethod.Post);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(1, 1)]
    public async Task Both_versions_of_HTTP_are_spoken(int major, int minor)
    {
        _node.Tree.Publish("/v1/state.json", "1"u8.ToArray(), "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/state.json")
        {
            Version = new Version(major, minor),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(new Version(major, minor), response.Version);
    }

    private static Stream Decoded(string? coding, Stream encoded) => coding switch
    {
        "gzip" => new GZipStream(encoded, CompressionMode.Decompress),
        "br" => new BrotliStream(encoded, CompressionMode.Decompress),
        "zstd" => new ZstdSharp.DecompressionStream(encoded),
        _ => encoded,
    };
}
