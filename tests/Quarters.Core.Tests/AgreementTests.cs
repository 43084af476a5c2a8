using Quarters.Core.Builder;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>What several builders must have built, each for itself and all the same, before it is published.</summary>
public class AgreementTests
{
    [Fact]
    public void A_package_waits_until_enough_builders_have_built_the_same()
    {
        var farm = FarmOf(2, "anna", "boris", "carla");
        Build(farm, "anna", 'a');
        var job = farm.Job("zlib");
        Assert.Equal((JobStatus.Ready, 1), (job.Status, job.Attempt));
        Assert.Equal((2, 1), (Queued(farm).Wanted, Queued(farm).Attempt));
        Assert.Equal(["anna"], Queued(farm).Avoid);
        Assert.Empty(Published(farm));
        Assert.Equal(
            "built by anna (1 of 2 that must build the same): to be tried by another builder than anna",
            Why.Of(farm.State, job));

        Build(farm, "boris", 'a');
        Assert.Equal(JobStatus.Built, farm.Job("zlib").Status);
        Assert.Equal(["zlib"], Published(farm));
        Assert.Equal(
            [AttemptEnd.Witnessed, AttemptEnd.Accepted], farm.Job("zlib").Attempts.Select(attempt => attempt.End));
    }

    [Fact]
    public void What_no_rule_names_is_published_as_soon_as_one_has_built_it()
    {
        var farm = FarmOf(2, "anna", "boris");
        farm.Commit("bash 5-1");
        Assert.Equal(1, Projection.Queue(farm.State, farm.Now).Jobs.Single(job => job.Pkgbase == "bash").Wanted);
        farm.Build("bash");
        Assert.Equal(["bash"], Published(farm));
    }

    [Fact]
    public void While_one_builds_it_others_may_begin_and_nobody_more_than_are_wanted()
    {
        var farm = FarmOf(2, "anna", "boris", "carla");
        farm.Begin("zlib", "anna");
        Assert.Equal((JobStatus.Building, 2), (farm.Job("zlib").Status, Queued(farm).Wanted));
        Assert.Empty(Projection.ReadyJobs(farm.State));

        // Boris was faster: the attempt goes on at anna's, whose build is the second.
        Witness(farm, "boris", 'a');
        Assert.Equal((JobStatus.Building, "anna"), (farm.Job("zlib").Status, farm.Job("zlib").Builder));
        Assert.Empty(Projection.Queue(farm.State, farm.Now).Jobs);
    }

    [Fact]
    public void All_build_against_the_snapshot_of_the_first_and_it_is_kept_for_them()
    {
        var farm = FarmOf(2, "anna", "boris");
        var first = Queued(farm).Snapshot;
        farm.Apply(new ClaimSeen(farm.Job("zlib").Id, 1, "anna", first));
        farm.Apply(new OutsidePinned("base", "x86_64", new string('c', 64), 1)
        {
            Index = PackageIndex.Of([new OfferedPackage("gcc", "13-1", [])]),
        });
        Assert.Equal(first, Queued(farm).Snapshot);
        Assert.NotEqual(first, Snapshots.Of(farm.State, "x86_64")!.Id);

        farm.Pass(TimeSpan.FromDays(300));
        Assert.DoesNotContain(
            Retention.Due(farm.State, farm.Now).OfType<HistoryForgotten>(), due => due.Snapshots.Contains(first));
        farm.Apply(new ClaimLost(farm.Job("zlib").Id, 1, "anna", "anna is gone"));
        Assert.NotEqual(first, Queued(farm).Snapshot);
    }

