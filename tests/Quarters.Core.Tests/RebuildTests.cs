using System.Collections.Immutable;
using CsCheck;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests;

/// <summary>Named mass rebuilds, from the choice of packages to merge or drop.</summary>
public class RebuildTests
{
    private int _signals;

    [Theory]
    [InlineData("1.0-1", null, BumpKind.Fraction, "1.1")]
    [InlineData("1.0-1", "1.0-1", BumpKind.Fraction, "1.1")]
    [InlineData("1.0-1", "1.0-1.1", BumpKind.Fraction, "1.2")]
    [InlineData("2:1.0-3", "2:1.0-3", BumpKind.Fraction, "3.1")]
    [InlineData("1.0-2", "1.0-1.4", BumpKind.Fraction, "2.1")]
    [InlineData("1.0-1", "1.0-1.1", BumpKind.Integer, "2")]
    [InlineData("1.0-1", "0.9-7", BumpKind.Integer, "2")]
    public void A_release_is_raised_above_the_sources_and_the_published_one(
        string version, string? published, BumpKind bump, string release)
    {
        Assert.Equal(release, Release.Next(version, published, bump));
        var next = Release.With(version, release);
        Assert.True(PackageVersion.Compare(next, version) > 0);
        if (published is not null) Assert.True(PackageVersion.Compare(next, published) > 0);
    }

    [Fact]
    public void A_rebuild_is_built_in_order_in_its_own_repository_and_merged_at_once()
    {
        var farm = NewFarm();
        Begin(farm, Wish() with { DependentsOf = ["onig"], Names = ["onig"] });
        Assert.Empty(farm.Ready);
        Assert.Equal(
            ["onig is in the rebuild r: its source package is being made.", "onig 1-1 for x86_64 is built."],
            Why.Of(farm.State, "onig"));
        Prepare(farm);
        Assert.Equal(["onig"], farm.Ready);
        Assert.Equal("1-1.1", farm.Job("onig").Version);
        Assert.Equal(
            [
                $"onig is in the rebuild r: it is built from {new string('1', 64)}, which differs from its source by",
                "  -pkgrel=1",
                "  +pkgrel=1.1",
                "onig 1-1.1 for x86_64 is ready.",
                "Waiting for it: jq.",
            ],
            Why.Of(farm.State, "onig"));
        BuildSide(farm, "onig");
        // Against what the rebuild built, and only that snapshot counts.
        Assert.Equal(["jq"], farm.Ready);
        var job = farm.Job("jq");
        Assert.NotNull(Snapshots.FindFault(farm.State, job, Snapshots.Of(farm.State, "x86_64")!.Id));
        var side = Snapshots.Of(farm.State, "x86_64", "r")!;
        Assert.Equal(["r", "core", "base"], side.Repositories.Select(repository => repository.Name));
        Assert.Null(Snapshots.FindFault(farm.State, job, side.Id));

        var refused = Send(farm, new MergeRebuild { Id = Id(), Time = default, Name = "r" });
        Assert.Contains("1 of 2 packages are not built", refused.Refusal, StringComparison.Ordinal);
        Assert.Equal(["jq is not built: it is ready"], refused.Details);
        Assert.Equal(["jq 1-1", "onig 1-1", "zlib 1-1"], Names(farm, "core"));
        BuildSide(farm, "jq");
        Assert.Null(Send(farm, new MergeRebuild { Id = Id(), Time = default, Name = "r" }).Refusal);
        Assert.Equal(["jq 1-1.1", "onig 1-1.1", "zlib 1-1"], Names(farm, "core"));
        Assert.Empty(farm.State.Rebuilds);
        Assert.DoesNotContain("r/x86_64", farm.State.Repositories.Keys);
        farm.Apply(new Configured(farm.State.Settings!));
        Assert.Empty(farm.Ready);

        var undo = new UndoChange { Id = Id(), Time = default, Revision = farm.State.Changes[^1].Revision };
        Assert.Null(Send(farm, undo).Refusal);
        Assert.Equal(["jq 1-1", "onig 1-1", "zlib 1-1"], Names(farm, "core"));
        Assert.Empty(farm.Ready);
    }

