using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests;

/// <summary>What is forgotten when it is old and many, and what never is.</summary>
public class RetentionTests
{
    private readonly Farm _farm = new();

    public RetentionTests()
    {
        _farm.Apply(new Configured(Farm.Settings() with { Keep = new KeepPolicy { Builds = 2, Seconds = 3600 } }));
        Publish();
    }

    [Fact]
    public void Old_jobs_go_but_for_the_newest_of_each_package()
    {
        for (var i = 1; i <= 5; i++) Build($"zlib {i}-1");
        Build("pigz 1-1");
        Assert.Empty(Retention.Due(_farm.State, _farm.Now));
        _farm.Pass(TimeSpan.FromHours(2));

        var due = Assert.IsType<HistoryForgotten>(Assert.Single(Retention.Due(_farm.State, _farm.Now)));
        Assert.Equal(["1-1", "2-1", "3-1"], due.Jobs.Select(id => _farm.State.Jobs[id].Version).Order());
        _farm.Apply(due);

        Assert.Equal(3, _farm.State.Jobs.Count);
        Assert.Equal(3, _farm.State.Built.Count);
        Assert.Equal(["4-1", "5-1"], _farm.State.Packages["zlib"].Jobs.Select(id => _farm.State.Jobs[id].Version));
        Assert.Equal("zlib 5-1 for x86_64 is built.", Assert.Single(Why.Of(_farm.State, "zlib")));
        Assert.Empty(Retention.Due(_farm.State, _farm.Now));
        // What was forgotten can come again.
        Build("zlib 6-1");
    }

    [Fact]
    public void The_last_good_build_and_what_failed_or_is_wanted_is_never_forgotten()
    {
        Build("zlib 1-1");
        Break("zlib", from: 2, to: 6);
        _farm.Commit("pigz 1-1 nobody");
        _farm.Pass(TimeSpan.FromDays(400));
        var due = Assert.IsType<HistoryForgotten>(Assert.Single(Retention.Due(_farm.State, _farm.Now)));
        Assert.Equal(["2-1", "3-1", "4-1"], due.Jobs.Select(id => _farm.State.Jobs[id].Version).Order());
        _farm.Apply(due);
        Assert.Equal(
            ["1-1", "5-1", "6-1"],
            _farm.State.Packages["zlib"].Jobs.Select(id => _farm.State.Jobs[id].Version));
        Assert.Equal(JobStatus.Failed, _farm.Job("zlib").Status);
        Assert.Equal(JobStatus.Blocked, _farm.Job("pigz").Status);
    }

    [Fact]
    public void A_snapshot_stays_as_long_as_it_is_offered_or_built_against()
    {
        _farm.Commit("slow 1-1");
        var inUse = Snapshots.Of(_farm.State, "x86_64")!.Id;
        _farm.Apply(new ClaimSeen(_farm.Job("slow").Id, 1, "anna", inUse));
        Build("zlib 1-1");
        Build("zlib 2-1");
        _farm.Pass(TimeSpan.FromDays(2));
        var offered = Snapshots.Of(_farm.State, "x86_64")!.Id;
        var due = Assert.IsType<HistoryForgotten>(Assert.Single(Retention.Due(_farm.State, _farm.Now)));
        _farm.Apply(due);
        Assert.Equal(new[] { inUse, offered }.Order(), _farm.State.Snapshots.Keys.Order());
    }

    [Fact]
    public void What_a_change_took_away_is_kept_for_as_long_as_it_can_be_taken_back()
    {
        Build("zlib 1-1");
        var held = _farm.State.Repositories["core/x86_64"].Packages["zlib"];
        _farm.Apply(new RepositoriesChanged([new Replacement("core", "x86_64", "zlib", held, null)], "removed"));
        Assert.Equal([held.FileName], Retention.PackageFilesOf(_farm.State, "core/x86_64"));
        Assert.Contains(_farm.State.Packages["zlib"].Source!.ArchiveSha256, Retention.SourcePackagesOf(_farm.State));
    }

