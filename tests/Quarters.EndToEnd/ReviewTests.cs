using System.Text.RegularExpressions;
using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>From a change that nobody has seen to the package that pacman gets, with an operator in between.</summary>
public sealed partial class ReviewTests
{
    [Fact]
    public async Task A_change_waits_until_an_operator_has_accepted_just_it_and_what_is_rejected_is_not_built()
    {
        await using var farm = await RunningFarm.CreateAsync(sources: "review = \"all\"");
        farm.Write("tool", "1.0", "");
        await farm.CommitAsync("a tool");
        farm.Start();
        await farm.UntilAsync(s => s.Reviews is [{ Name: "tool", Version: "1.0-1" }], "the new package waits");

        var list = await QuartersAsync(farm, "review", "list");
        Assert.Contains("tool 1.0-1 from packages: it is new here", list, StringComparison.Ordinal);
        var shown = await QuartersAsync(farm, "review", "show", "tool");
        Assert.Contains("+pkgver=1.0", shown, StringComparison.Ordinal);
        var first = Archive().Match(shown).Value;
        await QuartersAsync(farm, "review", "accept", "tool", "--archive", first, "--wait", "120");
        await farm.UntilAsync(s => s.Counts is { Built: 1, Ready: 0, Building: 0 } && s.Reviews is [], "it is built");

        // More than a version: it waits again, and what was accepted before is not an acceptance of it.
        farm.Write("tool", "1.1", "", "url=https://example.org/");
        await farm.CommitAsync("a tool with a page");
        await farm.UntilAsync(s => s.Reviews is [{ Version: "1.1-1", Rejected: false }], "the change waits");
        Assert.Contains("review", await QuartersAsync(farm, "why", "tool"), StringComparison.Ordinal);
        var stale = await farm.QuartersAsync(
            "review", "accept", "tool", "--archive", first, "--wait", "120", "--config",
            Path.Combine(farm.Folder, "quarters.toml"));
        Assert.NotEqual(0, stale.ExitCode);
        await QuartersAsync(farm, "review", "reject", "tool", "--wait", "120");
        var rejected = await farm.UntilAsync(s => s.Reviews is [{ Rejected: true }], "the change is rejected");
        Assert.True(rejected.Counts is { Built: 1, Ready: 0, Building: 0 });

        // What differs from the accepted one by its version alone needs nobody.
        farm.Write("tool", "1.2", "");
        await farm.CommitAsync("a newer tool, without a page");
        await farm.UntilAsync(
            s => s is { Reviews: [], Counts: { Built: 1, Ready: 0, Building: 0 } }
                && farm.Journal.Contains("tool-1.2-1-x86_64.pkg.tar.zst", StringComparison.Ordinal),
            "the mere version is built");
        Assert.DoesNotContain("tool-1.1-1-x86_64.pkg.tar.zst", farm.Journal, StringComparison.Ordinal);
    }

    private static async Task<string> QuartersAsync(RunningFarm farm, params string[] arguments)
    {
        ProcessResult result = await farm.QuartersAsync(
            [.. arguments, "--config", Path.Combine(farm.Folder, "quarters.toml")]);
        Assert.True(result.ExitCode == 0, result.StandardOutput + result.StandardError);
        return result.StandardOutput;
    }

    [GeneratedRegex("(?<=--archive )[0-9a-f]{64}")]
    private static partial Regex Archive();
}
