using Quarters.Sources.Git;

namespace Quarters.Sources.Tests.Git;

public sealed class GitRepositoriesSourceTests : IDisposable
{
    private readonly Workshop _workshop = new();
    private readonly RepositoriesUpstream _upstream;

    public GitRepositoriesSourceTests() => _upstream = new RepositoriesUpstream(_workshop);

    public void Dispose() => _workshop.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_newest_tag_is_built_by_the_order_of_versions()
    {
        _upstream.Package("alpha", "1.9");
        await _upstream.PublishAsync();
        await _upstream.Of("alpha").RunAsync("tag", "v1.9");
        _upstream.Package("alpha", "1.10");
        await _upstream.PublishAsync(RepositoriesUpstream.Bob);
        await _upstream.Of("alpha").RunAsync(
            "-c", "user.name=A", "-c", "user.email=a@example.org", "tag", "-a", "-m", "release", "v1.10");
        _upstream.Package("alpha", "2.0");
        await _upstream.PublishAsync();
        await _upstream.Of("alpha").RunAsync("tag", "w3");
        var settings = _upstream.Settings with { Reference = new GitReference(null, "v*") };
        var many = new GitRepositoriesSource(settings, _workshop.Intake);
        var one = new GitSource(
            settings.Of("one", _upstream.Tree + "/alpha", settings.Reference, _workshop.Files["one"]),
            _workshop.Intake);

        foreach (var source in new ISource[] { many, one })
        {
            var package = Assert.Single((await source.PollAsync(null, Stop)).Changed);
            Assert.Equal(("1.10-1", "Bob <bob@example.org>"), (package.Version, package.Packager));
        }
    }

    [Fact]
    public async Task A_list_with_commits_says_what_is_new_and_a_tag_that_moved_is_refused()
    {
        foreach (var name in new[] { "alpha", "beta" })
        {
            _upstream.Package(name);
            await _upstream.PublishAsync();
            await _upstream.Of(name).RunAsync("tag", "1-1");
        }

        var alpha = (await _upstream.Of("alpha").RunAsync("rev-parse", "HEAD")).Trim();
        var beta = (await _upstream.Of("beta").RunAsync("rev-parse", "HEAD")).Trim();
        _workshop.Files.Write("upstream/list", $"alpha 1-1 1-1 {alpha}\nbeta 1-1 1-1 {alpha}\n");
        var source = _upstream.Open();
        var first = await source.PollAsync(null, Stop);
        Assert.Equal(["alpha"], first.Changed.Select(package => package.Pkgbase));
        Assert.Contains($"is {beta}", Assert.Single(first.Unreadable).Reason, StringComparison.Ordinal);

        // Nobody is asked for what the list says to be unchanged.
        await _upstream.BreakAsync();
        Assert.Equal(first.Cursor, (await source.PollAsync(first.Cursor, Stop)).Cursor);
        await _upstream.MendAsync();
        _workshop.Files.Write("upstream/list", $"alpha 1-1 1-1 {alpha}\nbeta 1-1 1-1 {beta}\n");
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(["beta"], second.Changed.Select(package => package.Pkgbase));
    }

    [Fact]
    public async Task A_repository_that_does_not_answer_stays_as_it_was_and_a_new_one_says_so()
    {
        _upstream.Package("alpha");
        _upstream.Package("beta");
        await _upstream.PublishAsync();
        var source = _upstream.Open();
        var first = await source.PollAsync(null, Stop);
        Directory.Move(Path.Combine(_upstream.Tree, "beta"), _workshop.Files["beta"]);
        _workshop.Files.Write("upstream/list", "alpha\nbeta\ngamma\n");

        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Empty(second.RemovedPaths);
        Assert.Empty(second.Changed);
        Assert.Equal(["gamma"], second.Unreadable.Select(one => one.Name));
        Assert.Equal(3, second.Total);

        _upstream.Package("gamma");
        await _upstream.PublishAsync();
        _workshop.Files.Write("upstream/list", "alpha\nbeta\ngamma\n");
        var third = await source.PollAsync(second.Cursor, Stop);
        Assert.Equal(["gamma"], third.Changed.Select(package => package.Pkgbase));
    }

    [Fact]
    public async Task A_tag_that_is_listed_before_it_is_there_leaves_its_package_as_it_was_until_it_comes()
    {
        async Task<string> ReleaseAsync(string name, string version)
        {
            _upstream.Package(name, version);
            await _upstream.PublishAsync();
            await _upstream.Of(name).RunAsync("tag", version);
            return $"{name} {version} {version} {(await _upstream.Of(name).RunAsync("rev-parse", "HEAD")).Trim()}\n";
        }

        void List(params string[] lines) => _workshop.Files.Write("upstream/list", string.Concat(lines));

        string[] old = [await ReleaseAsync("alpha", "1"), await ReleaseAsync("beta", "1")];
        List(old);
        var source = _upstream.Open();
        var first = await source.PollAsync(null, Stop);
        string[] young = [await ReleaseAsync("alpha", "2"), await ReleaseAsync("beta", "2")];
        List(young);
        await _upstream.Of("beta").RunAsync("tag", "later", "2");
        await _upstream.Of("beta").RunAsync("tag", "--delete", "2");

        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(("alpha", "2-1"), (second.Changed.Single().Pkgbase, second.Changed.Single().Version));
        Assert.Equal((0, 0, 2), (second.Unreadable.Length, second.RemovedPaths.Length, second.Total));

        await _upstream.Of("beta").RunAsync("tag", "2", "later");
        var third = await source.PollAsync(second.Cursor, Stop);
        Assert.Equal(("beta", "2-1"), (third.Changed.Single().Pkgbase, third.Changed.Single().Version));
        Assert.Equal(third.Cursor, (await source.PollAsync(third.Cursor, Stop)).Cursor);
    }

    [Theory]
    [InlineData("../etc")]
    [InlineData("-alpha")]
    [InlineData("alpha 1-1 -x 0123456789012345678901234567890123456789")]
    [InlineData("alpha 1-1 1-1 HEAD")]
    [InlineData("two words")]
    public async Task A_line_that_is_no_repository_is_named(string line)
    {
        _workshop.Files.Write("upstream/list", "alpha\n" + line);

        var failure = await Assert.ThrowsAsync<SourceUnreachableException>(
            () => _upstream.Open().PollAsync(null, Stop));

        Assert.StartsWith("Line 2 of ", failure.Message, StringComparison.Ordinal);
    }
}
