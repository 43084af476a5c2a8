using System.Globalization;
using System.Text.RegularExpressions;
using Quarters.Core.Planning;

namespace Quarters.EndToEnd;

/// <summary>From a commit to a package that the real pacman installs over HTTPS, with everything real in
/// between.</summary>
public partial class UpTests
{
    [Fact]
    public async Task Good_packages_reach_pacman_bad_ones_say_why_and_kill_9_loses_nothing()
    {
        await using var farm = await RunningFarm.CreateAsync(limits: "processes = 200");
        farm.Write("liba", "1.0", "");
        farm.Write("appb", "1.0", "liba", "arch=(any)");
        farm.Write("breaks", "1.0", "", "build() { echo 'about to break'; false; }");
        farm.Write("blocked", "1.0", "no-such-package");
        farm.Write("liar", "1.0", "",
            "source=(data)\nsha256sums=(0000000000000000000000000000000000000000000000000000000000000000)");
        await File.WriteAllTextAsync(
            Path.Combine(farm.Packages, "liar", "data"), "not that\n", TestContext.Current.CancellationToken);
        farm.Write("unreadable", "pkgname=unreadable\nif then\n");
        farm.Write("endless", "pkgname=endless\nwhile :; do :; done\n");
        await farm.CommitAsync("packages, good and bad");

        farm.Start();
        await farm.UntilAsync(s => s.Counts is { Building: > 0 }, "something is being built");
        await farm.KillAsync();
        farm.Start();
        var status = await farm.UntilAsync(
            s => s.Counts is { Ready: 0, Building: 0, Packages: 7 }, "everything that can be built is, after kill -9");
        Assert.True(
            status.Counts is { Built: 2, Blocked: 1, Failed: 4, Unreadable: 2 },
            $"{status.Counts}\n"
                + string.Join('\n', status.Jobs.Select(j => $"{j.Pkgbase} {j.Status}: {j.Reason}"))
                + $"\n{farm.Said}");
        Assert.Equal(2, Accepted().Count(farm.Journal));

        Assert.Contains("no-such-package", await WhyAsync(farm, "blocked"), StringComparison.Ordinal);
        Assert.Contains("wanted by blocked", await WhyAsync(farm, "no-such-package"), StringComparison.Ordinal);
        Assert.Contains("build", await WhyAsync(farm, "breaks"), StringComparison.Ordinal);
        Assert.Contains("sources", await WhyAsync(farm, "liar"), StringComparison.Ordinal);
        Assert.Contains("data", await WhyAsync(farm, "liar"), StringComparison.Ordinal);
        Assert.Contains("cannot be read", await WhyAsync(farm, "unreadable"), StringComparison.Ordinal);
        Assert.Contains("cannot be read", await WhyAsync(farm, "endless"), StringComparison.Ordinal);
        var broken = status.Jobs.Single(j => j.Pkgbase == "breaks");
        Assert.Contains(
            "about to break", (await farm.QuartersAsync("log", broken.Id)).StandardOutput, StringComparison.Ordinal);

        var root = Path.Combine(farm.Folder, "root");
        var installed = await farm.PacmanAsync(root, "-Sy", "appb");
        Assert.True(installed.ExitCode == 0, installed.StandardOutput + installed.StandardError);
        Assert.Equal("#!/bin/sh\necho appb 1.0\n", await File.ReadAllTextAsync(
            Path.Combine(root, "usr", "bin", "appb"), TestContext.Current.CancellationToken));
        Assert.Contains("Jane Dev <jane@example.org>", (
            await farm.PacmanAsync(root, "-Qi", "liba")).StandardOutput, StringComparison.Ordinal);

        // One package moves: one PKGBUILD is read, one package built, and pacman upgrades it.
        farm.Write("appb", "1.1", "liba", "arch=(any)");
        await farm.CommitAsync("appb 1.1");
        var moved = await farm.UntilAsync(
            s => s.Sources[0].LastParsed == 1 && s.Counts is { Ready: 0, Building: 0, Built: 2 }, "appb 1.1 is built");
        Assert.Equal(3, Accepted().Count(farm.Journal));
        Assert.Equal(2, moved.Repositories.Single(r => r.Own).Packages);
        var upgraded = await farm.PacmanAsync(root, "-Syu");
        Assert.True(upgraded.ExitCode == 0, upgraded.StandardOutput + upgraded.StandardError);
        Assert.Equal("#!/bin/sh\necho appb 1.1\n", await File.ReadAllTextAsync(
            Path.Combine(root, "usr", "bin", "appb"), TestContext.Current.CancellationToken));

        Assert.Equal(0, await farm.InterruptAsync());
    }