    [Fact]
    public void A_package_for_which_there_is_no_second_builder_says_so()
    {
        var farm = FarmOf(2, "anna");
        Build(farm, "anna", 'a');
        Assert.EndsWith(
            "by another builder than anna, and no other is listed that could", Why.Of(farm.State, farm.Job("zlib")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_builder_that_lost_its_build_does_not_begin_again_before_that_is_known()
    {
        var farm = FarmOf(2, "anna", "boris");
        farm.Begin("zlib", "anna");
        Assert.Equal(["anna"], Queued(farm).Avoid);
        var claim = new Claim { Job = farm.Job("zlib").Id, Attempt = 1, Phase = ClaimPhase.Claimed, Since = farm.Now };
        var seen = BuilderReview.Read(farm.State, "anna", Said(farm, "anna") with { Claims = [claim] }, farm.Now);
        Assert.Contains(seen.Events, happened => happened is ClaimLost { Builder: "anna" });
    }

    [Fact]
    public void Where_two_differ_a_third_decides()
    {
        var farm = FarmOf(2, "anna", "boris", "carla");
        Build(farm, "anna", 'a');
        Witness(farm, "boris", 'b', "not what anna built: usr/bin/zlib differs");
        Assert.Equal((JobStatus.Ready, 2), (farm.Job("zlib").Status, farm.Job("zlib").Attempt));
        Assert.Equal((1, 2), (Queued(farm).Wanted, Queued(farm).Attempt));
        Assert.Equal(["anna", "boris"], Queued(farm).Avoid);
        Assert.Contains("usr/bin/zlib differs", Why.Of(farm.State, farm.Job("zlib")), StringComparison.Ordinal);

        Build(farm, "carla", 'b');
        Assert.Equal(["zlib"], Published(farm));
    }

    [Fact]
    public void What_nobody_builds_like_another_is_broken_and_told()
    {
        var farm = FarmOf(2, "anna", "boris", "carla");
        Build(farm, "anna", 'a');
        Build(farm, "boris", 'b');
        Build(farm, "carla", 'c');
        var job = farm.Job("zlib");
        Assert.Equal(JobStatus.Failed, job.Status);
        Assert.Equal("3 builders built it, and no 2 of them the same: it is not reproducible", job.Verdict);
        var notice = Assert.Single(farm.State.Notices[FeedName.Failures]);
        Assert.Equal((NoticeKind.Failed, 0), (notice.Kind, notice.Attempt));
        Assert.Empty(Published(farm));

        farm.Apply(new Retried("zlib", "an operator wants it"));
        Assert.Equal((JobStatus.Ready, 2), (farm.Job("zlib").Status, Queued(farm).Wanted));
        Assert.Empty(Queued(farm).Avoid);
    }

    [Fact]
    public void What_was_built_before_a_dependency_changed_does_not_count()
    {
        var farm = FarmOf(2, "anna", "boris");
        farm.Commit("zlib 2-1 libfoo", "libfoo 1-1");
        farm.Build("libfoo");
        Build(farm, "anna", 'a');
        farm.Commit("libfoo 2-1");
        Assert.Equal(JobStatus.Blocked, farm.Job("zlib").Status);
        farm.Build("libfoo");
        Assert.Equal((2, 2), (Queued(farm).Wanted, Queued(farm).Attempt));
        Assert.Empty(Queued(farm).Avoid);
        Build(farm, "boris", 'a');
        Assert.DoesNotContain("zlib", Published(farm));
    }

    [Fact]
    public void A_builder_keeps_its_result_for_as_long_as_it_waits_for_others()
    {
        var farm = FarmOf(2, "anna", "boris", "carla");
        Build(farm, "anna", 'a');
        Assert.Null(Settled.How(farm.Job("zlib"), 1));
        Build(farm, "boris", 'b');
        Assert.NotNull(Settled.How(farm.Job("zlib"), 1));
    }

    [Fact]
    public void A_result_that_waits_is_not_fetched_again_and_that_of_another_is_while_one_builds()
    {
        var farm = FarmOf(3, "anna", "boris", "carla");
        Build(farm, "anna", 'a');
        Assert.Empty(Read(farm, "anna", Result(farm, 'a')).Collect);
        farm.Begin("zlib", "carla");
        Assert.Single(Read(farm, "boris", Result(farm, 'a')).Collect);
    }

    [Fact]
    public void When_fewer_are_wanted_than_have_built_it_one_of_their_results_is_looked_at_again()
    {
        var farm = FarmOf(3, "anna", "boris", "carla");
        Build(farm, "anna", 'a');
        Build(farm, "boris", 'a');
        var result = Result(farm, 'a');
        Assert.Empty(Read(farm, "anna", result).Collect);
        farm.Apply(new Configured(farm.State.Settings! with { Independent = [new IndependentBuilds(2, ["zlib"])] }));
        Assert.Single(Read(farm, "anna", result).Collect);
        Witness(farm, "anna", 'a');
        Assert.Equal(["zlib"], Published(farm));
    }

    [Fact]
    public void What_the_configuration_wants_holds_for_jobs_that_wait_already()
    {
        var farm = FarmOf(1, "anna", "boris");
        Assert.Equal(1, Queued(farm).Wanted);
        farm.Apply(new Configured(farm.State.Settings! with { Independent = [new IndependentBuilds(2, ["z*"])] }));
        Assert.Equal(2, Queued(farm).Wanted);
    }

    private static ReviewedBuilder Read(Farm farm, string builder, BuildResult result) => BuilderReview.Read(
        farm.State, builder, Said(farm, builder) with { Results = [result] }, farm.Now);

    private static BuilderStateDocument Said(Farm farm, string builder) => new()
    {
        Revision = 1,
        Name = builder,
        Architectures = ["x86_64"],
        Slots = 1,
        Weight = 1,
        Alive = farm.Now,
        Claims = [],
        Results = [],
    };

    [Fact]
    public void What_is_kept_of_builders_whose_names_differ_in_a_dot_keeps_apart()
    {
        var id = JobId.Of("zlib", "1-1", "x86_64", new string('0', 64));
        string[] builders = ["anna.de", "anna-de", "annade", "anna_de"];

        var names = builders.Select(builder => JobId.WitnessName(id, 1, builder)).ToList();

        Assert.Distinct(names);
        Assert.All(names, name => Assert.Equal(id, name[..name.LastIndexOf('.')]));
    }

    private static Farm FarmOf(int builds, params string[] builders)
    {
        var farm = new Farm();
        farm.Apply(new Configured(Farm.Settings() with
        {
            Builders = [.. builders.Select(name => new ValidatedBuilder(name, "https://" + name, name, ["x86_64"]))],
            Independent = [new IndependentBuilds(builds, ["zlib", "openssl"])],
        }));
        farm.Commit("zlib 1-1");
        return farm;
    }

    private static QueueJob Queued(Farm farm) =>
        Projection.Queue(farm.State, farm.Now).Jobs.Single(job => job.Pkgbase == "zlib");

    private static IEnumerable<string> Published(Farm farm) =>
        farm.State.Repositories.Values.SelectMany(repository => repository.Packages.Keys);

    /// <summary>A builder builds it, and what it yields has this digest.</summary>
    private static void Build(Farm farm, string builder, char digest)
    {
        farm.Begin("zlib", builder);
        Witness(farm, builder, digest);
    }

    private static void Witness(Farm farm, string builder, char digest, string? difference = null)
    {
        var result = Result(farm, digest);
        if (!Agreement.IsReached(farm.Job("zlib"), builder, result))
            farm.Apply(new ResultWitnessed(builder, result, difference));
        else farm.Accept("zlib", builder, digest);
    }

    private static BuildResult Result(Farm farm, char digest) => farm.Result(farm.Job("zlib"), ResultOutcome.Built) with
    {
        Files = [new ResultFile("zlib-1-1-x86_64.pkg.tar.zst", 10, new string(digest, 64))],
    };
}
