using System.Collections.Immutable;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Tests.Contract;

/// <summary>
/// What every source keeps, whatever it reads from. A kind of source inherits the class and says how one of its kind is
/// written to; what only one kind promises is tested beside it.
/// </summary>
public abstract class SourceContract : UpstreamTest
{
    [Fact]
    public async Task A_first_import_reports_every_package()
    {
        Upstream.Package("alpha");
        Upstream.Package("beta", "2");
        await Upstream.PublishAsync();

        var report = await PollAsync(Upstream.Open());

        Assert.True(report.Complete);
        Assert.Equal(2, report.Parsed);
        Assert.Equal(["alpha", "beta"], report.Changed.Select(package => package.Pkgbase));
        Assert.Equal(["1-1", "2-1"], report.Changed.Select(package => package.Version));
        Assert.All(report.Changed, package => Assert.Equal("core", package.Repository));
        Assert.All(report.Changed, package => Assert.True(Workshop.Archives.Holds(
            new ArchiveFacts(package.ArchiveSha256, package.ArchiveBytes))));
    }

    [Fact]
    public async Task A_poll_without_news_reads_nothing_and_says_nothing()
    {
        Upstream.Package("alpha");
        await Upstream.PublishAsync();
        var source = Upstream.Open();
        var first = await PollAsync(source);

        foreach (var again in new[] { source, Upstream.Open() })
        {
            var second = await PollAsync(again);
            Assert.Equal(first.Cursor, second.Cursor);
            Assert.Empty(second.Changed);
            Assert.False(second.Complete);
            Assert.Equal(0, second.Parsed);
        }
    }

    [Fact]
    public async Task Of_many_packages_the_one_that_changed_is_read()
    {
        foreach (var name in new[] { "alpha", "beta", "gamma" })
            Upstream.Package(name);
        await Upstream.PublishAsync();
        await PollAsync(Upstream.Open());
        Upstream.Package("beta", "2");
        await Upstream.PublishAsync();

        var report = await PollAsync(Upstream.Open());

        Assert.Equal((false, 1), (report.Complete, report.Parsed));
        Assert.Equal(("beta", "2-1"), (report.Changed.Single().Pkgbase, report.Changed.Single().Version));
        Assert.Empty(report.RemovedPaths);
    }

    [Fact]
    public async Task A_change_of_a_file_beside_the_PKGBUILD_is_a_change_of_the_package()
    {
        Upstream.Package("alpha");
        Upstream.Package("beta");
        await Upstream.PublishAsync();
        await PollAsync(Upstream.Open());
        Upstream.Write("alpha/fix.patch", "--- a\n+++ b\n");
        await Upstream.PublishAsync();

        var report = await PollAsync(Upstream.Open());

        Assert.Equal(["alpha"], report.Changed.Select(package => package.Pkgbase));
        Assert.Equal(["PKGBUILD", "fix.patch"], Files(report.Changed[0]).Select(entry => entry.Path));
    }

    [Fact]
    public async Task What_was_added_is_reported()
    {
        Upstream.Package("beta");
        await Upstream.PublishAsync();
        await PollAsync(Upstream.Open());
        Upstream.Package("alpha");
        await Upstream.PublishAsync();

        var report = await PollAsync(Upstream.Open());

        Assert.Equal((false, 1), (report.Complete, report.Parsed));
        Assert.Equal(["alpha"], report.Changed.Select(package => package.Pkgbase));
        Assert.Equal(["alpha", "beta"], Known.Packages);
    }

    [Fact]
    public async Task What_was_removed_is_reported_by_its_path()
    {
        Upstream.Package("alpha");
        Upstream.Package("beta");
        await Upstream.PublishAsync();
        var path = (await PollAsync(Upstream.Open())).Changed[0].Origin.Path;
        Upstream.Remove("alpha");
        await Upstream.PublishAsync();

        var report = await PollAsync(Upstream.Open());

        Assert.Equal([path], report.RemovedPaths);
        Assert.Equal((0, 0), (report.Parsed, report.Changed.Length));
        Assert.Equal(["beta"], Known.Packages);
    }

