using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Svn;
using Quarters.Sources.Tests.Contract;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Tests.Svn;

public sealed class SvnSourceTests : IAsyncLifetime
{
    private readonly Workshop _workshop = new();
    private readonly SvnUpstream _upstream;

    public SvnSourceTests() => _upstream = new SvnUpstream(_workshop);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _upstream.StartAsync();

    public ValueTask DisposeAsync()
    {
        _workshop.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task<string> SvnAsync(params string[] arguments) =>
        TestProgram.RunAsync(_upstream.Tree, ["svn", .. arguments]);

    private SvnSource Open(params string[] picks) =>
        new(_upstream.Settings with { Layout = new PackageLayout { Picks = [.. picks] } }, _workshop.Intake);

    [Fact]
    public async Task The_first_pick_that_holds_a_PKGBUILD_is_the_package_and_others_are_nothing_to_it()
    {
        _upstream.Package("alpha", "2");
        _upstream.Package("beta", "2");
        _upstream.Package("gamma", "2");
        await _upstream.PublishAsync();
        // As dbscripts do it: what is released is a copy of trunk.
        await SvnAsync("mkdir", "-q", "alpha/repos", "beta/repos");
        await SvnAsync("copy", "-q", "alpha/trunk", "alpha/repos/core-x86_64");
        await SvnAsync("copy", "-q", "beta/trunk", "beta/repos/core-any");
        await _upstream.PublishAsync(Upstream.Bob);
        var source = Open("repos/core-x86_64", "repos/core-any");

        var first = await source.PollAsync(null, Stop);
        Assert.Equal(["alpha", "beta"], first.Changed.Select(package => package.Origin.Path));
        Assert.All(first.Changed, package => Assert.Equal("Bob", package.Packager));

        _upstream.Package("alpha", "3");
        _upstream.Package("gamma", "3");
        await _upstream.PublishAsync();
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal((0, 0, 2), (second.Changed.Length, second.Parsed, second.Total));

        await SvnAsync("delete", "-q", "beta/repos/core-any");
        await SvnAsync("copy", "-q", "beta/trunk", "beta/repos/core-x86_64");
        await _upstream.PublishAsync();
        var third = await source.PollAsync(second.Cursor, Stop);
        Assert.Equal(["beta"], third.Changed.Select(package => package.Pkgbase));
        Assert.Empty(third.RemovedPaths);

        await SvnAsync("delete", "-q", "alpha/repos");
        await _upstream.PublishAsync();
        Assert.Equal(["alpha"], (await source.PollAsync(third.Cursor, Stop)).RemovedPaths);
    }

    [Fact]
    public async Task A_first_import_of_many_takes_the_whole_tree_at_once_and_the_same_files()
    {
        _upstream.Package("alpha");
        _upstream.Write("alpha/keys/größe", "key");
        File.CreateSymbolicLink(_upstream.PathOf("alpha/link"), "keys/größe");
        _upstream.Package("beta");
        await _upstream.PublishAsync();

        var single = await _upstream.Open().PollAsync(null, Stop);
        var whole = await new SvnSource(
            _upstream.Settings with { Name = "whole", WholeFrom = 1 }, _workshop.Intake).PollAsync(null, Stop);

        Assert.Equal(2, whole.Changed.Length);
        Assert.Equal(
            single.Changed.Select(package => package.TreeSha256), whole.Changed.Select(package => package.TreeSha256));
    }

    [Fact]
    public async Task Directories_that_are_moved_or_replaced_as_a_whole_are_followed()
    {
        foreach (var name in new[] { "alpha", "beta", "gamma" })
            _upstream.Package(name);
        await _upstream.PublishAsync();
        var source = _upstream.Open();
        var first = await source.PollAsync(null, Stop);
        await SvnAsync("move", "-q", "alpha", "omega");
        await SvnAsync("delete", "-q", "gamma");
        await SvnAsync("copy", "-q", "beta", "gamma");
        await _upstream.PublishAsync();

        var second = await source.PollAsync(first.Cursor, Stop);

        Assert.False(second.Complete);
        Assert.Equal(["omega"], second.Changed.Select(package => package.Origin.Path));
        Assert.Equal(["gamma"], second.Unreadable.Select(one => one.Path));
        Assert.Equal(["alpha"], second.RemovedPaths);
        Assert.Equal(2, second.Parsed);
    }

    [Fact]
    public async Task A_property_is_a_change_and_what_externals_name_is_not_fetched()
    {
        _upstream.Package("alpha");
        _upstream.Package("beta");
        await _upstream.PublishAsync();
        var source = _upstream.Open();
        var first = await source.PollAsync(null, Stop);
        await SvnAsync("propset", "-q", "svn:executable", "*", "alpha/trunk/PKGBUILD");
        await SvnAsync("propset", "-q", "svn:externals", "^/beta/trunk vendor", "alpha/trunk");
        await SvnAsync("commit", "-q", "-m", "properties");

        var second = await source.PollAsync(first.Cursor, Stop);

        var package = Assert.Single(second.Changed);
        await using var archive = File.OpenRead(_workshop.Archives.PathOf(package.ArchiveSha256));
        var entry = Assert.Single(SourceArchive.Read(archive, TreeLimits.Default).Entries);
        Assert.Equal(("PKGBUILD", TreeEntryKind.Executable), (entry.Path, entry.Kind));
    }

    [Fact]
    public async Task A_text_whose_keywords_are_expanded_is_read_as_it_is_exported()
    {
        _upstream.Package("alpha");
        _upstream.Write("alpha/plain", "$Id$ and $pkgname$pkgver\n");
        _upstream.Write("alpha/marked", "nothing yet\n");
        await _upstream.PublishAsync();
        await SvnAsync("propset", "-q", "svn:keywords", "Rev", "alpha/trunk/marked");
        await _upstream.PublishAsync();
        var source = _upstream.Open();
        var first = await source.PollAsync(null, Stop);
        _upstream.Write("alpha/plain", "$Id$ and $pkgname$pkgver, too\n");
        _upstream.Write("alpha/marked", "as of $Rev$\n");
        await _upstream.PublishAsync();

        var package = Assert.Single((await source.PollAsync(first.Cursor, Stop)).Changed);

        await using var archive = File.OpenRead(_workshop.Archives.PathOf(package.ArchiveSha256));
        var texts = SourceArchive.Read(archive, TreeLimits.Default).Entries
            .ToDictionary(entry => entry.Path, entry => Encoding.UTF8.GetString(entry.Content.Span));
        Assert.Equal("as of $Rev: 3 $\n", texts["marked"]);
        Assert.Equal("$Id$ and $pkgname$pkgver, too\n", texts["plain"]);
    }

    [Theory]
    [InlineData("53564E00 00 03 05 03 02 03 00 82 6162", "abcab")]
    [InlineData("53564E00 00 00 06 03 02 82 44 00 6162", "ababab")] // what is copied is written meanwhile
    [InlineData("53564E00", "")]
    [InlineData("53564E00 00 03 05 02 00 05 00", null)] // more is copied than there is
    [InlineData("53564E00 00 00 06 02 02 82 44 6162", null)] // it does not say from where
    [InlineData("53564E00 00 04 04 02 00 04 00", null)] // of a longer text than ours
    [InlineData("53564E00 00 03 05 02 00 03 00", null)] // it ends too early
    [InlineData("53564E01 00 03 03 02 00 03 00", null)] // of another version
    [InlineData("53564E00 00 00 FFFFFFFFFFFFFFFF7F 02 00", null)]
    public void A_difference_leads_to_its_text_or_is_refused(string delta, string? text)
    {
        var bytes = Convert.FromHexString(delta.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(text is not null, SvnDelta.TryApply("abc"u8, bytes, 1000, out var result));
        Assert.Equal(text, result is null ? null : Encoding.ASCII.GetString(result));
    }

    [Fact]
    public async Task Names_that_svn_could_take_for_revisions_or_options_are_names()
    {
        foreach (var name in new[] { "-alpha", "beta@2", "gamma%41", "größe" })
            _upstream.Write($"{name}/PKGBUILD", TestTrees.Text("package" + name.Length));
        await SvnAsync("add", "-q", "--force", ".");
        await _upstream.PublishAsync();
        var source = _upstream.Open();

        var first = await source.PollAsync(null, Stop);
        Assert.Equal(["-alpha", "beta@2", "gamma%41", "größe"], first.Changed.Concat<object>(first.Unreadable)
            .Select(one => (one as SourcePackage)?.Origin.Path ?? ((UnreadablePackage)one).Path)
            .Order(StringComparer.Ordinal));

        _upstream.Write("beta@2/PKGBUILD", TestTrees.Text("changed"));
        await _upstream.PublishAsync();
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Contains(second.Changed, package => (package.Origin.Path, package.Pkgbase) == ("beta@2", "changed"));
    }

    [Fact]
    public async Task A_revision_without_author_and_date_is_one_all_the_same()
    {
        _upstream.Package("alpha");
        _upstream.Package("beta");
        await _upstream.PublishAsync();
        foreach (var property in new[] { "svn:date", "svn:author" })
        {
            await TestProgram.RunAsync(
                _workshop.Files["upstream"], "svnadmin", "delrevprop", "svn", "--revision", "1", property);
        }

        var source = _upstream.Open();
        var first = await source.PollAsync(null, Stop);
        Assert.All(first.Changed, package => Assert.Equal("Unknown Packager", package.Packager));
        _upstream.Package("beta", "2");
        await _upstream.PublishAsync();

        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal((false, "2-1"), (second.Complete, second.Changed.Single().Version));
    }

    [Fact]
    public async Task A_directory_of_a_repository_is_a_source_and_may_be_one_package()
    {
        _upstream.Package("alpha");
        await _upstream.PublishAsync();
        var settings = _upstream.Settings with
        {
            Url = _upstream.Url + "/alpha/",
            Layout = new PackageLayout { Depth = 0, Picks = ["trunk"] },
        };
        var source = new SvnSource(settings, _workshop.Intake);

        var first = await source.PollAsync(null, Stop);
        Assert.Equal(("alpha", ""), (first.Changed.Single().Pkgbase, first.Changed.Single().Origin.Path));
        _upstream.Package("beta");
        await _upstream.PublishAsync();
        Assert.Equal(first.Cursor, (await source.PollAsync(first.Cursor, Stop)).Cursor);
        _upstream.Package("alpha", "2");
        await _upstream.PublishAsync(Upstream.Bob);
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(("2-1", "Bob"), (second.Changed.Single().Version, second.Changed.Single().Packager));
    }

    [Theory]
    [InlineData("--config-dir=/tmp/x")]
    [InlineData("/srv/svn")]
    [InlineData("ext://host/x")]
    public void A_url_that_svn_would_misread_is_refused(string url) => Assert.Throws<SourceSettingsException>(
        () => new SvnSource(_upstream.Settings with { Url = url }, _workshop.Intake));
}
