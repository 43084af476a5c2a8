using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>What is forgotten when it is old and many, and what never is.</summary>
public class RetentionTests
{
    private readonly Farm farm = new();

    public RetentionTests()
    {
        farm.Apply(new Configured(Farm.Settings() with { Keep = new KeepPolicy { Builds = 2, Seconds = 3600 } }));
        Publish();
    }

    [Fact]
    public void Old_jobs_go_but_for_the_newest_of_each_package()
    {
        for (var i = 1; i <= 5; i++) Build($"zlib {i}-1");
        Build("pigz 1-1");
        Assert.Empty(Retention.Due(farm.State, farm.Now));
        farm.Pass(TimeSpan.FromHours(2));

        var due = Assert.IsType<HistoryForgotten>(Assert.Single(Retention.Due(farm.State, farm.Now)));
        Assert.Equal(["1-1", "2-1", "3-1"], due.Jobs.Select(id => farm.State.Jobs[id].Version).Order());
        farm.Apply(due);

        Assert.Equal(3, farm.State.Jobs.Count);
        Assert.Equal(3, farm.State.Built.Count);
        Assert.Equal(["4-1", "5-1"], farm.State.Packages["zlib"].Jobs.Select(id => farm.State.Jobs[id].Version));
        Assert.Equal("zlib 5-1 for x86_64 is built.", Assert.Single(Why.Of(farm.State, "zlib")));
        Assert.Empty(Retention.Due(farm.State, farm.Now));
        // What was forgotten can come again.
        Build("zlib 6-1");
    }

    [Fact]
    public void The_last_good_build_and_what_failed_or_is_wanted_is_never_forgotten()
    {
        Build("zlib 1-1");
        for (var i = 2; i <= 6; i++)
        {
            farm.Commit($"zlib {i}-1");
            farm.Begin("zlib");
            farm.Fail("zlib", FailureKind.Package);
        }

        farm.Commit("pigz 1-1 nobody");
        farm.Pass(TimeSpan.FromDays(400));
        var due = Assert.IsType<HistoryForgotten>(Assert.Single(Retention.Due(farm.State, farm.Now)));
        Assert.Equal(["2-1", "3-1", "4-1"], due.Jobs.Select(id => farm.State.Jobs[id].Version).Order());
        farm.Apply(due);
        Assert.Equal(
            ["1-1", "5-1", "6-1"],
            farm.State.Packages["zlib"].Jobs.Select(id => farm.State.Jobs[id].Version));
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
        Assert.Equal(JobStatus.Blocked, farm.Job("pigz").Status);
    }

    [Fact]
    public void A_snapshot_stays_as_long_as_it_is_offered_or_built_against()
    {
        farm.Commit("slow 1-1");
        var inUse = Snapshots.Of(farm.State, "x86_64")!.Id;
        farm.Apply(new ClaimSeen(farm.Job("slow").Id, 1, "anna", inUse));
        Build("zlib 1-1");
        Build("zlib 2-1");
        farm.Pass(TimeSpan.FromDays(2));
        var offered = Snapshots.Of(farm.State, "x86_64")!.Id;
        var due = Assert.IsType<HistoryForgotten>(Assert.Single(Retention.Due(farm.State, farm.Now)));
        farm.Apply(due);
        Assert.Equal(new[] { inUse, offered }.Order(), farm.State.Snapshots.Keys.Order());
    }

    [Fact]
    public void What_a_change_took_away_is_kept_for_as_long_as_it_can_be_taken_back()
    {
        Build("zlib 1-1");
        var held = farm.State.Repositories["core/x86_64"].Packages["zlib"];
        farm.Apply(new RepositoriesChanged([new Replacement("core", "x86_64", "zlib", held, null)], "removed"));
        Assert.Equal([held.FileName], Retention.PackageFilesOf(farm.State, "core/x86_64"));
        Assert.Contains(farm.State.Packages["zlib"].Source!.ArchiveSha256, Retention.SourcePackagesOf(farm.State));
    }

    private void Build(string package)
    {
        farm.Commit(package);
        farm.Build(package.Split(' ')[0]);
        Publish();
    }

    private void Publish() => farm.Apply(new RepositoryPublished(
        "core", "x86_64", Convert.ToHexStringLower(BitConverter.GetBytes(farm.State.Revision)).PadLeft(64, '0'), 1));
}