    [Fact]
    public async Task What_was_renamed_is_gone_from_where_it_was()
    {
        Upstream.Package("alpha");
        Upstream.Package("beta");
        await Upstream.PublishAsync();
        await PollAsync(Upstream.Open());
        var name = Upstream.Rename("beta", "delta");
        await Upstream.PublishAsync();

        var report = await PollAsync(Upstream.Open());

        Assert.Equal([name], report.Changed.Select(package => package.Pkgbase));
        Assert.Single(report.RemovedPaths);
        Assert.Equal(["alpha", name], Known.Packages);
    }

    [Fact]
    public async Task A_package_that_cannot_be_read_stands_among_good_ones_until_it_is_mended()
    {
        Upstream.Package("good");
        Upstream.Write("broken/PKGBUILD", "pkgname=(");
        await Upstream.PublishAsync();

        var first = await PollAsync(Upstream.Open());

        Assert.Equal(["good"], first.Changed.Select(package => package.Pkgbase));
        var refused = Assert.Single(first.Unreadable);
        Assert.Equal("broken", refused.Name);
        Assert.Contains("unexpected EOF", refused.Reason, StringComparison.Ordinal);

        Upstream.Package("broken", "2");
        await Upstream.PublishAsync();
        var second = await PollAsync(Upstream.Open());
        Assert.Equal(["2-1"], second.Changed.Select(package => package.Version));
        Assert.Empty(second.Unreadable);
        Assert.Equal(["broken", "good"], Known.Packages);
    }

    [Fact]
    public async Task While_it_cannot_be_reached_nothing_is_lost_and_then_it_goes_on_where_it_was()
    {
        Upstream.Package("alpha");
        Upstream.Package("beta");
        await Upstream.PublishAsync();
        var source = Upstream.Open();
        await PollAsync(source);
        await Upstream.BreakAsync();

        foreach (var again in new[] { source, source, Upstream.Open() })
        {
            var failure = await Assert.ThrowsAsync<SourceUnreachableException>(() => PollAsync(again));
            Assert.NotEmpty(failure.Message);
        }

        await Upstream.MendAsync();
        Upstream.Package("beta", "2");
        await Upstream.PublishAsync();
        var report = await PollAsync(source);
        Assert.Equal((false, 1), (report.Complete, report.Parsed));
        Assert.Equal(["2-1"], report.Changed.Select(package => package.Version));
    }

    [Fact]
    public async Task When_history_was_rewritten_what_is_there_now_counts()
    {
        Upstream.Package("alpha");
        Upstream.Package("beta");
        await Upstream.PublishAsync();
        Upstream.Package("alpha", "2");
        Upstream.Package("gamma");
        await Upstream.PublishAsync();
        await PollAsync(Upstream.Open());
        Upstream.Package("alpha");
        Upstream.Package("delta");
        Upstream.Remove("gamma");
        await Upstream.RewriteAsync();

        var report = await PollAsync(Upstream.Open());

        Assert.Equal(["alpha", "beta", "delta"], Known.Packages);
        Assert.Equal("1-1", Known.VersionOf("alpha"));
        // What was read before is known, however the source tells the difference.
        Assert.InRange(report.Parsed, 1, 2);
    }

