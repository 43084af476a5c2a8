using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>Two packages that need each other to be built are rebuilt until neither was built against what the rebuild
/// replaces.</summary>
public sealed class SettleTests
{
    [Fact]
    public async Task A_rebuild_of_a_cycle_that_settles_leaves_nothing_that_was_built_against_what_it_replaces()
    {
        await using var farm = await RunningFarm.CreateAsync();
        Write(farm, "ping", "1", "");
        await farm.CommitAsync("one of them has to be first");
        farm.Start();
        await farm.UntilAsync(s => s.Counts is { Packages: 1, Built: 1 }, "ping is built");
        Write(farm, "pong", "1", "ping");
        Write(farm, "ping", "2", "pong");
        await farm.CommitAsync("they need each other");
        await farm.UntilAsync(
            s => s.Repositories.Any(r => r is { Name: "quarters", Packages: 2 })
                && s.Counts is { Ready: 0, Building: 0, Blocked: 0 }
                && farm.Journal.Contains("ping-2-1-x86_64.pkg.tar.zst", StringComparison.Ordinal),
            "both are built");

        await DoneAsync(farm.QuartersAsync("rebuild", "again", "ping", "pong", "--settle"));
        await farm.UntilAsync(
            s => s.Counts is { Ready: 0, Building: 0, Blocked: 0 }
                && farm.Journal.Contains("-1.2-x86_64.pkg.tar.zst", StringComparison.Ordinal),
            "what was built against something older is built once more");
        await DoneAsync(farm.QuartersAsync("merge", "again"));
        var root = Path.Combine(farm.Folder, "root");
        await DoneAsync(farm.PacmanAsync(root, "-Sydd", "ping", "pong"));
        var installed = await DoneAsync(farm.PacmanAsync(root, "-Q", "ping", "pong"));
        // One of them was cut, and is there in its second release.
        Assert.Contains("-1.2", installed, StringComparison.Ordinal);
        foreach (var (name, other) in new[] { ("ping", "pong 1-1."), ("pong", "ping 2-1.") })
        {
            var against = await File.ReadAllTextAsync(
                Path.Combine(root, "usr", "share", name), TestContext.Current.CancellationToken);
            Assert.StartsWith(other, against, StringComparison.Ordinal);
        }

        Assert.Equal(0, await farm.InterruptAsync());
    }

    /// <summary>A package that says what it was built with.</summary>
    private static void Write(RunningFarm farm, string name, string version, string with) => farm.Write(name, $$"""
        pkgname={{name}}
        pkgver={{version}}
        pkgrel=1
        arch=(x86_64)
        license=(MIT)
        makedepends=({{with}})
        package() {
          mkdir -p "$pkgdir/usr/share"
          if [[ '{{with}}' ]]; then pacman -Q {{with}}; fi > "$pkgdir/usr/share/$pkgname"
        }

        """);

    private static async Task<string> DoneAsync(Task<ProcessResult> running)
    {
        var ended = await running;
        Assert.True(ended.ExitCode == 0, ended.StandardOutput + ended.StandardError);
        return ended.StandardOutput;
    }
}