    [Fact]
    public void A_newer_source_version_supersedes_its_bump_and_is_built_nowhere_else()
    {
        var farm = NewFarm();
        Begin(farm, Wish() with { Names = ["onig", "jq"] });
        Prepare(farm);
        farm.Commit("onig 2-1");
        var wish = Assert.Single(Rebuilds.Pending(farm.State));
        Assert.Null(wish.Release);
        Prepare(farm);
        Assert.Equal("onig is in the rebuild r: it is built as its source has it.", Why.Of(farm.State, "onig")[0]);
        Assert.Equal(["onig"], farm.Ready);
        Assert.Equal("2-1", farm.Job("onig").Version);
        Assert.Equal("r", farm.Job("onig").Rebuild);
        BuildSide(farm, "onig");
        BuildSide(farm, "jq");
        Assert.Null(Send(farm, new MergeRebuild { Id = Id(), Time = default, Name = "r" }).Refusal);
        Assert.Equal(["jq 1-1.1", "onig 2-1", "zlib 1-1"], Names(farm, "core"));

        // Taken back, it stays so: the source's version is not built again at once.
        var undo = new UndoChange { Id = Id(), Time = default, Revision = farm.State.Changes[^1].Revision };
        Assert.Null(Send(farm, undo).Refusal);
        farm.Apply(new Configured(farm.State.Settings!));
        Assert.Empty(farm.Ready);
        Assert.Equal(["jq 1-1", "onig 1-1", "zlib 1-1"], Names(farm, "core"));
        farm.Commit("onig 3-1");
        Assert.Equal(["onig"], farm.Ready);
    }