    [Fact]
    public void The_last_good_build_is_kept_also_when_it_was_removed_and_newer_ones_fail()
    {
        Build("zlib 1-1");
        Build("zlib 2-1");
        var (last, held) = (_farm.Job("zlib"), _farm.State.Repositories["core/x86_64"].Packages["zlib"]);
        _farm.Apply(new RepositoriesChanged([new Replacement("core", "x86_64", "zlib", held, null)], "removed"));
        ForgetChanges();
        Break("zlib", from: 3, to: 6);
        Forget();
        Assert.Equal(["2-1", "5-1", "6-1"], Versions("zlib"));
        Assert.Contains(last.SourceSha256, Retention.SourcePackagesOf(_farm.State));
    }

    [Fact]
    public void The_build_that_a_change_would_bring_back_is_kept_for_as_long_as_it_can_be_taken_back()
    {
        Build("zlib 1-1");
        var first = _farm.State.Repositories["core/x86_64"].Packages["zlib"];
        _farm.Apply(new RepositoriesChanged([new Replacement("core", "x86_64", "zlib", first, null)], "removed"));
        for (var i = 2; i <= 5; i++) Build($"zlib {i}-1");
        Forget();
        Assert.Equal(["1-1", "4-1", "5-1"], Versions("zlib"));

        ForgetChanges();
        Forget();
        Assert.Equal(["4-1", "5-1"], Versions("zlib"));
    }

    [Fact]
    public void The_last_good_build_on_each_architecture_is_kept()
    {
        var farm = new Farm("x86_64", "aarch64");
        var settings = farm.State.Settings!;
        farm.Apply(new Configured(settings with { Keep = new KeepPolicy { Builds = 2, Seconds = 3600 } }));
        string[] built = [.. Commit("1-1").Select(job => job.Id)];
        Assert.Equal(2, built.Length);
        foreach (var job in built.Select(id => farm.State.Jobs[id]))
        {
            farm.Apply(new ClaimSeen(job.Id, 1, "anna"));
            farm.Apply(new ResultAccepted("anna", farm.Result(job, ResultOutcome.Built), []));
        }

        for (var i = 2; i <= 4; i++) Commit($"{i}-1");
        farm.Pass(TimeSpan.FromDays(2));
        var due = Retention.Due(farm.State, farm.Now).OfType<HistoryForgotten>().Single();
        Assert.NotEmpty(due.Jobs);
        Assert.DoesNotContain(due.Jobs, built.Contains);

        IEnumerable<Job> Commit(string version)
        {
            var source = farm.Package("main", $"zlib {version}") with { Architectures = ["x86_64", "aarch64"] };
            farm.Apply(new SourcePolled(new SourceReport { Source = "main", Cursor = version, Changed = [source] }));
            return farm.State.Jobs.Values.Where(job => job.Version == version);
        }
    }

    private IEnumerable<string> Versions(string pkgbase) =>
        _farm.State.Packages[pkgbase].Jobs.Select(id => _farm.State.Jobs[id].Version);

    /// <summary>All that may be forgotten is.</summary>
    private void Forget()
    {
        _farm.Pass(TimeSpan.FromDays(400));
        _farm.Apply(Assert.IsType<HistoryForgotten>(Assert.Single(Retention.Due(_farm.State, _farm.Now))));
    }

    /// <summary>So many more changes that none before them can be taken back.</summary>
    private void ForgetChanges()
    {
        for (var i = 0; i < MasterState.MaxChanges; i++) _farm.Apply(new RepositoriesChanged([], "nothing"));
    }

    private void Break(string pkgbase, int from, int to)
    {
        for (var i = from; i <= to; i++)
        {
            _farm.Commit($"{pkgbase} {i}-1");
            _farm.Begin(pkgbase);
            _farm.Fail(pkgbase, FailureKind.Package);
        }
    }

    private void Build(string package)
    {
        _farm.Commit(package);
        _farm.Build(package.Split(' ')[0]);
        Publish();
    }

    private void Publish() => _farm.Apply(new RepositoryPublished(
        "core", "x86_64", Convert.ToHexStringLower(BitConverter.GetBytes(_farm.State.Revision)).PadLeft(64, '0'), 1));
}
