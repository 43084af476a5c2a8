using System.Collections.Immutable;
using Quarters.Core.Builder;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

public class BuilderTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private readonly Farm _farm = new();
    private BuilderState _builder = BuilderState.Empty;

    [Fact]
    public void A_result_stands_until_it_is_settled()
    {
        _farm.Commit("zlib 1-1");
        var job = Offered();
        Apply(new Claimed(job));
        Apply(new BuildBegun(job.Id, 1));
        Assert.Equal(ClaimPhase.Building, _builder.Claims[0].Phase);
        Apply(new BuildEnded(_farm.Result(_farm.Job("zlib"), ResultOutcome.Built)));
        Assert.Empty(_builder.Claims);
        Apply(new ResultSettled(job.Id, 1, "accepted"));
        Assert.Empty(_builder.Results);
    }

    [Fact]
    public void After_a_crash_a_builder_drops_what_it_had_claimed_and_does_not_say_that_it_meant_to()
    {
        _farm.Commit("zlib 1-1");
        Apply(new Claimed(Offered()));
        Apply(new BuildBegun(Offered().Id, 1));
        foreach (var happened in BuilderMachine.AfterRestart(_builder)) Apply(happened);
        Assert.Empty(_builder.Claims);
        Assert.Empty(_builder.GivenUp);
    }

    [Fact]
    public void A_builder_that_stops_says_which_builds_it_gave_up_and_finds_nothing_when_it_starts()
    {
        _farm.Commit("zlib 1-1", "acl 1-1");
        var jobs = Projection.Queue(_farm.State, _farm.Now).Jobs;
        foreach (var job in jobs) Apply(new Claimed(job));
        Apply(new BuildBegun(jobs[0].Id, 1));
        foreach (var happened in BuilderMachine.BeforeStop(_builder)) Apply(happened);
        // Of what was only claimed the master knows nothing.
        Assert.Equal(jobs[0].Id, Assert.Single(_builder.GivenUp).Job);
        Assert.Empty(BuilderMachine.AfterRestart(_builder));
    }

    [Fact]
    public void Only_the_last_builds_that_were_given_up_are_told_of()
    {
        _farm.Commit("zlib 1-1");
        for (var attempt = 1; attempt <= BuilderMachine.GivenUpAtMost + 1; attempt++)
        {
            Apply(new Claimed(Offered() with { Attempt = attempt }));
            Apply(new BuildBegun(Offered().Id, attempt));
            foreach (var happened in BuilderMachine.BeforeStop(_builder)) Apply(happened);
        }

        Assert.Equal(BuilderMachine.GivenUpAtMost, _builder.GivenUp.Length);
        Assert.Equal(BuilderMachine.GivenUpAtMost + 1, _builder.GivenUp[^1].Attempt);
    }

    [Fact]
    public void The_master_follows_what_a_builder_says_of_its_own_attempts_and_nothing_else()
    {
        _farm.Commit("zlib 1-1", "pigz 1-1 zlib");
        var zlib = _farm.Job("zlib");
        Review(Says([Claim(zlib.Id, 1), Claim(_farm.Job("pigz").Id, 1), Claim("nonsense", 7)], []));
        Assert.Equal(JobStatus.Building, _farm.Job("zlib").Status);
        Assert.Equal(JobStatus.Blocked, _farm.Job("pigz").Status);

        // Somebody else's word about an attempt that is anna's.
        Review(Says([], [_farm.Result(zlib, ResultOutcome.Failed) with { Failure = Failure() }]), "mallory");
        Assert.Equal(JobStatus.Building, _farm.Job("zlib").Status);

        var reviewed = Review(Says([], [_farm.Result(zlib, ResultOutcome.Built)]));
        Assert.Equal(zlib.Id, Assert.Single(reviewed.Collect).Job);
    }

    [Fact]
    public void A_builder_that_forgets_its_claim_has_lost_it()
    {
        _farm.Commit("zlib 1-1");
        Review(Says([Claim(_farm.Job("zlib").Id, 1)], []));
        Review(Says([], []));
        Assert.Equal(JobStatus.Ready, _farm.Job("zlib").Status);
        Assert.Equal(AttemptEnd.Lost, Assert.Single(_farm.Job("zlib").Attempts).End);
    }

    [Fact]
    public void A_silent_builder_loses_its_claims_when_its_lease_ends()
    {
        _farm.Commit("zlib 1-1");
        _farm.Begin("zlib");
        Assert.Empty(BuilderReview.Expire(_farm.State, "anna", null, Noon, null, Noon.AddSeconds(299)));
        Assert.Single(BuilderReview.Expire(_farm.State, "anna", null, Noon, null, Noon.AddSeconds(300)));
    }

    [Fact]
    public void A_failure_without_a_reason_is_refused()
    {
        _farm.Commit("zlib 1-1");
        _farm.Begin("zlib");
        Review(Says([], [_farm.Result(_farm.Job("zlib"), ResultOutcome.Failed)]));
        Assert.Equal(AttemptEnd.Refused, Assert.Single(_farm.Job("zlib").Attempts).End);
    }

    [Fact]
    public void Nobody_waits_for_a_builder_that_was_listed_and_never_came_but_for_one_that_a_restart_left_unread()
    {
        _farm.Commit("zlib 1-1");
        var job = _farm.Job("zlib");
        var lease = TimeSpan.FromMinutes(5);
        var unread = new BuilderSighting
        {
            Name = "new",
            Url = "https://127.0.0.1:9",
            PublicKey = "sha256:new",
            PolledSince = Noon,
        };
        Assert.Empty(BuilderSightings.ClaimsOn(job, [(Listed(Noon), unread)], Noon.AddHours(-1), lease, Noon)!.Value);
        var old = Listed(Noon.AddHours(-2));
        Assert.Null(BuilderSightings.ClaimsOn(job, [(old, unread)], Noon.AddHours(-1), lease, Noon));
        Assert.Empty(BuilderSightings.ClaimsOn(job, [(old, unread)], Noon.AddHours(-1), lease, Noon + lease)!.Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_claim_of_a_builder_that_an_operator_drains_is_shown_as_such(bool draining)
    {
        _farm.Commit("zlib 1-1");
        var job = _farm.Job("zlib");
        var claim = new Claim { Job = job.Id, Attempt = 1, Phase = ClaimPhase.Claimed, Since = Noon };
        var read = new BuilderSighting
        {
            Name = "new",
            Url = "https://127.0.0.1:9",
            PublicKey = "sha256:new",
            PolledSince = Noon,
            LastSeen = Noon,
            MovedAt = Noon,
            Said = Says([claim], []),
            Claims = [claim],
        };

        var seen = BuilderSightings.ClaimsOn(
            job, [(Listed(Noon) with { Draining = draining }, read)], Noon, TimeSpan.FromMinutes(5), Noon);

        Assert.Equal(draining, Assert.Single(seen!.Value).Draining);
    }

    private static BuilderRecord Listed(DateTimeOffset since) =>
        new() { Name = "new", Url = "https://127.0.0.1:9", PublicKey = "sha256:new", Since = since };

    private QueueJob Offered() => Projection.Queue(_farm.State, _farm.Now).Jobs[0];

    private void Apply(BuilderEvent happened) => _builder = BuilderMachine.Apply(_builder, happened, Noon);

    private ReviewedBuilder Review(BuilderStateDocument said, string builder = "anna")
    {
        var reviewed = BuilderReview.Read(_farm.State, builder, said, _farm.Now);
        foreach (var happened in reviewed.Events) _farm.Apply(happened);
        return reviewed;
    }

    private static Claim Claim(string job, int attempt) =>
        new() { Job = job, Attempt = attempt, Phase = ClaimPhase.Building, Since = Noon };

    private static BuildFailure Failure() => new() { Stage = "build", Kind = FailureKind.Package, Message = "no" };

    private static BuilderStateDocument Says(ImmutableArray<Claim> claims, ImmutableArray<BuildResult> results) => new()
    {
        Revision = 1,
        Name = "anna",
        Architectures = ["x86_64"],
        Slots = 1,
        Alive = Noon,
        Claims = claims,
        Results = results,
    };
}