    [Fact]
    public async Task Of_two_packages_with_one_name_the_first_path_has_it_until_it_goes()
    {
        Upstream.Write("one/PKGBUILD", TestTrees.Text("same", "1"));
        Upstream.Write("two/PKGBUILD", TestTrees.Text("same", "2"));
        await Upstream.PublishAsync();

        var first = await PollAsync(Upstream.Open());
        Assert.Equal(["1-1"], first.Changed.Select(package => package.Version));
        var refused = Assert.Single(first.Unreadable);
        Assert.Equal("same", refused.Name);
        Assert.Contains("which one claims too", refused.Reason, StringComparison.Ordinal);

        Upstream.Write("one/PKGBUILD", TestTrees.Text("different"));
        await Upstream.PublishAsync(Upstream.Bob);
        var second = await PollAsync(Upstream.Open());
        Assert.Equal(["different", "same"], second.Changed.Select(package => package.Pkgbase).Order());
        Assert.Equal("2-1", Known.VersionOf("same"));
        Assert.Equal(1, second.Parsed);
        if (Upstream.KnowsAuthors)
        {
            var risen = second.Changed.Single(package => package.Pkgbase == "same");
            Assert.Equal(Upstream.Named(Upstream.Ada), risen.Packager);
        }

        Upstream.Write("aaa/PKGBUILD", TestTrees.Text("same", "0"));
        await Upstream.PublishAsync();
        var third = await PollAsync(Upstream.Open());
        Assert.Equal(["0-1"], third.Changed.Select(package => package.Version));
        Assert.Equal(["same"], third.Unreadable.Select(one => one.Name));

        Upstream.Remove("aaa");
        await Upstream.PublishAsync();
        var fourth = await PollAsync(Upstream.Open());
        Assert.Equal(["2-1"], fourth.Changed.Select(package => package.Version));
        Assert.Equal(["different", "same"], Known.Packages);
    }

    [Fact]
    public async Task A_lost_memory_or_a_strange_cursor_only_costs_a_complete_report()
    {
        Upstream.Package("alpha");
        await Upstream.PublishAsync();
        await PollAsync(Upstream.Open());

        Cursor = "what is this";
        var strange = await PollAsync(Upstream.Open());
        Directory.Delete(Workshop.Files["state"], recursive: true);
        var lost = await PollAsync(Upstream.Open());

        foreach (var report in new[] { strange, lost })
        {
            Assert.True(report.Complete);
            // bash need not be asked again for a tree that it has read.
            Assert.Equal((1, 0), (report.Changed.Length, report.Parsed));
        }
    }

