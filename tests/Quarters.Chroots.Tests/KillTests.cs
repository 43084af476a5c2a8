using System.Globalization;
using Quarters.Linux;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Tests;

/// <summary>What is killed here is found by its words among all processes, and must not be short of anything because
/// others fill memory and disks at that moment.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class KillTests(Workbench bench)
{
    [Fact]
    public Task Killing_the_process_that_builds_leaves_nothing_running_and_the_next_start_cleans() =>
        KillAsync(Driver.Root(bench, "killed", Package("killed", "71000020")), "killed", "71000020");

    [Fact]
    public Task The_same_holds_for_an_ordinary_user() => KillAsync(
        Driver.Rootless(
            bench, "killed-rootless", Package("killed-rootless", "71000021")), "killed-rootless", "71000021");

    private string Package(string name, string word) => bench.Package(name, $"setsid sleep {word} &\nsleep {word}");

    private async Task KillAsync(ProcessSpec spec, string name, string word)
    {
        var store = bench[name + "/chroots"];
        var process = new TaskCompletionSource<int>();
        var run = ProcessRunner.RunAsync(spec with { OnStarted = process.SetResult }, Workbench.Cancellation);
        await Workbench.Until(() => run.IsCompleted || Sleepers(word).Count >= 2, "the build sleeps");
        if (run.IsCompleted)
            Assert.Fail($"The build ended before it slept: {(await run).StandardError}");
        Assert.NotEmpty(Workbench.MountsBelow(store));

        LibC.Kill(await process.Task, LibC.SignalKill);
        await run;

        await Workbench.Until(() => Workbench.ProcessesWith(word).Count == 0, "nothing of the build runs");
        await Workbench.Until(() => Workbench.MountsBelow(store).Count == 0, "nothing of the build is mounted");
        Assert.NotEmpty(Directory.GetDirectories(Path.Combine(store, "work")));
        // An ordinary user has no cgroups unless somebody gave it some.
        if (name == "killed")
            Assert.NotEmpty(Groups(store));
        var next = new ChrootStore(new ChrootOptions { Directory = store, Time = TimeProvider.System });
        await next.CleanAsync(Workbench.Cancellation);
        Assert.Empty(Directory.GetDirectories(Path.Combine(store, "work")));
        Assert.Empty(Groups(store));
    }

    private static List<string> Sleepers(string word) =>
        [.. Workbench.ProcessesWith(word).Where(line => line.StartsWith("sleep", StringComparison.Ordinal))];

    private static List<string> Groups(string store)
    {
        var prefix = Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(store)))[..16];
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true };
        return [.. Directory.EnumerateDirectories("/sys/fs/cgroup", prefix + "*", options)
            .Select(path => path.ToString(CultureInfo.InvariantCulture))];
    }
}
