using System.Globalization;
using System.Text.RegularExpressions;

namespace Quarters.EndToEnd;

/// <summary>
/// A library of real software gets another soname. Who links it is rebuilt in a side repository, both are published at
/// once, pacman upgrades both; and what was published before is there again in one step.
/// </summary>
public sealed partial class SonameRebuildTests
{
    [Fact]
    public async Task A_soname_bump_rebuilds_who_links_it_and_is_merged_and_taken_back_at_once()
    {
        await using var farm = await RunningFarm.CreateAsync(builder: $"sources-cache = [\"{Sources}\"]");
        var oniguruma = await PkgbuildAsync("oniguruma");
        farm.Write("oniguruma", oniguruma);
        farm.Write("jq", await PkgbuildAsync("jq"));
        await farm.CommitAsync("oniguruma and jq");
        farm.Start();
        await farm.UntilAsync(s => s.Counts is { Packages: 2, Built: 2 }, "both are built");
        var root = Path.Combine(farm.Folder, "root");
        await DoneAsync(farm.PacmanAsync(root, "-Sy", "jq"));
        Assert.Equal("jq 1.7.1-1\noniguruma 6.9.9-1\n", await InstalledAsync(farm, root));
        Assert.Contains("libonig.so=5-64", await OutputAsync(farm.PacmanAsync(root, "-Qi", "jq")),
            StringComparison.Ordinal);

        var plan = await OutputAsync(farm.QuartersAsync(
            "rebuild", "onig-6", "oniguruma", "--soname", "libonig.so=5-64", "--dry-run"));
        Assert.Contains("jq 1.7.1-1 -> 1.7.1-1.1", plan, StringComparison.Ordinal);
        await DoneAsync(farm.QuartersAsync("rebuild", "onig-6", "oniguruma", "--soname", "libonig.so=5-64"));
        farm.Write("oniguruma", oniguruma
            .Replace("pkgrel=1", "pkgrel=2", StringComparison.Ordinal)
            .Replace("  autoreconf", "  sed -i 's/^LTVERSION=.*/LTVERSION=\"10:0:4\"/' configure.ac\n  autoreconf",
                StringComparison.Ordinal));
        await farm.CommitAsync("oniguruma with another soname");
        await farm.UntilAsync(
            s => s.Repositories.Any(r => r is { Name: "onig-6", Packages: 2 }) && s.Counts is { Building: 0 },
            "both are built in the side repository");

        // Nobody sees anything of it before it is merged.
        Assert.Equal("jq 1.7.1-1\noniguruma 6.9.9-1\n", await OfferedAsync(farm, root));
        await DoneAsync(farm.QuartersAsync("merge", "onig-6", "--dry-run"));
        var merged = await OutputAsync(farm.QuartersAsync("merge", "onig-6"));
        var revision = Revision().Match(merged).Groups["revision"].Value;
        await DoneAsync(farm.PacmanAsync(root, "-Syu"));
        Assert.Equal("jq 1.7.1-1.1\noniguruma 6.9.9-2\n", await InstalledAsync(farm, root));
        Assert.Contains("libonig.so=6-64", await OutputAsync(farm.PacmanAsync(root, "-Qi", "jq")),
            StringComparison.Ordinal);
        Assert.True(
            File.Exists(Path.Combine(root, "usr", "lib", "libonig.so.6")), "libonig.so.6 is not where jq needs it");

        Assert.NotEqual(0, long.Parse(revision, CultureInfo.InvariantCulture));
        Assert.Contains($" {revision}  ", await OutputAsync(farm.QuartersAsync("repo", "history")),
            StringComparison.Ordinal);
        await DoneAsync(farm.QuartersAsync("move", "--undo", revision));
        await DoneAsync(farm.PacmanAsync(root, "-Syuu"));
        Assert.Equal("jq 1.7.1-1\noniguruma 6.9.9-1\n", await InstalledAsync(farm, root));
        // What was taken back is kept without an entry, and that is as it should be.
        Assert.Contains("packages, all right", await OutputAsync(farm.QuartersAsync("repo", "verify")),
            StringComparison.Ordinal);
        var after = await farm.StatusAsync();
        Assert.Equal((0, 0, 0), (after!.Counts.Ready, after.Counts.Building, after.Counts.Blocked));
        Assert.Equal(0, await farm.InterruptAsync());
    }

    private static string Sources =>
        Environment.GetEnvironmentVariable("QUARTERS_TEST_SOURCES") is { Length: > 0 } folder
            ? folder
            : throw new InvalidOperationException(
                "QUARTERS_TEST_SOURCES names no folder with upstream files: run eng/demo/fetch-sources DIR and set it "
                + "to DIR");

    /// <summary>The demo's own PKGBUILD, without the tests of the software itself, which take minutes.</summary>
    private static async Task<string> PkgbuildAsync(string name)
    {
        var text = await File.ReadAllTextAsync(
            Path.Combine(Checkout.Root, "eng", "demo", "packages", name, "PKGBUILD"),
            TestContext.Current.CancellationToken);
        return CheckFunction().Replace(text, "");
    }

    private static async Task<string> InstalledAsync(RunningFarm farm, string root) => string.Concat(
        (await OutputAsync(farm.PacmanAsync(root, "-Q", "jq", "oniguruma"))).Split('\n')
            .Where(line => line.Length > 0).Order(StringComparer.Ordinal).Select(line => line + "\n"));

    private static async Task<string> OfferedAsync(RunningFarm farm, string root)
    {
        await DoneAsync(farm.PacmanAsync(root, "-Sy"));
        return string.Concat((await OutputAsync(farm.PacmanAsync(root, "-Sl", "quarters"))).Split('\n')
            .Where(line => line.Length > 0).Select(line => string.Join(' ', line.Split(' ')[1..3]) + "\n"));
    }

    private static async Task DoneAsync(Task<Linux.Processes.ProcessResult> running) => await OutputAsync(running);

    private static async Task<string> OutputAsync(Task<Linux.Processes.ProcessResult> running)
    {
        var ended = await running;
        Assert.True(ended.ExitCode == 0, ended.StandardOutput + ended.StandardError);
        return ended.StandardOutput;
    }

    [GeneratedRegex("^check\\(\\) \\{.*?^\\}\n", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CheckFunction();

    [GeneratedRegex("revision (?<revision>[0-9]+) takes it back", RegexOptions.ExplicitCapture)]
    private static partial Regex Revision();
}