    [Fact]
    public void What_is_dropped_is_forgotten_and_what_is_new_is_built_as_ever()
    {
        var farm = NewFarm();
        Begin(farm, Wish() with { Names = ["onig", "jq"] });
        Prepare(farm);
        farm.Commit("onig 2-1");
        Prepare(farm);
        farm.Begin("onig");
        Assert.Null(Send(farm, new DropRebuild { Id = Id(), Time = default, Name = "r" }).Refusal);
        Assert.Equal(["jq 1-1", "onig 1-1", "zlib 1-1"], Names(farm, "core"));
        Assert.Equal(["onig"], farm.Ready);
        Assert.Equal(("2-1", 2, null), (farm.Job("onig").Version, farm.Job("onig").Attempt, farm.Job("onig").Rebuild));
        farm.Build("onig");
        Assert.Contains("onig 2-1", Names(farm, "core"));
        Assert.Contains("no rebuild", Send(
            farm, new DropRebuild { Id = Id(), Time = default, Name = "r" }).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_does_not_stop_the_rest_and_the_rest_can_be_merged_without_it()
    {
        var farm = NewFarm();
        Begin(farm, Wish() with { Names = ["zlib", "jq"] });
        Prepare(farm);
        Assert.Equal(["jq", "zlib"], farm.Ready.Order());
        farm.Begin("zlib");
        farm.Fail("zlib", FailureKind.Package);
        BuildSide(farm, "jq");
        Assert.Contains("zlib is not built", Assert.Single(Send(
            farm, new MergeRebuild { Id = Id(), Time = default, Name = "r" }).Details), StringComparison.Ordinal);
        Assert.Null(Send(
            farm, new MergeRebuild { Id = Id(), Time = default, Name = "r", BuiltOnly = true }).Refusal);
        Assert.Equal(["jq 1-1.1", "onig 1-1", "zlib 1-1"], Names(farm, "core"));
    }

    [Fact]
    public void A_choice_that_cannot_be_is_refused_with_the_reason()
    {
        var farm = NewFarm();
        Assert.Contains("no source holds nothing", Send(farm, Wish() with { Names = ["nothing"] }).Refusal,
            StringComparison.Ordinal);
        Assert.Contains("name of a repository", Send(farm, Wish() with { Name = "core", All = true }).Refusal,
            StringComparison.Ordinal);
        Assert.Contains("no package is chosen", Send(farm, Wish() with { Sonames = ["libz.so=9-64"] }).Refusal,
            StringComparison.Ordinal);
        var dry = Send(farm, Wish() with { All = true, DryRun = true });
        Assert.Contains(dry.Details, line => line.Contains("jq 1-1 -> 1-1.1", StringComparison.Ordinal));
        Assert.Empty(farm.State.Rebuilds);
        Begin(farm, Wish() with { Repository = "core" });
        Assert.Contains("is in the rebuild r", Send(farm, Wish() with { Name = "s", All = true }).Details[0],
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_published_newer_than_its_source_is_left_out_since_it_could_never_be_merged()
    {
        var farm = NewFarm();
        farm.Commit("onig 2-1");
        farm.Build("onig");
        farm.Commit("onig 1-1");
        var begun = Send(farm, Wish() with { Names = ["onig", "jq"] });
        Assert.Null(begun.Refusal);
        Assert.Equal("onig is left out: what is published, 2-1, is newer than its source", begun.Details[0]);
        Assert.Equal(["jq"], farm.State.Rebuilds["r"].Members.Keys);
        Assert.DoesNotContain(begun.Details.Skip(1), line => line.Contains("onig", StringComparison.Ordinal));
    }

    [Fact]
    public void What_a_repository_holds_and_no_source_is_left_out_and_told()
    {
        var farm = NewFarm();
        farm.Apply(new RepositoriesChanged(
            [
                new Replacement("core", "x86_64", "alien", null, new RepositoryPackage
                {
                    Name = "alien",
                    Pkgbase = "alien",
                    Version = "1-1",
                    Architecture = "x86_64",
                    FileName = "alien-1-1-x86_64.pkg.tar.zst",
                    Sha256 = new string('f', 64),
                    Bytes = 10,
                    NeededSonames = ["libz.so=1-64"],
                }),
            ],
            ""));
        var alone = Send(farm, Wish() with { Sonames = ["libz.so=1-64"] });
        Assert.Contains("no package is chosen", alone.Refusal, StringComparison.Ordinal);
        Assert.Equal(["alien is left out: no source holds it"], alone.Details);
        var begun = Send(farm, Wish() with { Repository = "core" });
        Assert.Null(begun.Refusal);
        Assert.Equal("alien is left out: no source holds it", begun.Details[0]);
        Assert.Equal(["jq", "onig", "zlib"], farm.State.Rebuilds["r"].Members.Keys);
    }

    [Theory]
    [InlineData(true, NoticeKind.RebuildMerged)]
    [InlineData(false, NoticeKind.RebuildDropped)]
    public void People_are_told_of_a_rebuild_and_not_of_its_packages(bool isMerged, NoticeKind end)
    {
        var farm = NewFarm();
        var before = farm.State.Notices["repositories/core"].Count;
        Begin(farm, Wish() with { Names = ["onig", "zlib", "jq"] });
        var begun = farm.State.Notices["repositories/core"][^1];
        Assert.Equal(
            (NoticeKind.RebuildBegun, "r", new RebuildCount(3, 0, 0)), (begun.Kind, begun.Subject, begun.Count));
        Prepare(farm);
        farm.Begin("zlib");
        farm.Fail("zlib", FailureKind.Package);
        BuildSide(farm, "onig");
        BuildSide(farm, "jq");
        Assert.Null(Send(farm, isMerged
            ? new MergeRebuild { Id = Id(), Time = default, Name = "r", BuiltOnly = true }
            : new DropRebuild { Id = Id(), Time = default, Name = "r" }).Refusal);

        // One notice all the way, with the name that it had from the beginning.
        Assert.Equal(before + 1, farm.State.Notices["repositories/core"].Count);
        var ended = farm.State.Notices["repositories/core"][^1];
        Assert.Equal((end, new RebuildCount(3, 2, 1)), (ended.Kind, ended.Count));
        Assert.Equal((begun.Revision, begun.Number, begun.Told), (ended.Revision, ended.Number, ended.Told));
        Assert.True(ended.Updated > begun.Updated);
        Assert.DoesNotContain(FeedName.Failures, farm.State.Notices.Keys);
        Assert.Equal(3, farm.State.Notices["packagers/jane@example.org"].Count);
    }

    [Fact]
    public void A_package_whose_failure_was_told_recovers_with_the_merge_of_the_rebuild_that_built_it()
    {
        var farm = NewFarm();
        farm.Commit("zlib 2-1");
        farm.Begin("zlib");
        farm.Fail("zlib", FailureKind.Package);
        Assert.Equal(NoticeKind.Failed, Assert.Single(farm.State.Notices[FeedName.Failures]).Kind);
        Begin(farm, Wish() with { Names = ["zlib"] });
        Prepare(farm);
        BuildSide(farm, "zlib");
        Assert.Single(farm.State.Notices[FeedName.Failures]);
        Assert.Null(Send(farm, new MergeRebuild { Id = Id(), Time = default, Name = "r" }).Refusal);
        Assert.Equal(
            [NoticeKind.Failed, NoticeKind.Recovered],
            farm.State.Notices[FeedName.Failures].Select(notice => notice.Kind));
        Assert.Empty(farm.State.Packages["zlib"].ToldFailures);
    }

    [Fact]
    public void A_rebuild_is_the_same_after_it_was_written_and_read()
    {
        var farm = NewFarm();
        Begin(farm, Wish() with { Names = ["onig", "jq"] });
        Prepare(farm);
        BuildSide(farm, "onig");
        var bytes = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
            farm.State, QuartersJson.Default.MasterState);
        var stored = System.Text.Json.JsonSerializer.Deserialize(bytes, QuartersJson.Default.MasterState)!;
        var read = MasterMachine.Restore(
            stored, pinned => farm.State.Outside[$"{pinned.Name}/{pinned.Architecture}"].Index, farm.Now);
        Assert.Equal(farm.State.Ready, read.Ready);
        Assert.Equal(["jq"], read.Ready.Select(id => read.Jobs[id].Pkgbase));
        Assert.Equal(farm.State.Queue.Select(place => place.Job), read.Queue.Select(place => place.Job));
    }

    [Fact]
    public void Who_needs_a_package_on_the_second_architecture_only_is_rebuilt_after_it_too()
    {
        var farm = new Farm("x86_64", "aarch64");
        farm.Apply(new SourcePolled(new SourceReport
        {
            Source = "main",
            Cursor = "1",
            Changed =
            [
                On("aarch64", farm.Package("main", "app 1-1"), depends: ["libssl"]),
                On("aarch64", farm.Package("main", "openssl 1-1"), provides: ["libssl"]),
                On("x86_64", farm.Package("main", "libressl 1-1"), provides: ["libssl"]),
                On("x86_64", farm.Package("main", "tool 1-1"), depends: ["libssl"]),
            ],
        }));
        Assert.Equal(["1 openssl", "2 app"], Planned("openssl"));
        Assert.Equal(["1 libressl", "2 tool"], Planned("libressl"));

        IEnumerable<string> Planned(string name) => Plan(farm, Wish() with { Names = [name], DependentsOf = [name] });
    }

    [Fact]
    public void Who_only_needs_a_package_to_run_is_rebuilt_too_but_waits_for_nobody()
    {
        var farm = new Farm();
        var plugin = farm.Package("main", "plugin 1-1");
        farm.Apply(new SourcePolled(new SourceReport
        {
            Source = "main",
            Cursor = "1",
            Changed =
            [
                plugin with { Packages = [plugin.Packages[0] with { Depends = ["app"] }] },
                farm.Package("main", "app 1-1 plugin"), farm.Package("main", "theme 1-1 app"),
            ],
        }));
        Assert.Equal(["1 plugin", "1 theme"], Plan(farm, Wish() with { DependentsOf = ["app"] }));
        // Nothing is built against something older, and the master plans it alike.
        Assert.Equal(["1 plugin", "2 app", "3 theme"], Plan(farm, Wish() with { All = true }));
        Assert.Equal(["plugin"], farm.Ready);
    }

    [Fact]
    public void The_order_of_any_plan_has_each_after_all_that_it_needs_but_where_a_cycle_is_cut()
    {
        var edges = Gen.Select(Gen.Int[0, 19], Gen.Int[0, 19], Gen.Int[0, 2]).Array[0, 60];
        Gen.Select(edges, Gen.Int[0, 19].Array[0, 20]).Sample((all, chosen) =>
        {
            var graph = new DependencyGraph(
                [.. Enumerable.Range(0, 20).Select(n => new GraphNode($"p{n:00}", n))],
                all.Select(e => new GraphEdge(e.Item1, e.Item2, (DependencyKind)e.Item3)));
            PlanChecker.Check(graph, RebuildPlan.Of(graph, chosen), chosen.Select(n => $"p{n:00}").ToHashSet());
        }, iter: 1000);
    }

    [Fact]
    public void What_was_built_against_something_older_is_built_once_more_in_the_end_and_nothing_else()
    {
        var farm = new Farm();
        farm.Commit("gcc 12-1", "glibc 2-1 gcc", "binutils 2-1 glibc");
        foreach (var pkgbase in (string[])["gcc", "glibc", "binutils"]) farm.Build(pkgbase);
        farm.Commit("gcc 12-2 glibc binutils");
        farm.Build("gcc");
        farm.Apply(new RepositoryPublished("core", "x86_64", new string('e', 64), 1));
        var begun = Send(farm, Wish() with { All = true, Settle = true });
        Assert.Contains("then once more, against what was built: glibc", begun.Details);
        Prepare(farm);
        Assert.Equal(["glibc"], farm.Ready);
        BuildSide(farm, "glibc");
        BuildSide(farm, "binutils");
        Assert.Empty(Settling.Due(farm.State));
        BuildSide(farm, "gcc");
        Assert.Equal(["gcc"], farm.Job("glibc").BuiltAgainstOlder);
        Assert.Equal("glibc are about to be built once more", Send(farm, Merge()).Refusal);

        var due = Assert.Single(Settling.Due(farm.State));
        Assert.Equal(["glibc"], due.Pkgbases);
        farm.Apply(due);
        Assert.Empty(Settling.Due(farm.State));
        Assert.Empty(farm.Ready);
        Prepare(farm);
        // With a higher release, since no file of a name changes; against the new gcc, for which it does not wait.
        Assert.Equal(["glibc"], farm.Ready);
        Assert.Equal("2-1.2", farm.Job("glibc").Version);
        BuildSide(farm, "glibc");
        Assert.Empty(farm.Job("glibc").BuiltAgainstOlder);
        Assert.Empty(Settling.Due(farm.State));
        Assert.Empty(farm.Ready);
        Assert.Null(Send(farm, Merge()).Refusal);
        Assert.Equal(
            ["binutils 2-1.1", "gcc 12-2.1", "glibc 2-1.2"],
            farm.State.Repositories["core/x86_64"].Packages.Values.Select(one => $"{one.Name} {one.Version}"));
    }

    [Fact]
    public void A_rebuild_without_cycles_has_nothing_to_settle()
    {
        var farm = NewFarm();
        Begin(farm, Wish() with { All = true, Settle = true });
        Prepare(farm);
        foreach (var pkgbase in (string[])["onig", "jq", "zlib"]) BuildSide(farm, pkgbase);
        Assert.Empty(Settling.Due(farm.State));
        Assert.Null(Send(farm, Merge()).Refusal);
    }

    [Fact]
    public void A_version_that_was_merged_and_taken_back_is_not_given_to_other_bytes()
    {
        var farm = NewFarm();
        Assert.Equal("1-1.1", RebuildOnig());
        Undo();
        Assert.Equal("1-1.2", RebuildOnig());
        Undo();
        // Also when the source is at another version meanwhile, and back.
        farm.Commit("onig 2-1");
        farm.Build("onig");
        var removal = new RemovePackages { Id = Id(), Time = default, Names = ["onig"], From = "core" };
        Assert.Null(Send(farm, removal).Refusal);
        farm.Commit("onig 1-1");
        Assert.Equal("1-1.3", RebuildOnig());
        // When no change is known any more there is what was withdrawn.
        Undo();
        for (var i = 0; i < MasterState.MaxChanges; i++) farm.Apply(new RepositoriesChanged([], ""));
        Assert.Equal("1-1.4", RebuildOnig());

        string RebuildOnig()
        {
            farm.Apply(new RepositoryPublished("core", "x86_64", new string('e', 64), 1));
            Begin(farm, Wish() with { Names = ["onig"] });
            Prepare(farm);
            BuildSide(farm, "onig");
            Assert.Null(Send(farm, Merge()).Refusal);
            return farm.State.Repositories["core/x86_64"].Packages["onig"].Version;
        }

        void Undo() => Assert.Null(Send(
            farm, new UndoChange { Id = Id(), Time = default, Revision = farm.State.Changes[^1].Revision }).Refusal);
    }

    [Fact]
    public void A_package_that_another_package_base_of_the_rebuild_yields_now_is_merged_once()
    {
        var farm = NewFarm();
        // What onig yielded as libonig, zlib yields now.
        farm.Apply(new RepositoriesChanged([Comes("libonig", "onig")], ""));
        Begin(farm, Wish() with { Names = ["onig", "zlib"] });
        Prepare(farm);
        BuildSide(farm, "onig");
        BuildSide(farm, "zlib");
        farm.Apply(new RepositoriesChanged([Comes("libonig", "zlib") with { Repository = "r" }], ""));
        var merged = Send(farm, Merge());
        Assert.Null(merged.Refusal);
        Assert.Contains("core/x86_64: libonig 1-1 -> 1-1.1", merged.Details);
        Assert.Equal(["jq 1-1", "libonig 1-1.1", "onig 1-1.1", "zlib 1-1.1"], Names(farm, "core"));

        static Replacement Comes(string name, string pkgbase)
        {
            var version = pkgbase == "onig" ? "1-1" : "1-1.1";
            return new Replacement("core", "x86_64", name, null, new RepositoryPackage
            {
                Name = name,
                Pkgbase = pkgbase,
                Version = version,
                Architecture = "x86_64",
                FileName = $"{name}-{version}-x86_64.pkg.tar.zst",
                Sha256 = new string('f', 64),
                Bytes = 10,
            });
        }
    }

    private static Farm NewFarm()
    {
        var farm = new Farm();
        farm.Commit("onig 1-1", "jq 1-1 onig", "zlib 1-1");
        farm.Build("onig");
        farm.Build("jq");
        farm.Build("zlib");
        farm.Apply(new RepositoryPublished("core", "x86_64", new string('e', 64), 1));
        return farm;
    }

    private static SourcePackage On(
        string architecture, SourcePackage source, string[]? depends = null, string[]? provides = null) => source with
        {
            Architectures = ["x86_64", "aarch64"],
            DependenciesByArchitecture = ImmutableSortedDictionary<string, BuildDependencies>.Empty
                .Add(architecture, new BuildDependencies { Depends = [.. depends ?? []] }),
            Packages =
            [
                source.Packages[0] with
                {
                    Architectures = ["x86_64", "aarch64"],
                    ProvidesByArchitecture = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty
                        .Add(architecture, [.. provides ?? []]),
                },
            ],
        };

    /// <summary>Of each line of a plan but the last, which sums up, the first two words: of a build its stage and the
    /// package base.</summary>
    private static IEnumerable<string> Plan(Farm farm, BeginRebuild wish) =>
        Send(farm, wish with { DryRun = true }).Details.SkipLast(1)
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2)));

