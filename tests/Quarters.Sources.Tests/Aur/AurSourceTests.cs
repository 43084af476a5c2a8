namespace Quarters.Sources.Tests.Aur;

public sealed class AurSourceTests : IAsyncLifetime
{
    private readonly Workshop _workshop = new();
    private AurUpstream _aur = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _aur = await AurUpstream.CreateAsync(_workshop);

    public async ValueTask DisposeAsync()
    {
        await _aur.DisposeAsync();
        _workshop.Dispose();
    }

    private async Task<string[]> QuestionsAsync() =>
        [.. (await _aur.Server.AskedAsync()).Where(line => line.Contains("/rpc/v5/info"))];

    [Fact]
    public async Task Dependencies_come_along_with_who_provides_them_and_nothing_that_others_offer()
    {
        _aur.Package("tool", more: "depends=('glibc' 'libfoo>=2' 'virtual')\nmakedepends=('maker')");
        _aur.Package("libfoo", "2", "depends=('deep')");
        _aur.Package("deep");
        _aur.Package("maker");
        _aur.Package("unpopular", more: "provides=('virtual=1')\n# votes 3");
        _aur.Package("popular", more: "provides=('virtual=1')\n# votes 30");
        _aur.Package("glibc-git", more: "provides=('glibc')");
        await _aur.PublishAsync();
        _aur.Want("tool", "no-such-package");
        var known = false;
        var source = _aur.Open(_aur.Settings with
        {
            Follow = true,
            Elsewhere = () => known ? name => name == "glibc" : null,
        });

        var first = await source.PollAsync(null, Stop);
        Assert.Equal(["tool"], first.Changed.Select(package => package.Pkgbase));
        var missing = Assert.Single(first.Unreadable);
        Assert.Equal(
            ("no-such-package", "The AUR has no package of this name."), (missing.Name, missing.Reason));

        await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(first.Cursor, Stop));
        known = true;
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(["deep", "libfoo", "maker", "popular"], second.Changed.Select(package => package.Pkgbase));

