using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

public class AttemptTests
{
    private const string Message = "build: make: *** [all] Error 2";

    [Fact]
    public void After_a_failure_of_the_environment_another_builder_tries()
    {
        var farm = FarmOf("anna", "boris");
        Fail(farm, "anna", FailureKind.Environment);
        Assert.Equal(["anna"], Avoided(farm));
        Assert.StartsWith(
            $"failed at anna ({Message}): to be tried by another builder than anna, "
                + $"not before {farm.Job("zlib").NotBefore:HH:mm:ss} UTC",
            Why.Of(farm.State, farm.Job("zlib")), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_attempt_is_ready_since_it_may_be_taken_so_that_not_the_whole_farm_comes_at_once()
    {
        var farm = FarmOf("anna", "boris");
        Fail(farm, "anna", FailureKind.Package);
        Assert.Equal(farm.Now, farm.Job("zlib").ReadyAt);

        var rests = FarmOf("anna", "boris");
        Fail(rests, "anna", FailureKind.Environment);
        Assert.NotNull(rests.Job("zlib").NotBefore);
        Assert.Equal(rests.Job("zlib").NotBefore, rests.Job("zlib").ReadyAt);
    }

    [Fact]
    public void When_every_builder_failed_for_its_own_reasons_any_may_try_again_after_the_pause()
    {
        var farm = FarmOf("anna", "boris");
        Fail(farm, "anna", FailureKind.Environment);
        var first = Rest(farm);
        Fail(farm, "boris", FailureKind.Environment);
        Assert.Empty(Avoided(farm));
        Assert.Equal(2 * first, Rest(farm));
        Assert.Contains("to be tried again, not before", Why.Of(farm.State, farm.Job("zlib")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FailureKind.Package)]
    [InlineData(FailureKind.Timeout)]
    public void Two_builders_must_agree_before_a_package_is_broken(FailureKind kind)
    {
        var farm = FarmOf("anna", "boris", "carla");
        Fail(farm, "anna", kind);
        Assert.Equal(JobStatus.Ready, farm.Job("zlib").Status);
        Assert.Null(farm.Job("zlib").NotBefore);
        Assert.Equal(["anna"], Avoided(farm));

        Fail(farm, "boris", kind);
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
        Assert.Equal(
            $"failed at anna ({Message}) and boris ({Message}): broken, since 2 builders agree that it does not build",
            Why.Of(farm.State, farm.Job("zlib")));
    }

    [Fact]
    public void The_word_of_the_only_builder_that_could_build_it_suffices()
    {
        var farm = FarmOf("anna");
        farm.Apply(new Configured(Farm.Settings() with
        {
            Builders = [.. farm.State.Settings!.Builders, new ValidatedBuilder("arm", "https://arm", "arm",
                ["aarch64"])],
        }));
        Fail(farm, "anna", FailureKind.Package);
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
        Assert.Equal("no other builder could build it", farm.Job("zlib").Verdict);
    }

    [Fact]
    public void A_failure_of_the_environment_does_not_spare_the_second_opinion()
    {
        var farm = FarmOf("anna", "boris");
        Fail(farm, "anna", FailureKind.Package);
        Fail(farm, "boris", FailureKind.Environment);
        Assert.Equal(JobStatus.Ready, farm.Job("zlib").Status);
        // Boris still owes his word; Anna has given hers.
        Assert.Equal(["anna"], Avoided(farm));
        Fail(farm, "boris", FailureKind.Package);
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
    }

    [Fact]
    public void A_job_that_no_other_builder_takes_comes_back_to_the_first()
    {
        var farm = FarmOf("anna", "boris");
        Fail(farm, "anna", FailureKind.Environment);
        var rested = farm.Job("zlib").NotBefore!.Value;
        Assert.Equal(rested + Avoidance.AfterSetback, Projection.NextInQueue(farm.State, rested));
        farm.Pass(rested + Avoidance.AfterSetback - farm.Now);
        Assert.Empty(Avoided(farm));

        Fail(farm, "anna", FailureKind.Package);
        Assert.Equal(["anna"], Avoided(farm));
        farm.Pass(Avoidance.AfterVerdict);
        Assert.Empty(Avoided(farm));
        Fail(farm, "anna", FailureKind.Package);
        Assert.Equal("no other builder took it, and it failed there again", farm.Job("zlib").Verdict);
    }

    [Fact]
    public void A_job_that_brings_down_its_builders_is_broken_after_the_second()
    {
        var farm = FarmOf("anna", "boris", "carla");
        Lose(farm, "anna");
        Assert.Null(farm.Job("zlib").NotBefore);
        Assert.Equal(["anna"], Avoided(farm));
        Lose(farm, "boris");
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
        Assert.Contains("2 builders were lost while they built it", Why.Of(farm.State, farm.Job("zlib")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_lone_builder_that_a_job_brings_down_has_growing_pauses_and_an_end()
    {
        var farm = FarmOf("anna");
        Lose(farm, "anna");
        Lose(farm, "anna");
        var second = Rest(farm);
        Lose(farm, "anna");
        Assert.Equal(2 * second, Rest(farm));
        Lose(farm, "anna");
        Assert.Equal("it was tried 4 times", farm.Job("zlib").Verdict);
    }

    [Fact]
    public void Losses_while_the_master_hears_of_nobody_are_held_against_nobody()
    {
        var farm = FarmOf("anna", "boris", "carla");
        foreach (var builder in new[] { "anna", "boris" })
        {
            farm.Begin("zlib", builder);
            var now = farm.Now + TimeSpan.FromSeconds(400);
            farm.Apply(Assert.Single(BuilderReview.Expire(farm.State, builder, null, farm.Now, farm.Now, now)));
            Assert.Empty(Avoided(farm));
        }

        Assert.Equal(JobStatus.Ready, farm.Job("zlib").Status);
        farm.Begin("zlib", "carla");
        var lost = Assert.Single(BuilderReview.Expire(
            farm.State, "carla", null, farm.Now, farm.Now.AddSeconds(399), farm.Now.AddSeconds(400)));
        Assert.False(Assert.IsType<ClaimLost>(lost).Excused);
    }

    [Fact]
    public void Builds_that_builders_give_up_on_purpose_count_for_nothing()
    {
        var farm = FarmOf("anna", "boris", "carla", "dora", "emil");
        foreach (var builder in new[] { "anna", "boris", "carla", "dora", "emil" })
        {
            GiveUp(farm, builder);
            Assert.Equal((JobStatus.Ready, null), (farm.Job("zlib").Status, farm.Job("zlib").NotBefore));
            Assert.Empty(Avoided(farm));
        }

        Assert.Equal(6, farm.Job("zlib").Attempt);
        Assert.Contains("given up at", Why.Of(farm.State, farm.Job("zlib")), StringComparison.Ordinal);
        // They do not use up what a real loss may cost.
        Lose(farm, "anna");
        Assert.Null(farm.Job("zlib").NotBefore);
        Assert.Equal(["anna"], Avoided(farm));
    }

    [Fact]
    public void A_builder_that_gives_a_job_up_again_has_lost_it_and_cannot_hold_it_for_ever()
    {
        var farm = FarmOf("anna", "boris");
        GiveUp(farm, "anna");
        GiveUp(farm, "anna");
        Assert.Equal(AttemptEnd.Lost, farm.Job("zlib").Attempts[^1].End);
        Assert.Contains("anna gave it up again: the builder was stopped", farm.Job("zlib").Attempts[^1].Reason,
            StringComparison.Ordinal);
        Assert.Equal(["anna"], Avoided(farm));

        var lone = FarmOf("anna");
        for (var times = 0; times < 5; times++) GiveUp(lone, "anna");
        Assert.Equal("it was tried 4 times", lone.Job("zlib").Verdict);
    }

    [Fact]
    public void What_a_builder_gave_up_before_says_nothing_of_the_next_attempt()
    {
        var farm = FarmOf("anna", "boris");
        GiveUp(farm, "anna");
        farm.Begin("zlib", "anna");
        var said = Says([]) with { GivenUp = [GivenUp(farm.Job("zlib").Id, 1)] };
        Assert.IsType<ClaimLost>(Assert.Single(BuilderReview.Read(farm.State, "anna", said, farm.Now).Events));
    }

    [Fact]
    public void A_builder_that_is_to_be_avoided_neither_takes_the_job_nor_uses_up_its_attempts()
    {
        var farm = FarmOf("anna", "boris");
        Fail(farm, "anna", FailureKind.Environment);
        var job = farm.Job("zlib");
        var claim = new Claim { Job = job.Id, Attempt = job.Attempt, Phase = ClaimPhase.Building, Since = farm.Now };
        Assert.Empty(BuilderReview.Read(farm.State, "anna", Says([claim]), farm.Now).Events);
        var result = farm.Result(job, ResultOutcome.Failed) with
        {
            Failure = new BuildFailure { Stage = "builder", Kind = FailureKind.Environment, Message = "no" },
        };
        Assert.Empty(BuilderReview.Read(farm.State, "anna", Says([], result), farm.Now).Events);
        Assert.Single(BuilderReview.Read(farm.State, "boris", Says([claim]), farm.Now).Events);
        // Packages are packages, whoever brings them.
        var built = farm.Result(job, ResultOutcome.Built);
        Assert.Single(BuilderReview.Read(farm.State, "anna", Says([], built), farm.Now).Collect);
    }

    [Fact]
    public void A_builder_that_never_ends_what_it_says_it_builds_loses_it()
    {
        var farm = FarmOf("anna");
        farm.Begin("zlib");
        var claim = new Claim
        {
            Job = farm.Job("zlib").Id,
            Attempt = 1,
            Phase = ClaimPhase.Building,
            Since = farm.Now,
        };
        Assert.Empty(BuilderReview.Read(farm.State, "anna", Says([claim]), farm.Now.AddHours(30)).Events);
        Assert.IsType<ClaimLost>(Assert.Single(
            BuilderReview.Read(farm.State, "anna", Says([claim]), farm.Now.AddHours(31)).Events));
    }

    [Fact]
    public void An_operators_retry_begins_anew_with_the_next_number()
    {
        var farm = FarmOf("anna", "boris");
        Fail(farm, "anna", FailureKind.Package);
        Fail(farm, "boris", FailureKind.Package);
        farm.Apply(new Retried("zlib", "an operator asked for it"));
        Assert.Equal((JobStatus.Ready, 3), (farm.Job("zlib").Status, farm.Job("zlib").Attempt));
        Assert.Empty(Avoided(farm));
        Assert.Equal("to be tried again, since an operator asked for it", Why.Of(farm.State, farm.Job("zlib")));

        Fail(farm, "boris", FailureKind.Package);
        Assert.Equal(JobStatus.Ready, farm.Job("zlib").Status);
        Fail(farm, "anna", FailureKind.Package);
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
        Assert.Equal([1, 2, 3, 4], farm.Job("zlib").Attempts.Select(a => a.Number));
    }

    [Fact]
    public void An_operators_retry_ends_a_pause_and_leaves_alone_what_runs_or_never_failed()
    {
        var farm = FarmOf("anna", "boris");
        farm.Apply(new Retried(farm.Job("zlib").Id, "no reason"));
        Assert.Empty(farm.Job("zlib").Retries);
        Fail(farm, "anna", FailureKind.Environment);
        farm.Apply(new Retried(farm.Job("zlib").Id, "the mirror is back"));
        Assert.Equal((null, 2), (farm.Job("zlib").NotBefore, farm.Job("zlib").Attempt));
        Assert.Empty(Avoided(farm));
        farm.Begin("zlib", "anna");
        farm.Apply(new Retried("zlib", "once more"));
        Assert.Single(farm.Job("zlib").Retries);
        farm.Apply(new Retried("nothing", "once more"));
    }

    [Fact]
    public void A_broken_package_is_tried_again_when_a_dependency_of_its_own_is_another()
    {
        var farm = FarmOf("anna");
        farm.Commit("lib 1-1", "app 1-1 lib>=1", "user 1-1 app");
        farm.Build("lib");
        Fail(farm, "anna", FailureKind.Package, "app");
        Assert.Equal(JobStatus.Failed, farm.Job("app").Status);

        farm.Commit("other 1-1");
        farm.Build("other");
        Assert.Equal(JobStatus.Failed, farm.Job("app").Status);
        farm.Commit("lib 1-2");
        farm.Begin("lib");
        farm.Accept("lib", digest: 'b');
        Assert.Equal((JobStatus.Ready, 2), (farm.Job("app").Status, farm.Job("app").Attempt));
        Assert.Equal(["app", "lib", "user"], farm.Last.Packages.Order());
        Assert.Equal("to be tried again, since its dependency lib 1-2 was accepted",
            Why.Of(farm.State, farm.Job("app")));
    }

    [Fact]
    public void The_same_bytes_of_a_dependency_are_no_reason_nor_is_any_for_what_builders_failed_at()
    {
        var farm = FarmOf("anna");
        farm.Commit("lib 1-1", "app 1-1 lib", "sick 1-1 lib");
        farm.Build("lib");
        Fail(farm, "anna", FailureKind.Package, "app");
        for (var i = 0; i < 4; i++) Fail(farm, "anna", FailureKind.Environment, "sick");
        Assert.Equal(JobStatus.Failed, farm.Job("sick").Status);

        farm.Commit("lib 1-2");
        farm.Build("lib");
        Assert.Equal(JobStatus.Failed, farm.Job("app").Status);
        farm.Commit("lib 1-3");
        farm.Begin("lib");
        farm.Accept("lib", digest: 'c');
        Assert.Equal(JobStatus.Ready, farm.Job("app").Status);
        Assert.Equal(JobStatus.Failed, farm.Job("sick").Status);
    }

    [Fact]
    public void A_broken_package_is_tried_again_when_a_repository_of_others_has_another_version_of_what_it_needs()
    {
        var farm = FarmOf("anna");
        farm.Commit("app 1-1 gcc");
        Fail(farm, "anna", FailureKind.Package, "app");
        farm.Pin("x86_64", ("gcc", "12-1"), ("glibc", "2.37-1"));
        Assert.Equal(JobStatus.Failed, farm.Job("app").Status);
        farm.Pin("x86_64", ("gcc", "13-1"), ("glibc", "2.37-1"));
        Assert.Equal(JobStatus.Ready, farm.Job("app").Status);
    }

    [Fact]
    public void The_number_of_an_attempt_that_was_given_up_is_not_used_again()
    {
        var farm = FarmOf("anna");
        var before = farm.Package("main", "zlib 2-1");
        farm.Apply(Poll(before));
        farm.Begin("zlib");
        farm.Commit("zlib 3-1");
        farm.Apply(Poll(before));
        var again = farm.State.Jobs.Values.Single(j => j.Version == "2-1");
        Assert.Equal((JobStatus.Ready, 2), (again.Status, again.Attempt));

        static SourcePolled Poll(Core.Sources.SourcePackage package) => new(new Core.Sources.SourceReport
        {
            Source = "main",
            Cursor = "x",
            Changed = [package],
        });
    }

    [Fact]
    public void Of_equally_urgent_jobs_the_fresh_ones_come_first()
    {
        var farm = FarmOf("anna", "boris");
        farm.Commit("xz 1-1");
        Assert.Equal(["zlib", "xz"], farm.Ready);
        Fail(farm, "anna", FailureKind.Package);
        Assert.Equal(["xz", "zlib"], farm.Ready);
    }

    private static Farm FarmOf(params string[] builders)
    {
        var farm = new Farm();
        farm.Apply(new Configured(Farm.Settings() with
        {
            Builders = [.. builders.Select(b => new ValidatedBuilder(b, $"https://{b}", b, ["x86_64"]))],
        }));
        farm.Commit("zlib 1-1");
        return farm;
    }

    private static void Fail(Farm farm, string builder, FailureKind kind, string pkgbase = "zlib")
    {
        farm.Begin(pkgbase, builder);
        Assert.Equal(JobStatus.Building, farm.Job(pkgbase).Status);
        farm.Fail(pkgbase, kind, builder);
    }

    private static void Lose(Farm farm, string builder)
    {
        farm.Begin("zlib", builder);
        farm.Apply(new ClaimLost(farm.Job("zlib").Id, farm.Job("zlib").Attempt, builder, $"{builder} is gone"));
    }

    private static void GiveUp(Farm farm, string builder)
    {
        farm.Begin("zlib", builder);
        var job = farm.Job("zlib");
        Assert.Equal(JobStatus.Building, job.Status);
        var said = Says([]) with { GivenUp = [GivenUp(job.Id, job.Attempt)] };
        foreach (var happened in BuilderReview.Read(farm.State, builder, said, farm.Now).Events) farm.Apply(happened);
    }

    private static GivenUpBuild GivenUp(string job, int attempt) =>
        new() { Job = job, Attempt = attempt, Reason = "the builder was stopped" };

    private static TimeSpan Rest(Farm farm) => farm.Job("zlib").NotBefore!.Value - farm.Now;

    private static ImmutableArray<string> Avoided(Farm farm)
    {
        var at = farm.Job("zlib").NotBefore is { } rested && rested > farm.Now ? rested : farm.Now;
        return Projection.Queue(farm.State, at).Jobs.Single(j => j.Pkgbase == "zlib").Avoid;
    }

    private static BuilderStateDocument Says(Claim[] claims, params BuildResult[] results) => new()
    {
        Revision = 1,
        Name = "anna",
        Architectures = ["x86_64"],
        Slots = 1,
        Alive = default,
        Claims = [.. claims],
        Results = [.. results],
    };
}
