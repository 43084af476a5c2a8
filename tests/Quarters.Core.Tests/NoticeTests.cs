using System.Collections.Immutable;
using System.Text.Json;
using CsCheck;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests;

/// <summary>What people are told, and what they are not.</summary>
public class NoticeTests
{
    private const string Jane = "packagers/jane@example.org";

    [Fact]
    public void A_package_that_was_built_is_told_in_its_repository_and_to_its_packager()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        farm.Build("zlib");
        var notice = Assert.Single(Told(farm, "repositories/core"));
        Assert.Equal(
            (NoticeKind.Published, "zlib", "1-1", "x86_64", "core", farm.Now, farm.State.Revision),
            (notice.Kind, notice.Subject, notice.Version, notice.Architecture, notice.Repository, notice.Told,
                notice.Revision));
        Assert.Equal(["zlib"], notice.Lines);
        Assert.Equal(farm.Job("zlib").Id, notice.Job);
        Assert.Same(notice, Assert.Single(Told(farm, Jane)));
        Assert.Empty(Told(farm, FeedName.Failures));
    }

    [Fact]
    public void Only_the_first_failure_since_a_package_was_built_is_told_and_then_its_recovery()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        Break(farm, "zlib");
        var failed = Assert.Single(Told(farm, FeedName.Failures));
        Assert.Equal((NoticeKind.Failed, 1), (failed.Kind, failed.Attempt));
        Assert.Contains("make: *** [all] Error 2", failed.Reason, StringComparison.Ordinal);
        Assert.Same(failed, Assert.Single(Told(farm, Jane)));

        farm.Apply(new Retried("zlib", "an operator wants it"));
        Break(farm, "zlib");
        farm.Commit("zlib 2-1");
        Break(farm, "zlib");
        Assert.Single(Told(farm, FeedName.Failures));

        farm.Commit("zlib 3-1");
        farm.Build("zlib");
        var recovered = Told(farm, FeedName.Failures)[^1];
        Assert.Equal((NoticeKind.Recovered, "3-1", failed.Told), (recovered.Kind, recovered.Version,
            recovered.FailedSince));
        Assert.Equal([recovered], Told(farm, "repositories/core"));
        Assert.Equal([failed, recovered], Told(farm, Jane));

        farm.Commit("zlib 4-1");
        Break(farm, "zlib");
        Assert.Equal(
            [NoticeKind.Failed, NoticeKind.Recovered, NoticeKind.Failed],
            Told(farm, FeedName.Failures).Select(notice => notice.Kind));
    }

    [Fact]
    public void What_is_tried_again_or_cancelled_is_no_failure()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        farm.Begin("zlib");
        farm.Fail("zlib", FailureKind.Environment);
        farm.Begin("zlib");
        farm.Apply(new ClaimLost(farm.Job("zlib").Id, 2, "anna", "anna was not heard of"));
        farm.Apply(new JobCancelled(farm.Job("zlib").Id));
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
        Assert.Empty(farm.State.Notices);
    }

    [Fact]
    public void Each_architecture_fails_and_recovers_for_itself()
    {
        var farm = new Farm("x86_64", "aarch64");
        var source = farm.Package("main", "zlib 1-1") with { Architectures = ["x86_64", "aarch64"] };
        farm.Apply(new SourcePolled(new SourceReport { Source = "main", Cursor = "1", Changed = [source] }));
        foreach (var job in farm.State.Jobs.Values.OrderBy(job => job.Id, StringComparer.Ordinal))
        {
            farm.Apply(new ClaimSeen(job.Id, 1, "anna"));
            farm.Apply(new AttemptFailed("anna", farm.Result(job, ResultOutcome.Failed) with
            {
                Failure = new BuildFailure { Stage = "build", Kind = FailureKind.Package, Message = "no" },
            }));
        }

        Assert.Equal(["aarch64", "x86_64"], Told(farm, FeedName.Failures).Select(notice => notice.Architecture));
        farm.Apply(new Retried("zlib", "an operator wants it"));
        farm.Accept("zlib");
        var recovered = Told(farm, FeedName.Failures)[^1];
        Assert.Equal((NoticeKind.Recovered, farm.Job("zlib").Architecture), (recovered.Kind, recovered.Architecture));
        Assert.Single(farm.State.Packages["zlib"].ToldFailures);
    }

    [Fact]
    public void A_package_that_cannot_be_read_any_more_is_told_once_and_when_it_can_again()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        Unreadable("line 3: unexpected EOF");
        Unreadable("line 4: unexpected EOF");
        farm.Commit("zlib 2-1");
        var told = Told(farm, FeedName.Failures);
        Assert.Equal([NoticeKind.Unreadable, NoticeKind.Readable], told.Select(notice => notice.Kind));
        Assert.Equal("line 3: unexpected EOF", told[0].Reason);
        Assert.Equal(told, Told(farm, Jane));

        void Unreadable(string reason) => farm.Apply(new SourcePolled(new SourceReport
        {
            Source = "main",
            Cursor = reason,
            Unreadable =
            [
                new UnreadablePackage
                {
                    Path = "zlib", Name = "zlib", Reason = reason, Revision = "r2", Time = farm.Now,
                },
            ],
        }));
    }

    [Fact]
    public void A_change_of_the_repositories_is_one_notice_however_many_packages_it_moves()
    {
        var farm = new Farm();
        farm.Commit([.. Enumerable.Range(0, 60).Select(i => $"p{i:00} 1-1")]);
        foreach (var i in Enumerable.Range(0, 60)) farm.Build($"p{i:00}");
        var packages = farm.State.Repositories["core/x86_64"].Packages.Values;
        farm.Apply(new RepositoriesChanged(
            [.. packages.Select(one => new Replacement("stable", "x86_64", one.Name, null, one)),
                .. packages.Select(one => new Replacement("core", "x86_64", one.Name, one, null))],
            "60 package bases moved from core to stable"));
        var notice = Assert.Single(Told(farm, "repositories/stable"));
        Assert.Equal((NoticeKind.Changed, 50, 70), (notice.Kind, notice.Lines.Length, notice.More));
        Assert.Equal("60 package bases moved from core to stable", notice.Subject);
        Assert.Same(notice, Told(farm, "repositories/core")[^1]);
        Assert.Equal(61, Told(farm, "repositories/core").Count);
    }

    [Fact]
    public void What_comes_as_new_as_its_source_recovers_and_its_next_failure_is_told_again()
    {
        var farm = new Farm();
        farm.Commit("zlib 2-1");
        Break(farm, "zlib");
        var failed = Assert.Single(Told(farm, FeedName.Failures));

        // What is older changes nothing: what failed is wanted still.
        Adopt("1-1", null);
        Assert.Equal([failed], Told(farm, FeedName.Failures));
        Adopt("2-1", farm.State.Repositories["core/x86_64"].Packages["zlib"]);
        var recovered = Told(farm, FeedName.Failures)[^1];
        Assert.Equal(
            (NoticeKind.Recovered, "zlib", "2-1", "x86_64", "core", failed.Told),
            (recovered.Kind, recovered.Subject, recovered.Version, recovered.Architecture, recovered.Repository,
                recovered.FailedSince));
        Assert.Equal([failed, recovered], Told(farm, Jane));
        Assert.Equal(
            [NoticeKind.Changed, NoticeKind.Changed], Told(farm, "repositories/core").Select(notice => notice.Kind));

        farm.Commit("zlib 3-1");
        Break(farm, "zlib");
        Assert.Equal(
            [NoticeKind.Failed, NoticeKind.Recovered, NoticeKind.Failed],
            Told(farm, FeedName.Failures).Select(notice => notice.Kind));

        void Adopt(string version, RepositoryPackage? before) => farm.Apply(new RepositoriesChanged(
            [
                new Replacement("core", "x86_64", "zlib", before, new RepositoryPackage
                {
                    Name = "zlib",
                    Pkgbase = "zlib",
                    Version = version,
                    Architecture = "x86_64",
                    FileName = $"zlib-{version}-x86_64.pkg.tar.zst",
                    Sha256 = new string('c', 64),
                    Bytes = 10,
                }),
            ],
            "1 packages of /srv/old came into core"));
    }

    [Fact]
    public void A_feed_keeps_its_newest_notices_and_those_of_the_packagers_who_had_one_last()
    {
        var farm = new Farm();
        var packages = Enumerable.Range(0, MasterState.MaxPackagers + 2)
            .Select(i => farm.Package("main", $"p{i} 1-1") with { Packager = $"P <p{i}@example.org>" });
        farm.Apply(new SourcePolled(new SourceReport { Source = "main", Cursor = "1", Changed = [.. packages] }));
        for (var i = 0; i < MasterState.MaxPackagers + 2; i++) farm.Build($"p{i}");
        Assert.Equal(MasterState.MaxNotices, Told(farm, "repositories/core").Count);
        Assert.Equal($"p{MasterState.MaxPackagers + 1}", Told(farm, "repositories/core")[^1].Subject);
        Assert.Equal(MasterState.MaxPackagers, farm.State.Notices.Keys.Count(FeedName.IsPackagers));
        Assert.Empty(Told(farm, "packagers/p1@example.org"));
        Assert.Single(Told(farm, "packagers/p2@example.org"));
    }

    [Fact]
    public void Whatever_a_builder_says_is_cut_to_what_people_read()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        farm.Begin("zlib");
        farm.Apply(new AttemptFailed("anna", farm.Result(farm.Job("zlib"), ResultOutcome.Failed) with
        {
            Failure = new BuildFailure
            {
                Stage = "build",
                Kind = FailureKind.Package,
                Message = string.Concat(Enumerable.Repeat("\U0001F4A9", 100_000)),
            },
        }));
        var reason = Assert.Single(Told(farm, FeedName.Failures)).Reason;
        Assert.InRange(reason.Length, 499, 501);
        Assert.DoesNotContain(reason.EnumerateRunes(), rune => rune == System.Text.Rune.ReplacementChar);
    }

    [Theory]
    [InlineData("Jane Doe <jane@example.org>", "packagers/jane@example.org")]
    [InlineData("J. Doe <Jane@Example.ORG>", "packagers/jane@example.org")]
    [InlineData("Jane", "packagers/4f23798d92708359b734a18172c9c864")]
    [InlineData("Jane <../../etc@x>", "packagers/5f375e37903fc0a5d85441171317f0ca")]
    public void A_packagers_feed_is_named_for_the_mail_address(string packager, string name) =>
        Assert.Equal(name, FeedName.OfPackager(packager));

    [Fact]
    public void No_packager_makes_a_name_that_is_not_a_files() => Gen.String.Sample(text =>
    {
        foreach (var packager in (string[])[text, $"A <{text}>", $"A <{text}@{text}>"])
            Assert.Matches("^packagers/[a-z0-9][a-z0-9@._+-]{0,99}$", FeedName.OfPackager(packager));
    });

    [Fact]
    public void What_was_told_is_the_same_when_the_journal_is_read_again_or_the_state_was_stored()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1", "jq 1-1");
        Break(farm, "zlib");
        farm.Build("jq");
        farm.Commit("zlib 2-1");
        farm.Build("zlib");

        var stored = JsonSerializer.Deserialize(
            JsonSerializer.SerializeToUtf8Bytes(farm.State, QuartersJson.Default.MasterState),
            QuartersJson.Default.MasterState)!;
        var restored = MasterMachine.Restore(
            stored, pinned => farm.State.Outside[$"{pinned.Name}/{pinned.Architecture}"].Index, farm.Now);
        Assert.Equal(Text(farm.State), Text(restored));
        var again = MasterState.Empty;
        foreach (var (happened, time) in farm.Journal) again = MasterMachine.Apply(again, happened, time).State;
        Assert.Equal(Text(farm.State), Text(again));
    }

    /// <summary>Every feed, in one text.</summary>
    private static string Text(MasterState state) => string.Join('\n', state.Notices
        .OrderBy(feed => feed.Key, StringComparer.Ordinal)
        .Select(feed => feed.Key + JsonSerializer.Serialize(
            new MasterState { Notices = ImmutableDictionary<string, ImmutableList<Notice>>.Empty.Add("", feed.Value) },
            QuartersJson.Default.MasterState)));

    private static ImmutableList<Notice> Told(Farm farm, string feed) => farm.State.Notices.GetValueOrDefault(feed, []);

    private static void Break(Farm farm, string pkgbase)
    {
        farm.Begin(pkgbase);
        farm.Fail(pkgbase, FailureKind.Package);
        Assert.Equal(JobStatus.Failed, farm.Job(pkgbase).Status);
    }
}