        _aur.Package("tool", "2");
        await _aur.PublishAsync();
        _aur.Want("tool");
        var third = await source.PollAsync(second.Cursor, Stop);
        Assert.Equal(["deep", "libfoo", "maker", "no-such-package", "popular"], third.RemovedPaths.Order());
    }

    [Fact]
    public async Task Repositories_are_fetched_side_by_side_as_many_as_are_allowed()
    {
        for (var i = 0; i < 6; i++)
            _aur.Package($"tool{i}");
        await _aur.PublishAsync();
        await using var gate = new Gate(_aur.Server.Address, width: 3);

        var report = await _aur.Open(_aur.Settings with { Url = gate.Address, Connections = 3 }).PollAsync(null, Stop);

        Assert.Equal(6, report.Changed.Length);
        Assert.Equal(3, gate.Most);
    }

    [Fact]
    public async Task A_provider_that_was_taken_stays_when_another_one_gets_more_votes()
    {
        _aur.Package("tool", more: "depends=('virtual')");
        _aur.Package("one", more: "provides=('virtual')\n# votes 9");
        _aur.Package("two", more: "provides=('virtual')\n# votes 5");
        await _aur.PublishAsync();
        _aur.Want("tool");
        var source = _aur.Open(_aur.Settings with { Follow = true });
        var first = await source.PollAsync(null, Stop);
        Assert.Equal(["one", "tool"], first.Changed.Select(package => package.Pkgbase));

        _aur.Package("two", "2", "provides=('virtual')\n# votes 50");
        await _aur.PublishAsync();
        _aur.Want("tool");
        var second = await source.PollAsync(first.Cursor, Stop);

        Assert.Equal(first.Cursor, second.Cursor);
    }

    [Fact]
    public async Task Many_names_are_asked_for_in_few_questions_of_bounded_length()
    {
        _aur.Package("alpha");
        await _aur.PublishAsync();
        _aur.Want([.. Enumerable.Range(0, 300).Select(i => $"{new string('x', 60)}-{i}"), "alpha"]);
        var source = _aur.Open(_aur.Settings);

        var report = await source.PollAsync(null, Stop);

        Assert.Equal((301, 1), (report.Total, report.Changed.Length));
        var questions = await QuestionsAsync();
        Assert.InRange(questions.Length, 3, 6);
        Assert.All(questions, question => Assert.True(question.Length < 4100 && question[^3..] == "200"));
    }

    [Fact]
    public async Task One_that_is_asked_too_often_is_asked_again_when_it_says()
    {
        _aur.Package("alpha");
        await _aur.PublishAsync();
        _aur.BeBusy(seconds: 1, questions: 2);
        var source = _aur.Open(_aur.Settings);

        var report = await source.PollAsync(null, Stop);

        Assert.Single(report.Changed);
        Assert.Equal(["429", "429", "200"], (await QuestionsAsync()).Select(question => question[^3..]));
    }

    [Fact]
    public async Task One_that_asks_for_more_patience_is_left_alone_until_then()
    {
        _aur.Package("alpha");
        await _aur.PublishAsync();
        _aur.BeBusy(seconds: 3600, questions: 1);
        var source = _aur.Open(_aur.Settings);

        for (var i = 0; i < 3; i++)
        {
            var refused = await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(null, Stop));
            Assert.Contains("does not want to be asked before", refused.Message, StringComparison.Ordinal);
        }

        Assert.Single(await QuestionsAsync());
    }

    [Fact]
    public async Task For_a_long_list_the_archive_is_fetched_once_and_then_only_when_it_changed()
    {
        foreach (var name in new[] { "alpha", "beta", "tool" })
            _aur.Package(name, more: name == "tool" ? "depends=('virtual')" : "");
        _aur.Package("provider", more: "provides=('virtual')");
        await _aur.PublishAsync();
        _aur.Want("alpha", "beta", "tool");
        var source = _aur.Open(_aur.Settings with { ArchiveFrom = 3, Follow = true });
        var first = await source.PollAsync(null, Stop);
        Assert.Equal(["alpha", "beta", "provider", "tool"], first.Changed.Select(package => package.Pkgbase));

        Assert.Equal(first.Cursor, (await source.PollAsync(first.Cursor, Stop)).Cursor);
        _aur.Package("beta", "2");
        await _aur.PublishAsync();
        _aur.Want("alpha", "beta", "tool");
        var second = await source.PollAsync(first.Cursor, Stop);

        Assert.Equal(["2-1"], second.Changed.Select(package => package.Version));
        Assert.Empty(await QuestionsAsync());
        Assert.Equal(
            ["200", "304", "200"],
            (await _aur.Server.AskedAsync()).Where(line => line.Contains("packages-meta")).Select(line => line[^3..]));
    }

    [Fact]
    public async Task A_package_whose_repository_is_broken_stands_alone_and_is_tried_again()
    {
        _aur.Package("alpha");
        _aur.Package("beta");
        await _aur.PublishAsync();
        _aur.BreakRepository("beta");
        var source = _aur.Open(_aur.Settings);

        var first = await source.PollAsync(null, Stop);
        Assert.Equal(["alpha"], first.Changed.Select(package => package.Pkgbase));
        Assert.Contains("beta.git cannot be fetched", first.Unreadable.Single().Reason, StringComparison.Ordinal);

        await _aur.PublishAsync();
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(["beta"], second.Changed.Select(package => package.Pkgbase));
    }

    [Fact]
    public async Task A_package_that_was_taken_and_cannot_be_fetched_keeps_its_version_and_is_tried_again()
    {
        _aur.Package("alpha");
        _aur.Package("beta");
        await _aur.PublishAsync();
        var source = _aur.Open(_aur.Settings);
        var first = await source.PollAsync(null, Stop);
        _aur.Package("alpha", "2");
        _aur.Package("beta", "2");
        await _aur.PublishAsync();
        _aur.BreakRepository("beta");

        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(["2-1"], second.Changed.Select(package => package.Version));
        Assert.Equal((0, 0, 2), (second.Unreadable.Length, second.RemovedPaths.Length, second.Total));

        // Now it is all that was asked for, and none of it can be had.
        var failure = await Assert.ThrowsAsync<SourceUnreachableException>(
            () => source.PollAsync(second.Cursor, Stop));
        Assert.Contains("beta.git cannot be fetched", failure.Message, StringComparison.Ordinal);

        await _aur.PublishAsync();
        var third = await source.PollAsync(second.Cursor, Stop);
        Assert.Equal(("beta", "2-1"), (third.Changed.Single().Pkgbase, third.Changed.Single().Version));
    }

    [Fact]
    public async Task A_list_that_is_not_there_or_has_no_end_is_named()
    {
        var list = _workshop.Files["aur/wanted"];
        async Task<string> RefusalAsync(string path) => (await Assert.ThrowsAsync<SourceUnreachableException>(
            () => _aur.Open(_aur.Settings with { ListFile = path }).PollAsync(null, Stop))).Message;

        Assert.StartsWith($"The list {list} cannot be read: ", await RefusalAsync(list), StringComparison.Ordinal);
        Assert.StartsWith("The list /dev/zero has more than ", await RefusalAsync("/dev/zero"),
            StringComparison.Ordinal);
    }
}
