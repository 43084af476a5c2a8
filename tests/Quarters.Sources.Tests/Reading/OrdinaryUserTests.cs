using System.Globalization;
using Quarters.Linux;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Tests.Reading;

/// <summary>The sandbox of an ordinary user is another one than root's: the tests that matter run as both.</summary>
public sealed class OrdinaryUserTests
{
    private const int Nobody = 65534;

    [Fact]
    public async Task An_ordinary_user_reads_the_same_and_as_safely_as_root()
    {
        Assert.SkipWhen(
            LibC.EffectiveUserId != 0, "Not root: then all of these tests run as an ordinary user already.");
        using var directory = new TestDirectory();
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories))
        {
            var copy = directory[Path.GetRelativePath(AppContext.BaseDirectory, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        Directory.CreateDirectory(directory["home"]);
        var user = Nobody.ToString(CultureInfo.InvariantCulture);
        await RunAsync("chown", ["-R", $"{user}:{user}", directory.Root]);
        var output = await RunAsync(
            "setpriv",
            [
                "--reuid", user, "--regid", user, "--clear-groups", "env", "HOME=" + directory["home"],
                directory["Quarters.Sources.Tests"], "-parallel", "none",
                "-method", "*PkgbuildReaderTests.*", "-method", "*speak_for_its_neighbours", "-method",
                    "*no_mark_on_the_host*",
                "-method", "*runs_after_it_was_read",
            ]);
        Assert.Contains("Failed: 0, Skipped: 0", output, StringComparison.Ordinal);
        Assert.Contains("Total: 17,", output, StringComparison.Ordinal);
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec { FileName = program, Arguments = arguments, WorkingDirectory = "/" },
                TestContext.Current.CancellationToken);
        Assert.True(result.Succeeded, $"{program} {result.Ending}: {result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }
}
