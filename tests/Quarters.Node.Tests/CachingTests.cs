using System.Text;

namespace Quarters.Node.Tests;

/// <summary>What a node tells caches about each of its paths.</summary>
public sealed class CachingTests : IAsyncLifetime
{
    private const string Never = "public, max-age=31536000, immutable";
    private const string Second = "public, max-age=1";
    private const string Database = "public, max-age=5, stale-while-revalidate=60, stale-if-error=86400";

    private RunningNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await RunningNode.StartAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Theory]
    [InlineData("/v1/state.json", Second, "Accept-Encoding, Prefer")]
    [InlineData("/v1/node.json", Second, "Prefer")]
    [InlineData("/", Second, "Accept-Encoding")]
    [InlineData("/v1/jobs/a.json", Second, "Accept-Encoding")]
    [InlineData("/v1/logs/a.1.log", "no-cache", "Prefer")]
    [InlineData("/out/a.1/a-1-1-any.pkg.tar.zst", Never, "")]
    [InlineData("/repo/core/os/x86_64/core.db", Database, "")]
    [InlineData("/repo/core/os/x86_64/core.files.sig", Database, "")]
    [InlineData("/repo/core/os/x86_64/a-1-1-any.pkg.tar.zst", Never, "")]
    [InlineData("/repo/core/os/x86_64/a-1:1-1-x86_64.pkg.tar.xz.sig", Never, "")]
    [InlineData("/repo/core/os/x86_64/readme", Database, "")]
    public async Task A_path_says_how_long_it_may_be_kept(string path, string kept, string varies)
    {
        _node.Tree.Map("/v1/logs/", _node.Directory["logs"], FileKind.Growing);
        _node.Tree.Map("/out/", _node.Directory["out"], FileKind.Immutable);
        _node.Tree.Map("/repo/", _node.Directory["repo"], FileKind.Repository);
        _node.Tree.Render("/", _ => new Page(new byte[2000], "text/html"), () => 1);
        _node.Tree.Render("/v1/jobs/", _ => new Page(new byte[2000], "application/json"), () => 1);
        _node.Tree.Publish("/v1/state.json", new byte[2000], "application/json");
        _node.Tree.Publish("/v1/node.json", "{}"u8.ToArray(), "application/json");
        if (path.StartsWith("/v1/logs/", StringComparison.Ordinal))
            _node.WriteFile(path["/v1/".Length..], "a line"u8.ToArray());
        else if (!path.EndsWith(".json", StringComparison.Ordinal) && path != "/")
            _node.WriteFile(path[1..], "a file"u8.ToArray());
        using var client = _node.Client();

        using var answer = await client.AskAsync(path);

        Assert.True(answer.IsSuccessStatusCode);
        Assert.Equal(kept, answer.Headers.GetValues("Cache-Control").Single());
        Assert.Equal(varies, string.Join(", ", answer.Headers.Vary));
        if (answer.Headers.ETag is not { } tag)
            return;
        using var known = await client.AskAsync(path, tag: tag.ToString());
        Assert.Equal(304, (int)known.StatusCode);
        Assert.Equal(kept, known.Headers.GetValues("Cache-Control").Single());
    }

    [Fact]
    public async Task What_is_made_when_it_is_asked_for_is_signed_too()
    {
        var text = """{"revision":1}""";
        _node.Tree.Render("/v1/jobs/", _ => new Page(Encoding.UTF8.GetBytes(text), "application/json"), () => 1);
        using var client = _node.Client();
        using var job = await client.AskAsync("/v1/jobs/a.json");

        using var signature = await client.AskAsync("/v1/sig/" + job.Headers.ETag!.Tag.Trim('"'));

        Assert.Equal(200, (int)signature.StatusCode);
        Assert.Equal(Never, signature.Headers.GetValues("Cache-Control").Single());
    }
}
