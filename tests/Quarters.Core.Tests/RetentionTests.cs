using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

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
        for (var i = 2; i <= 6; i++)
        {
            _farm.Commit($"zlib {i}-1");
            _farm.Begin("zlib");
            _farm.Fail("zlib", FailureKind.Package);
        }

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

    private void Build(string package)
    {
        _farm.Commit(package);
        _farm.Build(package.Split(' ')[0]);
        Publish();
    }

    private void Publish() => _farm.Apply(new RepositoryPublished(
        "core", "x86_64", Convert.ToHexStringLower(BitConverter.GetBytes(_farm.State.Revision)).PadLeft(64, '0'), 1));
}
