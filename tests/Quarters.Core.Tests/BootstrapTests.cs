using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests;

/// <summary>Bootstraps, from the choice of packages to merge or drop.</summary>
public class BootstrapTests
{
    private readonly Farm _farm = new();
    private int _signals;

    public BootstrapTests()
    {
        // A compiler and a C library that need each other; the seed has some of both.
        _farm.Pin("x86_64", ("tcc", "0.8-1"), ("musl", "1.1-1"), ("base-devel", "1-1"));
        _farm.Commit("musl 1.2-1 tcc", "tcc 0.9-1 tcc musl", "make 4-1 tcc musl");
    }

    [Fact]
    public void Each_stage_installs_from_the_stage_before_and_the_seed_until_two_have_the_same_bytes()
    {
        Begin(Wish());
        Assert.Equal(["b-stage1", "base"], Repositories("b-stage1"));
        BuildStage("b-stage1", generation: 1);
        Assert.Equal("b-stage1", Assert.Single(Bootstraps.Due(_farm.State)).Stage.Name);
        Finish(differing: 3);
        Assert.Equal(["b-stage2", "b-stage1", "base"], Repositories("b-stage2"));
        BuildStage("b-stage2", generation: 2);
        Finish(differing: 1);
        Assert.Equal(["b-stage3", "b-stage2", "base"], Repositories("b-stage3"));
        // What nobody builds against any more is gone.
        Assert.DoesNotContain("b-stage1", _farm.State.Rebuilds.Keys);
        Assert.DoesNotContain(_farm.State.Repositories.Values, one => one.Name == "b-stage1");
        BuildStage("b-stage3", generation: 2);
        Finish(differing: 0);
        var status = Status();
        Assert.Equal((BootstrapOutcome.Fixpoint, 3, 3), (status.Outcome, status.Stage, status.Built));
        Assert.Equal([1, 2, 3], status.Finished.Select(stage => stage.Number));
        Assert.Empty(Bootstraps.Due(_farm.State));
        Assert.DoesNotContain(_farm.State.Jobs.Values, job => job.IsStaged && job.IsOpen);
    }

    [Fact]
    public void Within_a_stage_all_wait_for_each_other_but_where_the_cycle_is_cut()
    {
        Begin(Wish());
        Publish("b-stage1");
        // One of the two begins, against the seed's other; who waits for both waits for the new ones.
        var first = Assert.Single(Staged("b-stage1", JobStatus.Ready));
        Assert.Contains(first.Pkgbase, (string[])["musl", "tcc"]);
        Assert.Equal([first.Pkgbase == "tcc" ? "musl" : "tcc"], first.BuiltAgainstOlder);
        Build(first.Pkgbase, "b-stage1", 1);
        var second = Assert.Single(Staged("b-stage1", JobStatus.Ready));
        Assert.Empty(second.BuiltAgainstOlder);
        Build(second.Pkgbase, "b-stage1", 1);
        Assert.Equal(["make"], Staged("b-stage1", JobStatus.Ready).Select(job => job.Pkgbase));
    }

