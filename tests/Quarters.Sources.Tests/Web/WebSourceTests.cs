using System.Text.Json.Nodes;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Tests.Web;

public sealed class WebSourceTests : IAsyncLifetime
{
    private readonly Workshop _workshop = new();
    private WebUpstream _web = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _web = await WebUpstream.CreateAsync(_workshop);

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        _workshop.Dispose();
    }

    [Theory]
    [InlineData("json/")]
    [InlineData("html/")]
    public async Task Of_what_nginx_lists_the_newest_of_each_package_is_taken(string list)
    {
        _web.Package("tool-x", "1.10");
        await _web.PackAsync("tool-x-1.9-1.src.tar.gz", "tool-x");
        await _web.PackAsync("tool-x-1.10-1.src.tar.zst", "tool-x");
        _web.Package("other", "2");
        await _web.PackAsync("other-2-1.src.tar.xz", "other");
        await _web.PackAsync("notes.tar.gz", "other");
        var source = _web.Open(list, new PackagerSettings());

        var first = await source.PollAsync(null, Stop);
        Assert.Equal(["2-1", "1.10-1"], first.Changed.Select(package => package.Version));
        Assert.Equal(["other", "tool-x"], first.Changed.Select(package => package.Origin.Path));
        Assert.True(first.Changed[0].Origin.Time > DateTimeOffset.UnixEpoch);
        Assert.DoesNotContain(await _web.Server.AskedAsync(), line => line.Contains("1.9", StringComparison.Ordinal));

        _web.Package("tool-x", "1.11");
        await _web.PackAsync("tool-x-1.11-1.src.tar.gz", "tool-x");
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(["1.11-1"], second.Changed.Select(package => package.Version));
    }

    [Fact]
    public async Task A_list_that_did_not_change_is_not_read_again()
    {
        _web.Package("tool");
        await _web.PublishAsync();
        var first = await _web.Open().PollAsync(null, Stop);

        Assert.Equal(first.Cursor, (await _web.Open().PollAsync(first.Cursor, Stop)).Cursor);

        Assert.Equal(
            ["/packages/index.json 200", "/packages/tool-1-1.src.tar 200", "/packages/index.json 304"],
            await _web.Server.AskedAsync());
    }

    [Fact]
    public async Task An_archive_that_is_not_what_the_list_says_or_leads_out_is_refused_alone()
    {
        foreach (var name in new[] { "good", "other", "outward", "garbage" })
            _web.Package(name);
        File.CreateSymbolicLink(_web.PathOf("outward/passwords"), "/etc/passwd");
        var index = new JsonArray();
        foreach (var name in new[] { "good", "other", "outward", "garbage", "missing" })
        {
            var archive = $"{name}-1-1.src.tar.gz";
            if (name == "garbage")
                _workshop.Files.Write("web/packages/" + archive, "this is no archive");
            else if (name != "missing")
                await _web.PackAsync(archive, name);
            index.Add(new JsonObject
            {
                ["name"] = name,
                ["url"] = archive,
                ["sha256"] = name is "other" or "missing" ? new string('0', 64) : _web.HashOf(archive),
            });
        }

        await _web.PackAsync("escape-1-1.src.tar.gz", "good", "-s", "|good|good/../..|");
        index.Add(new JsonObject
        {
            ["name"] = "escape",
            ["url"] = "escape-1-1.src.tar.gz",
            ["sha256"] = _web.HashOf("escape-1-1.src.tar.gz"),
        });
        _web.WriteIndex(index);

        var report = await _web.Open().PollAsync(null, Stop);

        Assert.Equal(["good"], report.Changed.Select(package => package.Pkgbase));
        var why = report.Unreadable.ToDictionary(one => one.Path, one => one.Reason);
        Assert.Contains("and the list says 000", why["other"], StringComparison.Ordinal);
        Assert.Contains("leads out of it, to /etc/passwd", why["outward"], StringComparison.Ordinal);
        Assert.Contains("cannot be taken", why["garbage"], StringComparison.Ordinal);
        Assert.Contains("404", why["missing"], StringComparison.Ordinal);
        Assert.Contains("not a path inside it", why["escape"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_that_cannot_be_had_leaves_its_package_as_it_was_until_it_can()
    {
        _web.Package("one");
        _web.Package("two");
        await _web.PublishAsync();
        var source = _web.Open();
        var first = await source.PollAsync(null, Stop);
        _web.Package("one", "2");
        _web.Package("two", "2");
        await _web.PublishAsync();
        var archive = _workshop.Files["web/packages/two-2-1.src.tar"];
        File.Move(archive, archive + ".away");

        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(("one", "2-1"), (second.Changed.Single().Pkgbase, second.Changed.Single().Version));
        Assert.Equal((0, 0, 2), (second.Unreadable.Length, second.RemovedPaths.Length, second.Total));

        File.Move(archive + ".away", archive);
        var third = await source.PollAsync(second.Cursor, Stop);
        Assert.Equal(("two", "2-1"), (third.Changed.Single().Pkgbase, third.Changed.Single().Version));
    }

    [Theory]
    [InlineData("hello", "is neither an index document nor")]
    [InlineData("{\"schema\":\"other/1\"}", "must have the schema quarters/source-index/1")]
    [InlineData("{\"schema\":", "cannot be read")]
    [InlineData("{\"schema\":\"quarters/source-index/1\",\"packages\":[{\"name\":\"../x\"}]}", "a fit name")]
    public async Task A_list_that_is_none_is_a_source_that_cannot_be_reached(string text, string words)
    {
        _workshop.Files.Write("web/packages/index.json", text);

        var refused = await Assert.ThrowsAsync<SourceUnreachableException>(() => _web.Open().PollAsync(null, Stop));

        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }
}
