using Quarters.Core;
using Quarters.Core.Documents;

namespace Quarters.Master.Tests;

/// <summary>A bootstrap in a master, with a builder that presents what a test wants.</summary>
public class BootstrapTests
{
    private readonly List<BuildResult> _results = [];

    // The same content is the same bytes, as if made at the same time.
    private readonly Dictionary<string, byte[]> _packages = [];

    [Fact]
    public async Task A_bootstrap_goes_on_over_a_restart_to_its_fixpoint_says_what_differed_and_is_merged()
    {
        await using var farm = await TestFarm.StartAsync();
        await BeginAsync(farm, maxStages: 5);

        // The first stage of tool is unlike what it builds of itself.
        await BuildAsync(farm, "boot-stage1", "tool", "gen1");
        await BuildAsync(farm, "boot-stage1", "app", "gen1");
        var stage2 = await QueuedAsync(farm, "boot-stage2", "tool");
        await farm.StopMasterAsync();
        await farm.StartMasterAsync();
        Assert.Equal(stage2.Snapshot, (await QueuedAsync(farm, "boot-stage2", "tool")).Snapshot);
        await BuildAsync(farm, "boot-stage2", "tool", "gen2");
        await BuildAsync(farm, "boot-stage2", "app", "gen1");
        await BuildAsync(farm, "boot-stage3", "tool", "gen2");
        await BuildAsync(farm, "boot-stage3", "app", "gen1");

        var status = await TestFarm.UntilAsync(
            async () => await StatusAsync(farm) is { Outcome: BootstrapOutcome.Fixpoint } one ? one : null,
            "the fixpoint is reached");
        Assert.Equal([2, 1, 0], status.Finished.Select(stage => stage.Differing));
        var differs = Assert.Single(status.Finished[1].Differences);
        Assert.Equal("tool", differs.Package);
        Assert.Equal(["usr/share/tool/gen1", "usr/share/tool/gen2"], differs.Files);
        Assert.Equal(["glibc"], status.Finished[2].FromSeeds);
        // The stages that nobody builds against any more take no place.
        Assert.Equal(
            ["boot-stage2", "boot-stage3"],
            Directory.GetDirectories(Path.Combine(farm.State, "public", "repo")).Select(Path.GetFileName)
                .Where(name => name!.StartsWith("boot", StringComparison.Ordinal)).Order());

        var merged = await farm.SignalAsync(
            new MergeRebuild { Id = "merge", Time = DateTimeOffset.UtcNow, Name = "boot" });
        Assert.True(merged.Outcome == SignalEnd.Done, merged.Reason + string.Join('\n', merged.Details));
        Assert.Empty((await farm.GetAsync("v1/bootstraps.json", QuartersJson.Default.BootstrapsDocument)).Bootstraps);
        await TestFarm.UntilAsync(
            async () => (await farm.StatusAsync()).Repositories.Where(repository => repository.Own).ToList()
                is [{ Name: "quarters", Packages: 2 }] published ? published : null,
            "the last stage is published, and nothing else");
        Assert.Empty((await farm.QueueAsync()).Jobs);
    }

    [Fact]
    public async Task A_stage_whose_packages_cannot_be_read_is_stuck_says_so_and_goes_on_when_they_are_back()
    {
        await using var farm = await TestFarm.StartAsync();
        await BeginAsync(farm, maxStages: 2);
        await BuildAsync(farm, "boot-stage1", "tool", "gen1");
        await QueuedAsync(farm, "boot-stage1", "app");
        var tool = Assert.Single(Directory.GetFiles(
            Path.Combine(farm.State, "public", "repo", "boot-stage1"), "tool-1-1-*.pkg.tar.zst",
            SearchOption.AllDirectories));
        File.Move(tool, tool + ".lost");
        await BuildAsync(farm, "boot-stage1", "app", "gen1");
        var stuck = await TestFarm.UntilAsync(
            async () => await StatusAsync(farm) is { Outcome: BootstrapOutcome.Stuck } one ? one : null,
            "the stage is stuck");
        Assert.Equal((2, 2), (stuck.Built, stuck.Packages));
        Assert.StartsWith($"{tool} is gone", Assert.Single(stuck.NotBuilt), StringComparison.Ordinal);

        File.Move(tool + ".lost", tool);
        // Whatever happens, it is looked at again.
        await farm.SignalAsync(new DropRebuild { Id = "drop", Time = DateTimeOffset.UtcNow, Name = "nothing" });
        await QueuedAsync(farm, "boot-stage2", "tool");
    }