    [Fact]
    public void A_dry_run_tells_the_cuts_that_the_first_stage_then_has()
    {
        // Where it costs least is another place than where the seed has something older.
        _farm.Commit("left 1-1 right", "right 1-1 left", "top 1-1 left right");
        _farm.Pin("x86_64", ("tcc", "0.8-1"), ("musl", "1.1-1"), ("base-devel", "1-1"), ("left", "1-1"));
        var told = Send(Wish() with { DryRun = true });
        Assert.Null(told.Refusal);
        Begin(Wish());
        var cut = _farm.State.Jobs.Values.Where(job => job.Rebuild == "b-stage1")
            .SelectMany(job => job.Cut.Select(older =>
                $"{job.Pkgbase} is built against the older {older}, which waits for it (makedepends)"))
            .Order(StringComparer.Ordinal).ToList();
        Assert.Equal(2, cut.Count);
        Assert.Contains("right is built against the older left, which waits for it (makedepends)", cut);
        Assert.Equal(
            cut, told.Details.Where(line => line.Contains("older", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_its_seed_a_stage_is_stuck_and_says_so_until_the_seed_is_back()
    {
        Begin(Wish());
        Assert.Equal(BootstrapOutcome.Building, Status().Outcome);
        var settings = _farm.State.Settings!;
        _farm.Apply(new Configured(settings with { Outside = [] }));
        Assert.Equal(BootstrapOutcome.Stuck, Status().Outcome);
        Assert.Equal(
            "the seed base is not in the configuration any more: put it back, or drop the bootstrap",
            Status().NotBuilt[0]);
        _farm.Apply(new Configured(settings));
        _farm.Pin("x86_64", ("tcc", "0.8-1"), ("musl", "1.1-1"), ("base-devel", "1-1"));
        Assert.Equal(BootstrapOutcome.Building, Status().Outcome);
    }

    [Fact]
    public void What_is_published_here_is_no_part_of_it_and_what_is_built_every_day_goes_on()
    {
        foreach (var pkgbase in (string[])["tcc", "musl", "make"]) _farm.Build(pkgbase);
        _farm.Apply(new RepositoryPublished("core", "x86_64", new string('e', 64), 1));
        Begin(Wish());
        Publish("b-stage1");
        Assert.Equal(["b-stage1", "base"], Repositories("b-stage1"));
        Assert.Equal(["core", "base"], Snapshots.Of(_farm.State, "x86_64")!.Repositories.Select(one => one.Name));
        var job = Staged("b-stage1", JobStatus.Ready).Single();
        Assert.Null(Snapshots.FindFault(
            _farm.State, job, Snapshots.Of(_farm.State, "x86_64", "b-stage1")!.Id));
        Assert.NotNull(Snapshots.FindFault(_farm.State, job, Snapshots.Of(_farm.State, "x86_64")!.Id));
        // A commit is built for users, and the stages keep to the source that they began with.
        _farm.Commit("make 5-1 tcc musl");
        Assert.Equal("5-1", _farm.Job("make").Version);
        Assert.Contains("make", _farm.Ready);
        BuildStage("b-stage1", 1);
        Finish(differing: 3);
        Assert.Equal("4-1", _farm.State.Rebuilds["b-stage2"].Members["make"].Source!.Version);
    }

    [Fact]
    public void What_neither_the_set_nor_the_seed_has_is_told_before_anything_is_built()
    {
        _farm.Commit("gnat 12-1 gnat", "hello 1-1 gtk", "world 1-1 hello", "lock 1-1 key", "key 1-1 lock");
        var refused = Send(Wish());
        Assert.Equal("5 of 8 packages cannot be reached from the seed", refused.Refusal);
        Assert.Equal(
            [
                "gnat cannot be reached: it needs gnat, which it makes itself, and the seed has none",
                "hello cannot be reached: it needs gtk, which neither the set makes nor the seed has",
                "key cannot be reached: it needs lock of lock, which is not reached itself, and the seed has none",
                "lock cannot be reached: it needs key of key, which is not reached itself, and the seed has none",
                "world cannot be reached: it needs hello of hello, which is not reached itself, and the seed has none",
            ],
            refused.Details);
        var begun = Send(Wish() with { LeaveUnreachable = true });
        Assert.Null(begun.Refusal);
        Assert.Contains(begun.Details, line => line.EndsWith("; it is left out", StringComparison.Ordinal));
        Assert.Equal(["make", "musl", "tcc"], _farm.State.Rebuilds["b-stage1"].Members.Keys);
    }

    [Fact]
    public void What_is_for_any_architecture_is_there_for_the_second_too()
    {
        var farm = new Farm("x86_64", "aarch64");
        farm.Commit("scripts 1-1 gcc @any", "hello 1-1 scripts", "world 1-1 scripts @aarch64");
        var begun = Send(Wish(), farm);
        Assert.True(begun.Refusal is null, begun.Refusal + string.Concat(begun.Details));
        Assert.Equal(["hello", "scripts", "world"], farm.State.Rebuilds["b-stage1"].Members.Keys);
    }

    [Fact]
    public void Who_needs_what_the_second_architecture_leaves_out_is_left_out_on_the_first_too()
    {
        var farm = new Farm("x86_64", "aarch64");
        farm.Pin("x86_64", ("gcc", "12-1"), ("yasm", "1-1"));
        var codec = farm.Package("main", "codec 1-1 yasm") with { Architectures = ["x86_64", "aarch64"] };
        farm.Apply(new SourcePolled(new SourceReport
        {
            Source = "main",
            Cursor = "1",
            Changed =
            [
                codec, farm.Package("main", "player 1-1 codec"), farm.Package("main", "skins 1-1 player @any"),
                farm.Package("main", "tool 1-1 gcc"),
            ],
        }));
        var begun = Send(Wish() with { LeaveUnreachable = true }, farm);
        Assert.Null(begun.Refusal);
        Assert.Equal(["tool"], farm.State.Rebuilds["b-stage1"].Members.Keys);
        Assert.Equal(
            [
                "codec cannot be reached: it needs yasm, which neither the set makes nor the seed has; it is left out",
                "player cannot be reached: it needs codec, which neither the set makes nor the seed has; it is left "
                    + "out",
                "skins cannot be reached: it needs player of player, which is not reached itself, and the seed has none"
                    + "; it is left out",
            ],
            begun.Details.Where(line => line.Contains("left out", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_was_left_out_and_why_stays_with_it()
    {
        _farm.Commit("gnat 12-1 gnat");
        _farm.Apply(new PackageHeld("make", "it is broken"));
        Begin(Wish() with { LeaveUnreachable = true });
        string[] left =
        [
            "make is left out: it is held (it is broken)",
            "gnat cannot be reached: it needs gnat, which it makes itself, and the seed has none; it is left out",
        ];
        Assert.Equal(left, Status().LeftOut);
        BuildStage("b-stage1", 1);
        Finish(differing: 2);
        Assert.Equal((2, 0), (Status().Stage, Status().MoreLeftOut));
        Assert.Equal(left, Status().LeftOut);
    }

    [Fact]
    public void Of_very_much_that_was_left_out_the_first_is_told_and_how_much_more_there_is()
    {
        _farm.Commit([.. Enumerable.Range(0, 203).Select(i => $"p{i:000} 1-1 nobody")]);
        Begin(Wish() with { LeaveUnreachable = true });
        Assert.Equal((200, 3), (Status().LeftOut.Length, Status().MoreLeftOut));
    }

    [Fact]
    public void A_journal_from_before_what_was_left_out_stood_in_it_is_read()
    {
        var before = """
            {"kind":"bootstrapBegun","name":"b","seeds":["base"],"pkgbases":["make","musl","tcc"],"maxStages":5}
            """;
        _farm.Apply(System.Text.Json.JsonSerializer.Deserialize(before, QuartersJson.Default.MasterEvent)!);
        Assert.Empty(Status().LeftOut);
    }

    [Fact]
    public void A_stage_that_is_built_and_cannot_be_read_is_stuck_and_says_why_until_it_can()
    {
        Begin(Wish());
        BuildStage("b-stage1", 1);
        // Of another stage it says nothing.
        _farm.Apply(new StageUnreadable("b", 2, "make is gone"));
        Assert.Equal(BootstrapOutcome.Building, Status().Outcome);
        _farm.Apply(new StageUnreadable("b", 1, "tcc is gone"));
        Assert.Equal((BootstrapOutcome.Stuck, 3), (Status().Outcome, Status().Built));
        Assert.Equal(["tcc is gone"], Status().NotBuilt);
        Finish(differing: 3);
        Assert.Equal((BootstrapOutcome.Building, 2), (Status().Outcome, Status().Stage));
        Assert.Null(_farm.State.Bootstraps["b"].Problem);
    }

    [Theory]
    [InlineData("list", "base", 1, "a bootstrap's name must be")]
    [InlineData("b", "core", 1, "core is no repository of others")]
    [InlineData("b", "base", 0, "a bootstrap has from 1 to 100 stages")]
    [InlineData("core", "base", 1, "core is the name of a rebuild or repository already")]
    public void What_cannot_be_is_refused_in_words(string name, string seed, int stages, string words)
    {
        var refused = Send(Wish() with { Name = name, Seeds = [seed], MaxStages = stages });
        Assert.StartsWith(words, refused.Refusal, StringComparison.Ordinal);
        Assert.Empty(_farm.State.Bootstraps);
    }

    [Fact]
    public void It_stops_where_nothing_can_be_built_any_more_says_why_and_goes_on_when_that_is_mended()
    {
        Begin(Wish());
        Publish("b-stage1");
        var first = Staged("b-stage1", JobStatus.Ready).Single();
        Fail();
        // The others are built against what the seed has of it, which is a reason to try it again.
        Assert.Equal(BootstrapOutcome.Building, Status().Outcome);
        while (Staged("b-stage1", JobStatus.Ready) is [var next, ..])
        {
            if (next.Pkgbase == first.Pkgbase) Fail();
            else Build(next.Pkgbase, "b-stage1", 1);
        }

        var status = Status();
        Assert.Equal((BootstrapOutcome.Stuck, 2), (status.Outcome, status.Built));
        Assert.Contains("no such register", Assert.Single(status.NotBuilt), StringComparison.Ordinal);
        Assert.Empty(Bootstraps.Due(_farm.State));
        _farm.Apply(new Retried(first.Pkgbase, "an operator asked for it"));
        BuildStage("b-stage1", 1);
        Assert.Single(Bootstraps.Due(_farm.State));

        void Fail()
        {
            var job = _farm.State.Jobs[first.Id];
            _farm.Apply(new ClaimSeen(job.Id, job.Attempt, "anna"));
            _farm.Apply(new AttemptFailed("anna", _farm.Result(_farm.State.Jobs[job.Id], ResultOutcome.Failed) with
            {
                Failure = new BuildFailure
                {
                    Stage = "build",
                    Kind = FailureKind.Package,
                    Message = "no such register",
                },
            }));
        }
    }

    [Fact]
    public void The_last_stage_is_published_as_a_whole_and_nothing_of_the_same_name_changes()
    {
        Begin(Wish() with { MaxStages = 2 });
        Assert.Equal("stage 1 is not built yet: quarters bootstrap show b", Send(Merge()).Refusal);
        Assert.Contains("is a stage of the bootstrap b", Send(Merge() with { Name = "b-stage1" }).Refusal,
            StringComparison.Ordinal);
        BuildStage("b-stage1", 1);
        Finish(differing: 3);
        BuildStage("b-stage2", 2);
        Finish(differing: 2);
        Assert.Equal(BootstrapOutcome.Limit, Status().Outcome);
        Assert.Null(Send(Merge()).Refusal);
        Assert.Empty(_farm.State.Bootstraps);
        Assert.Empty(_farm.State.Rebuilds);
        Assert.Equal(
            [Digest("make", 2), Digest("musl", 2), Digest("tcc", 2)],
            _farm.State.Repositories["core/x86_64"].Packages.Values.Select(package => package.Sha256));
        Assert.Empty(_farm.Ready);

        // The same again changes nothing; other bytes under the same name are refused.
        Begin(Wish());
        BuildStage("b-stage1", 2);
        Finish(differing: 3);
        BuildStage("b-stage2", 3);
        Finish(differing: 0);
        Assert.Equal("what is published is as new, and no file of that name may change", Send(Merge()).Refusal);
        Assert.Null(Send(new DropRebuild { Id = $"s{++_signals}", Time = default, Name = "b" }).Refusal);
        Assert.Empty(_farm.State.Bootstraps);
        Assert.DoesNotContain(_farm.State.Jobs.Values, job => job.IsStaged && job.IsOpen);
    }

    [Fact]
    public void A_package_whose_failure_was_told_recovers_with_the_merge()
    {
        var broken = _farm.Ready.First();
        Break();
        Begin(Wish() with { MaxStages = 1 });
        BuildStage("b-stage1", 1);
        Finish(differing: 3);
        Assert.Equal([NoticeKind.Failed], Told());
        Assert.Null(Send(Merge()).Refusal);
        Assert.Equal([NoticeKind.Failed, NoticeKind.Recovered], Told());
        _farm.Commit($"{broken} 9-1");
        Break();
        Assert.Equal([NoticeKind.Failed, NoticeKind.Recovered, NoticeKind.Failed], Told());

        IEnumerable<NoticeKind> Told() => _farm.State.Notices[FeedName.Failures].Select(notice => notice.Kind);

        void Break()
        {
            _farm.Begin(broken);
            _farm.Fail(broken, FailureKind.Package);
            Assert.Equal(JobStatus.Failed, _farm.Job(broken).Status);
        }
    }

    [Fact]
    public void A_state_that_was_stored_in_the_middle_goes_on_as_if_it_had_not_been()
    {
        Begin(Wish());
        Publish("b-stage1");
        Build(Staged("b-stage1", JobStatus.Ready).Single().Pkgbase, "b-stage1", 1);
        var stored = System.Text.Json.JsonSerializer.Serialize(_farm.State, QuartersJson.Default.MasterState);
        var restored = MasterMachine.Restore(
            System.Text.Json.JsonSerializer.Deserialize(stored, QuartersJson.Default.MasterState)!,
            pinned => _farm.State.Outside[MasterState.RepositoryKey(pinned.Name, pinned.Architecture)].Index,
            _farm.Now);
        Assert.Equal(_farm.State.Ready, restored.Ready);
        Assert.Equal(_farm.State.Blocked, restored.Blocked);
        Assert.Equal(
            Snapshots.Of(_farm.State, "x86_64", "b-stage1")!.Id, Snapshots.Of(restored, "x86_64", "b-stage1")!.Id);
    }

    private static string Digest(string pkgbase, int generation) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{pkgbase} {generation}")));

    private BeginBootstrap Wish() => new()
    {
        Id = $"s{++_signals}",
        Time = default,
        Name = "b",
        Seeds = ["base"],
        MaxStages = 5,
    };

    private MergeRebuild Merge() => new() { Id = $"s{++_signals}", Time = default, Name = "b" };

    private SignalOutcome Send(Signal signal, Farm? to = null)
    {
        var farm = to ?? _farm;
        foreach (var happens in Signals.Settle(farm.State, signal)) farm.Apply(happens);
        return farm.State.Signals[signal.Id];
    }

    private void Begin(BeginBootstrap wish)
    {
        var outcome = Send(wish);
        Assert.True(outcome.Refusal is null, outcome.Refusal + string.Concat(outcome.Details));
        Publish("b-stage1");
    }

    private void Publish(string repository) => _farm.Apply(new RepositoryPublished(
        repository, "x86_64",
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            repository + string.Concat(Bootstraps.PackagesOf(_farm.State, repository).Select(one => one.Sha256))))),
        1));

    private IEnumerable<string> Repositories(string stage) =>
        Snapshots.Of(_farm.State, "x86_64", stage)!.Repositories.Select(repository => repository.Name);

    private List<Job> Staged(string stage, JobStatus status) =>
        [.. _farm.State.Jobs.Values.Where(job => job.Rebuild == stage && job.Status == status)
            .OrderBy(job => job.Id, StringComparer.Ordinal)];

    private void Build(string pkgbase, string stage, int generation)
    {
        var job = _farm.State.Jobs.Values.Single(one => one.Rebuild == stage && one.Pkgbase == pkgbase);
        _farm.Apply(new ClaimSeen(job.Id, job.Attempt, "anna"));
        _farm.Apply(new ResultAccepted(
            "anna", _farm.Result(job, ResultOutcome.Built) with
            {
                Snapshot = Snapshots.Of(_farm.State, "x86_64", stage)!.Id,
            },
            [new RepositoryPackage
            {
                Name = pkgbase,
                Pkgbase = pkgbase,
                Version = job.Version,
                Architecture = "x86_64",
                FileName = $"{pkgbase}-{job.Version}-x86_64.pkg.tar.zst",
                Sha256 = Digest(pkgbase, generation),
                Bytes = 10,
                Job = job.Id,
            }]));
        Publish(stage);
    }

    private void BuildStage(string stage, int generation)
    {
        while (Staged(stage, JobStatus.Ready) is [var next, ..]) Build(next.Pkgbase, stage, generation);
    }

    private void Finish(int differing)
    {
        var (bootstrap, stage) = Bootstraps.Due(_farm.State).Single();
        _farm.Apply(new StageFinished(bootstrap.Name, new FinishedStage
        {
            Number = bootstrap.Stage,
            Begun = stage.Begun,
            Finished = _farm.Now,
            Packages = 3,
            Differing = differing,
        }));
        if (_farm.State.Bootstraps["b"].End is null) Publish($"b-stage{bootstrap.Stage + 1}");
    }

    private BootstrapStatus Status() => Assert.Single(Bootstraps.Document(_farm.State).Bootstraps);
}
