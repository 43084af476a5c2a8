using Quarters.Sources.Git;
using Quarters.Sources.Intake;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Tests.Git;

public sealed class GitSourceTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Task<GitRepository> CreateAsync() => GitRepository.CreateAsync(_workshop.Files["upstream"]);

    [Fact]
    public async Task A_first_poll_reports_every_package_with_the_last_commit_that_touched_it()
    {
        var git = await CreateAsync();
        git.Package("alpha");
        git.Package("beta");
        git.Write("README", "not a package");
        git.Write("notes/file", "neither");
        var first = await git.CommitAsync("Ada <ada@example.org>");
        git.Package("beta", "2");
        var second = await git.CommitAsync("Bob <bob@example.org>");
        await git.CommitAsync("Nobody <nobody@example.org>");

        var report = await _workshop.Open(_workshop.Git(git.Path)).PollAsync(null, Stop);

        Assert.True(report.Complete);
        Assert.Equal(2, report.Total);
        Assert.Equal(2, report.Parsed);
        Assert.Equal(["alpha", "beta"], report.Changed.Select(package => package.Pkgbase));
        Assert.Equal(["Ada <ada@example.org>", "Bob <bob@example.org>"], report.Changed.Select(
            package => package.Packager));
        Assert.Equal([first, second], report.Changed.Select(package => package.Origin.Revision));
        Assert.Equal([git.TimeOf(1), git.TimeOf(2)], report.Changed.Select(package => package.Origin.Time));
        Assert.Equal("2-1", report.Changed[1].Version);
        Assert.Equal("core", report.Changed[1].Repository);
    }

    [Fact]
    public async Task A_poll_reports_what_was_added_changed_renamed_and_removed_and_nothing_else()
    {
        var git = await CreateAsync();
        foreach (var name in new[] { "changed", "kept", "removed", "renamed" })
            git.Package(name);
        git.Write("removed/extra", "stays");
        await git.CommitAsync();
        var source = _workshop.Open(_workshop.Git(git.Path));
        var first = await source.PollAsync(null, Stop);
        git.Package("changed", "2");
        git.Package("added");
        File.Delete(Path.Combine(git.Path, "removed/PKGBUILD"));
        Directory.Move(Path.Combine(git.Path, "renamed"), Path.Combine(git.Path, "other"));
        git.Write("kept-not", "a file at the top");
        await git.CommitAsync("Bob <bob@example.org>");

        var second = await source.PollAsync(first.Cursor, Stop);

        Assert.False(second.Complete);
        Assert.Equal(["added", "changed", "other"], second.Changed.Select(package => package.Origin.Path).Order());
        Assert.All(second.Changed, package => Assert.Equal("Bob <bob@example.org>", package.Packager));
        Assert.Equal("renamed", second.Changed.Single(package => package.Origin.Path == "other").Pkgbase);
        Assert.Equal(["removed", "renamed"], second.RemovedPaths.Order());
        Assert.Equal(4, second.Total);
        Assert.Equal(3, second.Parsed);
    }

    [Fact]
    public async Task An_unreadable_package_stands_among_good_ones_until_it_is_mended()
    {
        var git = await CreateAsync();
        git.Package("good");
        git.Write("broken/PKGBUILD", "pkgname=(");
        git.Write("linked/PKGBUILD", "");
        File.Delete(Path.Combine(git.Path, "linked/PKGBUILD"));
        File.CreateSymbolicLink(Path.Combine(git.Path, "linked/PKGBUILD"), "../good/PKGBUILD");
        git.Package("outward");
        File.CreateSymbolicLink(Path.Combine(git.Path, "outward/passwd"), "/etc/passwd");
        git.Write("large/PKGBUILD", TestTrees.Text("large") + new string('#', 2 << 20));
        git.Write("binary/PKGBUILD", "pkgname=\0");
        var commit = await git.CommitAsync();
        var source = _workshop.Open(_workshop.Git(git.Path));

        var first = await source.PollAsync(null, Stop);

        Assert.Equal(["good"], first.Changed.Select(package => package.Pkgbase));
        var reasons = first.Unreadable.ToDictionary(one => one.Path, one => one.Reason);
        Assert.Contains("unexpected EOF", reasons["broken"], StringComparison.Ordinal);
        Assert.Contains("leads out of it", reasons["linked"], StringComparison.Ordinal);
        Assert.Contains(
            "passwd is a link that leads out of it, to /etc/passwd", reasons["outward"], StringComparison.Ordinal);
        Assert.Contains("at most 1048576 are read", reasons["large"], StringComparison.Ordinal);
        Assert.Contains("NUL bytes", reasons["binary"], StringComparison.Ordinal);
        Assert.All(first.Unreadable, one => Assert.Equal(commit, one.Revision));
        Assert.Equal(6, first.Total);

        git.Package("broken", "3");
        await git.CommitAsync();
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal(["3-1"], second.Changed.Select(package => package.Version));
        Assert.Empty(second.Unreadable);
    }

    [Fact]
    public async Task A_submodule_is_refused_by_name()
    {
        var git = await CreateAsync();
        git.Package("alpha");
        var commit = await git.CommitAsync();
        await git.RunAsync("update-index", "--add", "--cacheinfo", $"160000,{commit},alpha/vendor");
        await git.RunAsync("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "submodule");

        var report = await _workshop.Open(_workshop.Git(git.Path)).PollAsync(null, Stop);

        Assert.StartsWith(
            "alpha/vendor is a submodule", report.Unreadable.Single().Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_that_was_rewritten_is_followed_by_its_difference()
    {
        var git = await CreateAsync();
        git.Package("alpha");
        git.Package("beta");
        await git.CommitAsync("Ada <ada@example.org>");
        git.Package("alpha", "2");
        git.Package("gamma");
        await git.CommitAsync("Bob <bob@example.org>");
        var source = _workshop.Open(_workshop.Git(git.Path));
        var first = await source.PollAsync(null, Stop);
        await git.RunAsync("reset", "--quiet", "--hard", "HEAD~1");

        var second = await source.PollAsync(first.Cursor, Stop);

        Assert.Equal(["1-1"], second.Changed.Select(package => package.Version));
        Assert.Equal(["Ada <ada@example.org>"], second.Changed.Select(package => package.Packager));
        Assert.Equal(["gamma"], second.RemovedPaths);
        Assert.Equal(2, second.Total);
    }

    [Fact]
    public async Task A_lost_history_or_a_strange_cursor_only_costs_a_complete_report()
    {
        var git = await CreateAsync();
        git.Package("alpha");
        await git.CommitAsync();
        var settings = _workshop.Git(git.Path);
        var first = await _workshop.Open(settings).PollAsync(null, Stop);
        Directory.Delete(Path.Combine(_workshop.Files["state"], "test.git"), recursive: true);
        Directory.Delete(Path.Combine(git.Path, ".git"), recursive: true);
        await git.RunAsync("init", "--quiet", "--initial-branch=main");
        git.Package("alpha", "2");
        await git.CommitAsync();

        var second = await _workshop.Open(settings).PollAsync(first.Cursor, Stop);
        var third = await _workshop.Open(settings).PollAsync("what is this", Stop);

        Assert.True(second.Complete);
        Assert.Equal("2-1", second.Changed.Single().Version);
        Assert.True(third.Complete);
        Assert.Single(third.Changed);
    }

    [Fact]
    public async Task A_source_that_cannot_be_reached_says_so_in_gits_words()
    {
        var source = _workshop.Open(_workshop.Git(_workshop.Files["nowhere"]));

        var failure = await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(null, Stop));

        Assert.Contains("does not appear to be a git repository", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_branch_that_is_gone_is_named_beside_those_that_are_there()
    {
        var git = await CreateAsync();
        git.Package("alpha");
        await git.CommitAsync();

        var failure = await Assert.ThrowsAsync<SourceUnreachableException>(
            () => _workshop.Open(_workshop.Git(git.Path) with { Reference = new GitReference("stable", null) })
                .PollAsync(null, Stop));

        Assert.EndsWith("has no branch stable; it has main.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_repository_is_a_source_without_packages_and_may_be_filled_but_not_emptied()
    {
        var git = await CreateAsync();
        var source = _workshop.Open(_workshop.Git(git.Path));
        var first = await source.PollAsync(null, Stop);
        Assert.Equal((0, true), (first.Total, first.Complete));

        git.Package("alpha");
        await git.CommitAsync();
        var second = await source.PollAsync(first.Cursor, Stop);
        Assert.Equal("alpha", second.Changed.Single().Pkgbase);

        Directory.Delete(Path.Combine(git.Path, ".git"), recursive: true);
        await git.RunAsync("init", "--quiet");
        await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(second.Cursor, Stop));
    }

    [Fact]
    public async Task A_repository_can_be_one_package_or_hold_them_deep_below_a_prefix()
    {
        var git = await CreateAsync();
        git.Write("PKGBUILD", TestTrees.Text("single"));
        git.Write("patches/fix.patch", "x");
        git.Package("distro/core/alpha");
        git.Package("distro/extra/beta");
        git.Package("distro/not-deep-enough");
        await git.CommitAsync();

        var single = await _workshop.Open(_workshop.Git(git.Path) with
        {
            Name = "single",
            Layout = new PackageLayout { Depth = 0 },
        })
            .PollAsync(null, Stop);
        var deep = await _workshop.Open(_workshop.Git(git.Path) with
        {
            Name = "deep",
            Layout = new PackageLayout { Depth = 2, Prefix = "/distro/" },
        })
            .PollAsync(null, Stop);

        Assert.Equal(("single", ""), (single.Changed.Single().Pkgbase, single.Changed.Single().Origin.Path));
        Assert.Equal(["distro/core/alpha", "distro/extra/beta"], deep.Changed.Select(package => package.Origin.Path));
    }

    [Fact]
    public async Task A_packager_map_names_who_is_meant_and_a_change_of_it_is_reported()
    {
        var git = await CreateAsync();
        git.Package("alpha");
        await git.CommitAsync("ada <ADA@work.example>");
        git.Package("beta");
        await git.CommitAsync("bob <bob@work.example>");
        _workshop.Files.Write("map", "# who is who\nada@work.example = Ada Lovelace <ada@example.org>\nBob B "
            + "<bob@example.org> <bob@work.example>\n");
        var settings = _workshop.Git(git.Path) with
        {
            Packagers = new PackagerSettings { MapFile = _workshop.Files["map"] },
        };

        var first = await _workshop.Open(settings).PollAsync(null, Stop);
        Assert.Equal(["Ada Lovelace <ada@example.org>", "Bob B <bob@example.org>"], first.Changed.Select(
            package => package.Packager));

        _workshop.Files.Write("map", "ada@work.example = Countess <ada@example.org>");
        var second = await _workshop.Open(settings).PollAsync(first.Cursor, Stop);
        Assert.Equal(["Countess <ada@example.org>", "bob <bob@work.example>"], second.Changed.Select(
            package => package.Packager));
    }

    [Fact]
    public async Task Neither_hooks_nor_configuration_of_anybody_run_when_a_source_is_polled()
    {
        var git = await CreateAsync();
        git.Package("alpha");
        await git.CommitAsync();
        var mark = _workshop.Files["mark"];
        var source = _workshop.Open(_workshop.Git(git.Path));
        await source.PollAsync(null, Stop);
        var hooks = Path.Combine(_workshop.Files["state"], "test.git", "hooks");
        Directory.CreateDirectory(hooks);
        foreach (var hook in new[] { "post-update", "reference-transaction", "post-merge", "update" })
        {
            File.WriteAllText(Path.Combine(hooks, hook), $"#!/bin/sh\ntouch {mark}\n");
            File.SetUnixFileMode(Path.Combine(hooks, hook), (UnixFileMode)Convert.ToInt32("755", 8));
        }

        git.Package("alpha", "2");
        await git.CommitAsync();
        await source.PollAsync(null, Stop);
        Assert.False(File.Exists(mark));
        var command = _workshop.Open(_workshop.Git($"ext::sh -c touch% {mark}") with { Name = "ext" });
        await Assert.ThrowsAsync<SourceUnreachableException>(() => command.PollAsync(null, Stop));
        Assert.False(File.Exists(mark));
    }

    [Theory]
    [InlineData("--upload-pack=touch /tmp/x", null)]
    [InlineData("", null)]
    [InlineData("url", "a:b")]
    [InlineData("url", "-x")]
    public void Settings_that_git_would_misread_are_refused(string url, string? branch) =>
        Assert.Throws<SourceSettingsException>(
            () => _workshop.Open(_workshop.Git(url) with { Reference = new GitReference(branch, null) }));

    [Fact]
    public async Task Of_five_thousand_packages_a_commit_that_touches_three_costs_reading_three()
    {
        const int Packages = 5000;
        var git = await CreateAsync();
        await git.ImportAsync(Packages);
        var source = _workshop.Open(_workshop.Git(git.Path));
        var first = await source.PollAsync(null, Stop);
        Assert.Equal((Packages, Packages, Packages), (first.Total, first.Parsed, first.Changed.Length));
        foreach (var name in new[] { "package0007", "package2500", "package4999" })
            git.Package(name, "2");
        await git.CommitAsync("Bob <bob@example.org>");

        var second = await source.PollAsync(first.Cursor, Stop);

        Assert.Equal(3, second.Parsed);
        Assert.Equal(["package0007", "package2500", "package4999"], second.Changed.Select(package => package.Pkgbase));
        Assert.Equal(Packages, second.Total);
    }
}