    [Fact]
    public async Task Every_file_arrives_as_it_is()
    {
        Upstream.Package("alpha");
        Upstream.Write("alpha/keys/pgp/KEY@home.asc", "key");
        Upstream.Write("alpha/größe und -maß", "ü\r\n");
        Upstream.Write("alpha/-run", "#!/bin/sh\n");
        File.SetUnixFileMode(Upstream.PathOf("alpha/-run"), (UnixFileMode)Convert.ToInt32("755", 8));
        File.CreateSymbolicLink(Upstream.PathOf("alpha/link"), "keys/pgp/KEY@home.asc");
        Upstream.Write("alpha/empty", "");
        await Upstream.PublishAsync();

        var report = await PollAsync(Upstream.Open());

        var files = Files(Assert.Single(report.Changed)).ToDictionary(entry => entry.Path);
        Assert.Equal(
            ["-run", "PKGBUILD", "empty", "größe und -maß", "keys/pgp/KEY@home.asc", "link"],
            files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(TreeEntryKind.Executable, files["-run"].Kind);
        Assert.Equal(TreeEntryKind.Symlink, files["link"].Kind);
        Assert.Equal("ü\r\n", System.Text.Encoding.UTF8.GetString(files["größe und -maß"].Content.Span));
        Assert.True(files["empty"].Content.IsEmpty);
    }

    [Fact]
    public async Task The_packager_is_looked_for_in_the_order_that_is_configured()
    {
        Upstream.Package("alpha", more: "# Maintainer: Mia <mia@example.org>");
        Upstream.Package("beta");
        await Upstream.PublishAsync(Upstream.Bob);
        var bob = Upstream.Named(Upstream.Bob);
        var key = bob.Contains('<', StringComparison.Ordinal) ? "bob@example.org" : bob;
        Workshop.Files.Write("map", $"{key} = Robert <robert@example.org>\n");
        var map = Workshop.Files["map"];

        await NamesAsync(["map", "author", "maintainer"], map, "Robert <robert@example.org>", "Mia <mia@example.org>");
        await NamesAsync(["map", "author", "maintainer"], null, bob, "Mia <mia@example.org>");
        await NamesAsync(["author", "map"], map, bob, PackageIntake.UnknownPackager);
        await NamesAsync(["maintainer", "The Farm <farm@example.org>"], map, "Mia <mia@example.org>",
            "Mia <mia@example.org>", "The Farm <farm@example.org>");
    }

    /// <summary>A change of the order alone has everything reported anew.</summary>
    private async Task NamesAsync(
        ImmutableArray<string> order, string? map, string withAuthors, string without, string? beta = null)
    {
        var report = await PollAsync(Upstream.Open(new PackagerSettings { Order = order, MapFile = map }));
        Assert.Equal(
            Upstream.KnowsAuthors ? withAuthors : without,
            report.Changed.Single(package => package.Pkgbase == "alpha").Packager);
        if (beta is not null)
            Assert.Equal(beta, report.Changed.Single(package => package.Pkgbase == "beta").Packager);
    }

    [Fact]
    public async Task The_author_of_the_last_change_of_a_package_is_its_packager()
    {
        Upstream.Package("alpha");
        Upstream.Package("beta");
        await Upstream.PublishAsync(Upstream.Ada);
        Upstream.Package("beta", "2");
        await Upstream.PublishAsync(Upstream.Bob);

        var first = await PollAsync(Upstream.Open());
        Upstream.Package("alpha", "2");
        await Upstream.PublishAsync(Upstream.Bob);
        var second = await PollAsync(Upstream.Open());

        var unknown = PackageIntake.UnknownPackager;
        var (ada, bob) = Upstream.KnowsAuthors
            ? (Upstream.Named(Upstream.Ada), Upstream.Named(Upstream.Bob))
            : (unknown, unknown);
        Assert.Equal([ada, bob], first.Changed.Select(package => package.Packager));
        Assert.Equal([bob], second.Changed.Select(package => package.Packager));
        Assert.True(first.Changed[0].Origin.Time <= first.Changed[1].Origin.Time);
    }

    [Fact]
    public async Task What_polls_make_of_changes_is_what_a_first_import_finds()
    {
        Upstream.Package("alpha");
        Upstream.Package("beta");
        foreach (var file in new[] { "fix.patch", "keys/old", "with space" })
            Upstream.Write("alpha/" + file, string.Concat(Enumerable.Repeat("a line\n", 50)));
        await Upstream.PublishAsync();
        var source = Upstream.Open();
        await PollAsync(source);
        Upstream.Package("alpha", "2");
        Upstream.Write("alpha/fix.patch", string.Concat(Enumerable.Repeat("a line\n", 90)));
        await Upstream.PublishAsync(Upstream.Bob);
        Upstream.Package("alpha", "3", more: "url=https://example.org/größe");
        Upstream.Write("alpha/new", "of three words");
        Upstream.Write("alpha/with space", "");
        File.Delete(Upstream.PathOf("alpha/keys/old"));
        await Upstream.PublishAsync(Upstream.Bob);
        var patched = Assert.Single((await PollAsync(source)).Changed);
        Cursor = null;
        var whole = (await PollAsync(Upstream.Open())).Changed[0];
        Assert.Equal("PKGBUILD fix.patch new with space", string.Join(' ', Files(whole).Select(one => one.Path).Where(
            path => path != ".SRCINFO")));
        Assert.Equal(("3-1", whole.TreeSha256), (patched.Version, patched.TreeSha256));
    }

    [Fact]
    public async Task No_poll_runs_package_code_outside_the_sandbox()
    {
        using var marks = new HostileMarks();
        foreach (var trick in HostileMarks.All)
            Upstream.Write($"{trick.Name}/PKGBUILD", marks.Pkgbuild(trick));
        Upstream.Package("zeta");
        await Upstream.PublishAsync();

        var report = await PollAsync(Upstream.Open());

        // Some cannot be read after what they did to their shell; what counts is that all were, and left nothing.
        Assert.Equal(HostileMarks.All.Length + 1, report.Changed.Length + report.Unreadable.Length);
        Assert.Contains(report.Changed, package => package.Pkgbase == "zeta");
        Assert.Empty(marks.Found);
    }
}