    [Fact]
    public async Task Builds_that_misbehave_are_stopped_and_the_next_one_runs()
    {
        await using var farm = await RunningFarm.CreateAsync(limits: """
            processes = 100
            disk = "64 MiB"
            silence = "20 s"
            """);
        farm.Write("forks", "1.0", "", "build() { bomb() { bomb | bomb & }; bomb; wait; sleep 1; false; }");
        farm.Write("fills", "1.0", "", "build() { dd if=/dev/zero of=big bs=1M count=4096; }");
        farm.Write("hangs", "1.0", "", "build() { sleep 100000; }");
        farm.Write("dials", "1.0", "",
            "build() { ! (exec 3<>/dev/tcp/127.0.0.1/22) && ! (exec 3<>/dev/tcp/192.0.2.1/80) && false; }");
        farm.Write("zgood", "1.0", "");
        await farm.CommitAsync("misbehaviour");
        farm.Start();
        var status = await farm.UntilAsync(
            s => s.Counts is { Packages: 5, Ready: 0, Building: 0, Built: 1, Failed: 4 },
                "four failed and the good one is built");
        Assert.All(status.Jobs, job => Assert.Equal(JobStatus.Failed, job.Status));
        Assert.Contains("printed nothing", Reason("hangs"), StringComparison.Ordinal);
        Assert.Contains("wrote more than", Reason("fills"), StringComparison.Ordinal);
        Assert.Contains("processes", Reason("forks"), StringComparison.Ordinal);
        Assert.Equal(0, await farm.InterruptAsync());

        string Reason(string pkgbase) => status.Jobs.Single(j => j.Pkgbase == pkgbase).Reason;
    }

    [Fact]
    public async Task A_build_is_followed_while_it_runs_and_the_second_interrupt_does_not_wait_for_one()
    {
        // A word of this run alone: what another left behind is not this one's.
        var forever = (80_000_000 + Environment.ProcessId).ToString(CultureInfo.InvariantCulture);
        await using var farm = await RunningFarm.CreateAsync();
        farm.Write("ticks", "1.0", "", "build() { for i in {1..9}; do echo \"tick $i\"; sleep 1; done; }");
        await farm.CommitAsync("ticks");
        farm.Start();
        await farm.UntilAsync(s => s.Counts is { Building: 1 }, "it builds");
        var followed = await farm.QuartersAsync("log", "-f", "ticks");
        Assert.True(followed.ExitCode == 0, followed.StandardError);
        Assert.Contains("tick 9\n", followed.StandardOutput, StringComparison.Ordinal);
        Assert.Contains("Finished making: ticks", followed.StandardOutput, StringComparison.Ordinal);

        farm.Write("stays", "1.0", "", $"build() {{ sleep {forever}; }}");
        await farm.CommitAsync("stays");
        await farm.UntilAsync(s => s.Counts is { Built: 1 } && IsRunning(forever), "the endless one builds");
        farm.PressInterrupt();
        await farm.UntilAsync(_ => farm.Said.Contains("Ctrl-C again", StringComparison.Ordinal), "it drains");
        Assert.Equal(0, await farm.InterruptAsync());
        Assert.False(IsRunning(forever), "the build outlived the farm");

        static bool IsRunning(string argument) => Directory.EnumerateDirectories("/proc")
            .Where(process => char.IsAsciiDigit(Path.GetFileName(process)[0]))
            .Any(process => Arguments(process).Contains($"sleep\0{argument}\0", StringComparison.Ordinal));

        static string Arguments(string process)
        {
            try
            {
                return File.ReadAllText(Path.Combine(process, "cmdline"));
            }
            catch (IOException)
            {
                // It has just ended.
                return "";
            }
        }
    }

    private static async Task<string> WhyAsync(RunningFarm farm, string name) =>
        (await farm.QuartersAsync("why", name)).StandardOutput;

    [GeneratedRegex("\"kind\":\"resultAccepted\"")]
    private static partial Regex Accepted();
}
