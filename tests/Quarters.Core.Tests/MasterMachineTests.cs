using System.Collections.Immutable;
using System.Text.Json;
using CsCheck;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests;

public class MasterMachineTests
{
    [Fact]
    public void A_package_whose_dependencies_are_there_is_ready()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1 gcc glibc>=2.30");
        Assert.Equal(["zlib"], farm.Ready);
    }

    [Fact]
    public void A_package_waits_for_a_dependency_that_is_to_be_built_and_is_ready_when_it_was_accepted()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1", "pigz 2-1 zlib");
        Assert.Equal(["zlib"], farm.Ready);
        Assert.Equal(new Blocker(BlockerKind.Waiting, "zlib", "zlib"), Assert.Single(farm.Job("pigz").Blockers));

        farm.Build("zlib");
        Assert.Equal(["pigz"], farm.Ready);
        Assert.Equal(["core/x86_64"], farm.Last.Publish);
    }

    [Fact]
    public void A_package_waits_for_our_own_new_version_although_an_outside_one_would_do()
    {
        var farm = new Farm();
        farm.Pin("x86_64", ("zlib", "1-1"));
        farm.Commit("zlib 2-1", "pigz 2-1 zlib");
        Assert.Equal(["zlib"], farm.Ready);
    }

    [Fact]
    public void A_dependency_that_nobody_provides_blocks_and_why_names_it_and_who_wants_it()
    {
        var farm = new Farm();
        farm.Commit("jq 1-1 oniguruma>=6");
        Assert.Equal(JobStatus.Blocked, farm.Job("jq").Status);
        Assert.Contains("nobody provides oniguruma>=6", Why.Of(farm.State, "jq")[0], StringComparison.Ordinal);
        Assert.Contains("wanted by jq", Assert.Single(Why.Of(farm.State, "oniguruma")), StringComparison.Ordinal);

        farm.Commit("oniguruma 6.9-1");
        farm.Build("oniguruma");
        Assert.Equal(["jq"], farm.Ready);
    }

    [Fact]
    public void A_provision_with_the_right_version_satisfies_and_one_with_another_does_not()
    {
        var farm = new Farm();
        farm.Commit("oniguruma 6.9-1 +libonig.so=5-64", "jq 1-1 libonig.so=5-64", "old 1-1 libonig.so=4-64");
        farm.Build("oniguruma");
        Assert.Equal(["jq"], farm.Ready);
        Assert.Equal(BlockerKind.Missing, Assert.Single(farm.Job("old").Blockers).Kind);
    }

    [Fact]
    public void A_failed_provider_blocks_until_its_source_changes()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1", "pigz 2-1 zlib");
        farm.Begin("zlib");
        farm.Fail("zlib", FailureKind.Package);
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
        Assert.Equal(BlockerKind.Failed, Assert.Single(farm.Job("pigz").Blockers).Kind);
        Assert.Empty(farm.Ready);

        farm.Commit("zlib 1-1");
        Assert.Equal(["zlib"], farm.Ready);
        farm.Build("zlib");
        Assert.Equal(["pigz"], farm.Ready);
    }

    [Fact]
    public void A_failure_of_the_environment_is_tried_again_after_a_pause_and_not_for_ever()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        for (var attempt = 1; attempt < farm.State.Settings!.MaxAttempts; attempt++)
        {
            farm.Begin("zlib");
            farm.Fail("zlib", FailureKind.Environment);
            Assert.Equal(JobStatus.Ready, farm.Job("zlib").Status);
            Assert.NotNull(farm.Job("zlib").NotBefore);
        }

        farm.Begin("zlib");
        farm.Fail("zlib", FailureKind.Environment);
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
    }

    [Fact]
    public void A_newer_source_supersedes_a_running_job_and_its_late_result_changes_nothing()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        farm.Begin("zlib");
        var old = farm.Job("zlib");
        farm.Commit("zlib 2-1");
        Assert.Equal(JobStatus.Superseded, farm.State.Jobs[old.Id].Status);
        Assert.Equal(["zlib"], farm.Ready);

        farm.Apply(new ResultAccepted("anna", farm.Result(old, ResultOutcome.Built), []));
        Assert.Equal(JobStatus.Superseded, farm.State.Jobs[old.Id].Status);
        Assert.Empty(farm.State.Repositories);
    }

    [Fact]
    public void The_same_result_is_accepted_once()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        farm.Build("zlib");
        var job = farm.Job("zlib");
        farm.Apply(new ResultAccepted("anna", farm.Result(job, ResultOutcome.Built), []));
        Assert.Single(farm.Job("zlib").Attempts);
        Assert.Empty(farm.Last.Publish);
    }

    [Fact]
    public void A_version_that_is_not_newer_than_the_repositorys_is_not_built()
    {
        var farm = new Farm();
        farm.Commit("zlib 2-1");
        farm.Build("zlib");
        farm.Commit("zlib 1-9");
        Assert.Empty(farm.Ready);
        Assert.Equal(JobStatus.Built, Projection.StatusOf(farm.State, farm.State.Packages["zlib"]));
        farm.Commit("zlib 1:1-1");
        Assert.Equal(["zlib"], farm.Ready);
    }

    [Fact]
    public void A_circle_is_entered_where_older_packages_are_there_and_says_so()
    {
        var farm = new Farm();
        farm.Pin("x86_64", ("glibc", "1-1"), ("gcc", "1-1"));
        farm.Commit("glibc 2-1 gcc", "gcc 2-1 glibc");
        Assert.Equal(["gcc"], farm.Ready);
        Assert.Equal(["glibc"], farm.Job("gcc").BuiltAgainstOlder);
        Assert.Contains("older glibc", Why.Of(farm.State, "gcc")[0], StringComparison.Ordinal);
        farm.Build("gcc");
        farm.Build("glibc");
        Assert.Empty(farm.State.Blocked);
    }

    [Fact]
    public void A_circle_of_packages_that_never_were_stays_blocked()
    {
        var farm = new Farm();
        farm.Commit("egg 1-1 hen", "hen 1-1 egg");
        Assert.Empty(farm.Ready);
        Assert.Equal(2, farm.State.Blocked.Count);
    }

    [Fact]
    public void A_lost_claim_opens_the_next_attempt()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        farm.Begin("zlib");
        farm.Apply(new ClaimLost(farm.Job("zlib").Id, 1, "anna", "gone"));
        Assert.Equal(["zlib"], farm.Ready);
        Assert.Equal(2, farm.Job("zlib").Attempt);
        farm.Build("zlib");
        Assert.Equal(JobStatus.Built, farm.Job("zlib").Status);
    }

    [Fact]
    public void Only_a_build_against_a_snapshot_that_was_offered_while_the_job_was_ready_counts()
    {
        var farm = new Farm();
        var before = Snapshots.Of(farm.State, "x86_64")!.Id;
        farm.Commit("zlib 1-1", "pigz 1-1 zlib");
        farm.Build("zlib");
        farm.Apply(new RepositoryPublished("core", "x86_64", new string('c', 64), 1));
        var current = Snapshots.Of(farm.State, "x86_64")!.Id;
        Assert.NotEqual(before, current);
        Assert.Null(Snapshots.FindFault(farm.State, farm.Job("pigz"), current));
        Assert.Contains("never offered", Snapshots.FindFault(
            farm.State, farm.Job("pigz"), new string('0', 64)), StringComparison.Ordinal);

        farm.Commit("zlib 2-1");
        farm.Build("zlib");
        farm.Apply(new RepositoryPublished("core", "x86_64", new string('d', 64), 1));
        Assert.Contains("before the job was ready", Snapshots.FindFault(
            farm.State, farm.Job("pigz"), before), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_read_is_failed_and_everything_else_goes_on()
    {
        var farm = new Farm();
        farm.Apply(new SourcePolled(new SourceReport
        {
            Source = "main",
            Cursor = "1",
            Changed = [farm.Package("main", "zlib 1-1")],
            Unreadable = [new UnreadablePackage { Path = "bad", Name = "bad", Reason = "line 3: syntax error",
                Revision = "1", Time = default }],
        }));
        Assert.Equal(["zlib"], farm.Ready);
        Assert.Contains("cannot be read: line 3: syntax error", Why.Of(farm.State, "bad")[0], StringComparison.Ordinal);
        Assert.Equal(1, Projection.Count(farm.State).Failed);
        Assert.Equal(
            [new UnreadableStatus("bad", "main", "bad", "line 3: syntax error")],
            Projection.State(farm.State, "", [], [], new Dictionary<string, string>()).Unreadable);
    }

    [Fact]
    public void A_package_base_belongs_to_the_first_source_that_holds_it()
    {
        var farm = new Farm();
        farm.Commit("main", ["zlib 1-1"]);
        farm.Commit("other", ["zlib 9-1"]);
        Assert.Equal("1-1", farm.State.Packages["zlib"].Source!.Version);
        Assert.Contains("already held", Assert.Single(farm.State.Unreadable.Values).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_complete_report_does_not_name_is_gone()
    {
        var farm = new Farm();
        farm.Commit("other", ["jq 1-1"]);
        farm.Commit("main", ["zlib 1-1", "pigz 1-1"]);
        farm.Apply(new SourcePolled(new SourceReport
        {
            Source = "main",
            Cursor = "2",
            Complete = true,
            Changed = [farm.Package("main", "zlib 2-1")],
        }));
        Assert.Equal(["jq", "zlib"], farm.Ready.Order());
        Assert.Equal("2-1", farm.State.Packages["zlib"].Source!.Version);
    }

    [Fact]
    public void A_removed_package_is_not_built_any_more()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1", "pigz 1-1 zlib");
        farm.Apply(new SourcePolled(new SourceReport { Source = "main", Cursor = "2", RemovedPaths = ["zlib"] }));
        Assert.Empty(farm.Ready);
        Assert.Equal(BlockerKind.Missing, Assert.Single(farm.Job("pigz").Blockers).Kind);
    }

    [Fact]
    public void An_any_package_is_built_once_and_enters_every_architecture()
    {
        var farm = new Farm("x86_64", "aarch64");
        farm.Commit("scripts 1-1 @any", "user 1-1 scripts @aarch64");
        Assert.Equal(["scripts"], farm.Ready);
        farm.Build("scripts");
        Assert.Equal(["core/aarch64", "core/x86_64"], farm.Last.Publish.Order());
        Assert.Equal(["user"], farm.Ready);
    }

    [Fact]
    public void An_any_package_is_queued_for_builders_of_the_first_architecture()
    {
        var farm = new Farm("x86_64", "aarch64");
        farm.Commit("scripts 1-1 @any", "tool 1-1 @aarch64");
        var queued = Projection.Queue(farm.State, DateTimeOffset.MaxValue).Jobs.ToDictionary(j => j.Pkgbase);
        Assert.Equal(("x86_64", "any"), (queued["scripts"].Architecture, queued["scripts"].Packages[0].Architecture));
        Assert.Equal("aarch64", queued["tool"].Architecture);
        Assert.NotEqual(queued["scripts"].Snapshot, queued["tool"].Snapshot);
        var fault = Snapshots.FindFault(farm.State, farm.Job("scripts"), queued["tool"].Snapshot);
        Assert.Equal("it was built against a snapshot of aarch64", fault);
    }

    [Fact]
    public void A_builder_of_another_architecture_is_not_believed()
    {
        var farm = new Farm("x86_64", "aarch64");
        farm.Commit("tool 1-1 @aarch64");
        var job = farm.Job("tool");
        var said = new BuilderStateDocument
        {
            Revision = 1,
            Name = "anna",
            Architectures = ["x86_64"],
            Slots = 1,
            Weight = 1,
            Alive = farm.Now,
            Claims = [new Claim { Job = job.Id, Attempt = 1, Phase = ClaimPhase.Building, Since = farm.Now }],
            Results = [farm.Result(job, ResultOutcome.Built)],
        };
        var review = BuilderReview.Read(farm.State, "anna", said, farm.Now);
        Assert.DoesNotContain(review.Events, happens => happens is ClaimSeen);
        Assert.Empty(review.Collect);
        review = BuilderReview.Read(farm.State, "anna", said with { Architectures = ["aarch64"] }, farm.Now);
        Assert.Contains(review.Events, happens => happens is ClaimSeen);
        Assert.Single(review.Collect);
    }

    [Fact]
    public void What_is_different_for_an_architecture_is_told_with_its_jobs_and_no_others()
    {
        var farm = new Farm("x86_64", "x86_64_v3");
        var traits = new ArchitectureTraits(["x86_64"], ["CFLAGS+=' -march=x86-64-v3'"]);
        var settings = farm.State.Settings! with
        {
            Traits = farm.State.Settings!.Traits.Add("x86_64_v3", traits),
        };
        Assert.False(settings.SameAs(farm.State.Settings));
        Assert.True(settings.SameAs(settings with
        {
            Traits = settings.Traits.SetItem("x86_64_v3", new ArchitectureTraits(["x86_64"], [.. traits.Makepkg])),
        }));
        farm.Apply(new Configured(settings));
        farm.Commit("scripts 1-1 @any", "tool 1-1 @x86_64_v3");
        var queued = Projection.Queue(farm.State, DateTimeOffset.MaxValue).Jobs.ToDictionary(j => j.Pkgbase);
        Assert.Equal(["x86_64"], queued["tool"].Accepts);
        Assert.Equal(traits.Makepkg, queued["tool"].Makepkg);
        Assert.Empty(queued["scripts"].Accepts);
        Assert.Empty(queued["scripts"].Makepkg);
    }

    [Fact]
    public void An_architecture_that_is_added_has_the_any_packages_at_once()
    {
        var farm = new Farm("x86_64");
        farm.Commit("scripts 1-1 @any", "tool 1-1");
        farm.Build("scripts");
        farm.Build("tool");
        farm.Apply(new Configured(Farm.Settings("x86_64", "aarch64")));
        Assert.Equal(["core/aarch64"], farm.Last.Publish);
        Assert.Equal(["scripts"], farm.State.Repositories["core/aarch64"].Packages.Keys);
        farm.Pin("aarch64", ("glibc", "2.36-1"));
        farm.Commit("user 1-1 scripts @aarch64");
        Assert.Equal(["user"], farm.Ready);
    }

    [Fact]
    public void An_event_judges_only_those_it_touches()
    {
        var farm = new Farm();
        farm.Commit([.. Enumerable.Range(0, 500).Select(i => $"p{i} 1-1"), "zlib 1-1", "pigz 1-1 zlib"]);
        farm.Build("zlib");
        Assert.Equal(["pigz", "zlib"], farm.Last.Packages.Order());
    }

    [Fact]
    public void The_stored_state_restores_to_the_same_state() => History.Sample(
        commits =>
        {
            var farm = Play(commits);
            var json = JsonSerializer.SerializeToUtf8Bytes(farm.State, QuartersJson.Default.MasterState);
            var stored = JsonSerializer.Deserialize(json, QuartersJson.Default.MasterState)!;
            var restored = MasterMachine.Restore(
                stored, pinned => farm.State.Outside.Values.First(o => o.Sha256 == pinned.Sha256).Index, default);
            Assert.Equal(Text(farm.State), Text(restored));
            Assert.Equal(farm.State.Ready, restored.Ready);
            Assert.Equal(farm.State.Blocked, restored.Blocked);
            Assert.Equal(farm.State.Failed, restored.Failed);
            Assert.Equal(farm.State.Built, restored.Built);
            Assert.Equal(farm.State.Readable, restored.Readable);
        }, iter: 50);

    [Fact]
    public void The_journal_read_again_gives_the_same_state() => History.Sample(
        commits =>
        {
            var farm = Play(commits);
            var again = MasterState.Empty;
            foreach (var (happened, time) in farm.Journal)
            {
                var json = JsonSerializer.Serialize(happened, QuartersJson.Default.MasterEvent);
                var read = JsonSerializer.Deserialize(json, QuartersJson.Default.MasterEvent)!;
                if (read is OutsidePinned pinned) read = pinned with { Index = ((OutsidePinned)happened).Index };
                again = MasterMachine.Apply(again, read, time).State;
            }

            Assert.Equal(Text(farm.State), Text(again));
        }, iter: 50);

    [Fact]
    public void As_long_as_anything_can_be_built_something_is_ready_and_all_ends_built() => History.Sample(
        commits =>
        {
            var farm = Play(commits);
            for (var step = 0; farm.State.Ready.Count > 0; step++)
            {
                Assert.True(step < 1000);
                farm.Build(farm.State.Jobs[farm.State.Ready[0]].Pkgbase);
            }

            foreach (var id in farm.State.Blocked)
                Assert.False(CouldBeBuilt(farm.State, farm.State.Jobs[id], []), $"{id} could be built");
        }, iter: 200);

    /// <summary>Commits of packages a…h at small versions that need up to three others.</summary>
    private static Gen<List<List<string>>> History { get; } =
        Gen.Select(Gen.Int[0, 7], Gen.Int[1, 3], Gen.Int[0, 9].List[0, 3], (name, version, needs) =>
                $"p{name} {version}-1" + string.Concat(needs.Where(n => n != name).Distinct().Select(n => $" p{n}")))
            .List[1, 6].List[1, 6];

    private static Farm Play(List<List<string>> commits)
    {
        var farm = new Farm();
        farm.Pin("x86_64", ("p8", "1-1"), ("p0", "0-1"));
        foreach (var commit in commits)
        {
            farm.Commit([.. commit.DistinctBy(line => line.Split(' ')[0])]);
            if (farm.State.Ready.Count > 1) farm.Build(farm.State.Jobs[farm.State.Ready[0]].Pkgbase);
        }

        return farm;
    }

    /// <summary>An independent, naive answer: everything it waits for is there already.</summary>
    private static bool CouldBeBuilt(MasterState state, Job job, ImmutableHashSet<string> _) =>
        job.Blockers.All(b => b.Kind == BlockerKind.Waiting
            && (state.Repositories.Values.Any(r => r.Packages.ContainsKey(b.Relation)) || b.Relation is "p8" or "p0")
            && InCircle(state, job.Pkgbase, b.Pkgbase!));

    private static bool InCircle(MasterState state, string from, string to)
    {
        var seen = new HashSet<string>();
        var next = new Queue<string>([to]);
        while (next.TryDequeue(out var name))
        {
            if (name == from) return true;
            if (!seen.Add(name)) continue;
            foreach (var id in state.Packages[name].Jobs.Where(id => state.Jobs[id].Status == JobStatus.Blocked))
            {
                foreach (var blocker in state.Jobs[id].Blockers.Where(b => b.Pkgbase is not null))
                    next.Enqueue(blocker.Pkgbase!);
            }
        }

        return false;
    }

    private static string Text(MasterState state) => JsonSerializer.Serialize(
        state with
        {
            Jobs = ImmutableDictionary<string, Job>.Empty,
            Packages = ImmutableDictionary<string, PackageRecord>.Empty,
            Unreadable = ImmutableDictionary<string, UnreadablePackage>.Empty,
        },
        QuartersJson.Default.MasterState)
        + string.Concat(
            state.Jobs.Values.OrderBy(j => j.Id, StringComparer.Ordinal).Select(j => JsonSerializer.Serialize(
            Projection.Job(state, j), QuartersJson.Default.JobDocument)))
        + string.Concat(state.Packages.Keys.Order(StringComparer.Ordinal).Select(p => JsonSerializer.Serialize(
            Projection.Package(state, p), QuartersJson.Default.PackageDocument)));
}