    [Fact]
    public async Task What_a_stage_does_not_offer_may_not_be_installed_for_its_builds()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("tool 1-1 glibc");
        await farm.QueuedAsync("tool");
        var begin = new BeginBootstrap
        {
            Id = "begin",
            Time = DateTimeOffset.UtcNow,
            Name = "boot",
            Seeds = ["base"],
            MaxStages = 2,
        };
        Assert.Equal(SignalEnd.Done, (await farm.SignalAsync(begin)).Outcome);
        var job = await QueuedAsync(farm, "boot-stage1", "tool");
        var file = farm.Anna.Present(
            job, TestFarm.FileName(job), TestFarm.Package(job, installed: "intruder-1-1-x86_64"));
        farm.Anna.Say([], [TestFarm.Built(job, file)]);
        var refused = await farm.JobAsync(job.Id, one => !one.Attempts.IsEmpty, "the result is refused");
        Assert.Contains("intruder", refused.Attempts[0].Reason, StringComparison.Ordinal);
        var again = await farm.SignalAsync(begin with { Id = "again" });
        Assert.Equal("there is a bootstrap boot already: merge or drop it first", again.Reason);
        var dropped = await farm.SignalAsync(
            new DropRebuild { Id = "drop", Time = DateTimeOffset.UtcNow, Name = "boot" });
        Assert.Equal(SignalEnd.Done, dropped.Outcome);
        await TestFarm.UntilAsync(
            () => Task.FromResult<object?>(
                Directory.Exists(Path.Combine(farm.State, "public", "repo", "boot-stage1")) ? null : dropped),
            "the stage's repository is gone");
    }

    /// <summary>Begins a bootstrap of a tool and what is built with it.</summary>
    private static async Task BeginAsync(TestFarm farm, int maxStages)
    {
        farm.Source.Commit("tool 1-1 glibc", "app 1-1 tool");
        await farm.QueuedAsync("tool");
        var begun = await farm.SignalAsync(new BeginBootstrap
        {
            Id = "begin",
            Time = DateTimeOffset.UtcNow,
            Name = "boot",
            Seeds = ["base"],
            MaxStages = maxStages,
        });
        Assert.True(begun.Outcome == SignalEnd.Done, begun.Reason + string.Join('\n', begun.Details));
    }

    private async Task BuildAsync(TestFarm farm, string stage, string pkgbase, string content)
    {
        var job = await QueuedAsync(farm, stage, pkgbase);
        var path = $"usr/share/{pkgbase}/{content}";
        if (!_packages.TryGetValue(path, out var package))
            _packages[path] = package = TestFarm.Package(job, paths: [path]);
        var file = farm.Anna.Present(job, TestFarm.FileName(job), package);
        _results.Add(TestFarm.Built(job, file));
        farm.Anna.Say([], [.. _results]);
    }

    private static Task<QueueJob> QueuedAsync(TestFarm farm, string stage, string pkgbase) => TestFarm.UntilAsync(
        async () => (await farm.QueueAsync()).Jobs.FirstOrDefault(job => job.Pkgbase == pkgbase
            && job.Id.EndsWith("@" + stage, StringComparison.Ordinal)),
        $"{pkgbase} is ready in {stage}");

    private static async Task<BootstrapStatus?> StatusAsync(TestFarm farm) =>
        (await farm.GetAsync("v1/bootstraps.json", QuartersJson.Default.BootstrapsDocument)).Bootstraps.Single();
}