    private MergeRebuild Merge() => new() { Id = Id(), Time = default, Name = "r" };

    private BeginRebuild Wish() => new() { Id = Id(), Time = default, Name = "r" };

    private static void Begin(Farm farm, BeginRebuild wish) => Assert.Null(Send(farm, wish).Refusal);

    /// <summary>Makes the source packages, as the shell does.</summary>
    private static void Prepare(Farm farm)
    {
        while (Rebuilds.Pending(farm.State).FirstOrDefault() is { } wish)
        {
            var digest = wish.Release is null ? wish.Source.ArchiveSha256 : new string(wish.Release[^1], 64);
            farm.Apply(new RebuildBumped(wish.Rebuild, wish.Source.Pkgbase, new RebuildMember
            {
                Of = wish.Source.ArchiveSha256,
                Source = wish.Source with
                {
                    Version = wish.Release is null
                        ? wish.Source.Version
                        : Release.With(wish.Source.Version, wish.Release),
                    ArchiveSha256 = digest,
                },
                Diff = wish.Release is null ? [] : ["-pkgrel=1", "+pkgrel=" + wish.Release],
            }));
        }
    }

    private static void BuildSide(Farm farm, string pkgbase)
    {
        farm.Begin(pkgbase);
        var job = farm.Job(pkgbase);
        farm.Apply(new ResultAccepted(
            "anna", farm.Result(job, ResultOutcome.Built) with
            {
                Snapshot = Snapshots.Of(farm.State, "x86_64", job.Rebuild)!.Id,
            },
            [new RepositoryPackage
            {
                Name = pkgbase,
                Pkgbase = pkgbase,
                Version = job.Version,
                Architecture = "x86_64",
                FileName = $"{pkgbase}-{job.Version}-x86_64.pkg.tar.zst",
                Sha256 = new string('c', 64),
                Bytes = 10,
                Job = job.Id,
            }]));
        farm.Apply(new RepositoryPublished(job.Rebuild!, "x86_64", new string('d', 64), 1));
    }

    private static IEnumerable<string> Names(Farm farm, string repository) =>
        farm.State.Repositories[$"{repository}/x86_64"].Packages.Values.Select(p => $"{p.Name} {p.Version}");

    private string Id() => $"s{++_signals}";

    private static SignalOutcome Send(Farm farm, Signal signal)
    {
        foreach (var happened in Signals.Settle(farm.State, signal)) farm.Apply(happened);
        return farm.State.Signals[signal.Id];
    }
}
