using Quarters.Sources.Hg;

namespace Quarters.Sources.Tests.Hg;

public sealed class HgSourceTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task<HgUpstream> CreateAsync()
    {
        var upstream = new HgUpstream(_workshop);
        await upstream.StartAsync();
        return upstream;
    }

    [Fact]
    public async Task Neither_hooks_nor_extensions_of_a_repository_run_when_it_is_polled()
    {
        await using var upstream = await CreateAsync();
        upstream.Package("alpha");
        await upstream.PublishAsync();
        var mark = _workshop.Files["mark"];
        _workshop.Files.Write("evil.py", $"open('{mark}', 'w')\n");
        _workshop.Files.Write("upstream/tree/.hg/hgrc",
            $"[hooks]\npreoutgoing = touch {mark}\noutgoing = touch {mark}\n[extensions]\nevil = "
            + _workshop.Files["evil.py"] + "\n");
        var source = upstream.Open();

        await source.PollAsync(null, Stop);

        Assert.False(File.Exists(mark));
    }

    [Fact]
    public async Task A_branch_that_is_not_there_is_named_and_an_empty_repository_holds_no_packages()
    {
        await using var upstream = await CreateAsync();
        var empty = await upstream.Open().PollAsync(null, Stop);
        Assert.Equal((0, true), (empty.Total, empty.Complete));
        upstream.Package("alpha");
        await upstream.PublishAsync();

        var failure = await Assert.ThrowsAsync<SourceUnreachableException>(() => new HgSource(
            upstream.Settings with { Branch = "stable" }, _workshop.Intake).PollAsync(null, Stop));

        Assert.EndsWith("has no branch or bookmark stable.", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--config=hooks.x=y", "default")]
    [InlineData("bundle:/tmp/x", "default")]
    [InlineData("/srv/hg", "-r")]
    public void Settings_that_hg_would_misread_are_refused(string url, string branch)
    {
        var settings = new HgSourceSettings
        {
            Name = "test",
            Url = url,
            Branch = branch,
            Repository = "core",
            StateDirectory = _workshop.Files["state"],
        };
        Assert.Throws<SourceSettingsException>(() => new HgSource(settings, _workshop.Intake));
    }
}
