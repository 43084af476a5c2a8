using System.Diagnostics;
using System.Text;

namespace Quarters.Node.Tests;

/// <summary>A reader that is not ours, and that knows nothing of pinned keys: curl, which pacman uses.</summary>
public sealed class CurlTests : IAsyncLifetime
{
    private RunningNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await RunningNode.StartAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task Curl_trusts_the_certificate_when_it_is_given_it()
    {
        _node.Tree.Publish("/v1/node.json", "{\"name\":\"alder\"}"u8.ToArray(), "application/json");

        Assert.Equal("{\"name\":\"alder\"}", await CurlAsync(0, _node["/v1/node.json"]));
    }

    [Fact]
    public async Task Curl_does_not_fetch_again_what_it_has()
    {
        _node.Tree.Publish("/v1/state.json", "12345"u8.ToArray(), "application/json");
        var tags = _node.Directory["tags"];

        Assert.Equal("200",
            await CurlAsync(0, _node["/v1/state.json"], "-o", "/dev/null", "-w", "%{http_code}", "--etag-save", tags));
        Assert.Equal("304",
            await CurlAsync(0, _node["/v1/state.json"], "-o", "/dev/null", "-w", "%{http_code}", "--etag-compare",
                tags));
        _node.Tree.Publish("/v1/state.json", "123456"u8.ToArray(), "application/json");
        Assert.Equal("123456", await CurlAsync(0, _node["/v1/state.json"], "--etag-compare", tags));
    }

    [Fact]
    public async Task Curl_resumes_a_file()
    {
        _node.WriteFile("repo/core.db", Encoding.ASCII.GetBytes("0123456789"));
        _node.Tree.Map("/repo/", _node.Directory["repo"], FileKind.Replaced);
        var target = _node.WriteFile("target", "0123"u8.ToArray());

        await CurlAsync(0, _node["/repo/core.db"], "-C", "-", "-o", target);

        Assert.Equal("0123456789", File.ReadAllText(target));
    }

    [Fact]
    public async Task Curl_asks_only_for_what_is_newer_as_pacman_does()
    {
        _node.WriteFile("repo/core.db", Encoding.ASCII.GetBytes("0123456789"));
        _node.Tree.Map("/repo/", _node.Directory["repo"], FileKind.Replaced);
        var target = _node.Directory["target"];
        await CurlAsync(0, _node["/repo/core.db"], "-R", "-o", target);

        Assert.Equal("304",
            await CurlAsync(0, _node["/repo/core.db"], "-z", target, "-o", "/dev/null", "-w", "%{http_code}"));
    }

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task Curl_decodes_what_it_asked_for(string version)
    {
        var text = string.Concat(Enumerable.Range(0, 10_000));
        _node.Tree.Publish("/v1/queue.json", Encoding.ASCII.GetBytes(text), "application/json");

        Assert.Equal(text, await CurlAsync(0, _node["/v1/queue.json"], "--compressed", version));
    }

    [Fact]
    public async Task Curl_may_not_put_anything()
    {
        _node.Tree.Publish("/v1/state.json", "12345"u8.ToArray(), "application/json");
        var file = _node.WriteFile("upload", new byte[100_000]);

        Assert.Equal("405",
            await CurlAsync(0, _node["/v1/state.json"], "-T", file, "-o", "/dev/null", "-w", "%{http_code}"));
    }

    private async Task<string> CurlAsync(int expected, Uri url, params string[] arguments)
    {
        var start =
            new ProcessStartInfo("curl",
                ["--silent", "--show-error", "--noproxy", "*", "--path-as-is", "--max-time", "30",
            "--cacert", _node.Directory["identity/cert.pem"], .. arguments, url.ToString()])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            };
        using var curl = Process.Start(start)!;
        var output = await curl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await curl.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await curl.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(curl.ExitCode == expected, $"curl ended with {curl.ExitCode}: {errors}");
        return output;
    }
}
