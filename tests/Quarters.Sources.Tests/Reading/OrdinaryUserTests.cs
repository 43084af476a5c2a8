using System.Globalization;
using System.Text.RegularExpressions;
using Quarters.Linux;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Tests.Reading;

/// <summary>The sandbox of an ordinary user is another one than root's: the tests that matter run as both.</summary>
public sealed class OrdinaryUserTests
{
    private const int Nobody = 65534;

    private static readonly string[] Tests =
    [
        nameof(HostilePkgbuildTests.A_PKGBUILD_cannot_speak_for_its_neighbours),
        nameof(HostilePkgbuildTests.Whatever_is_read_leaves_no_mark_on_the_host_and_reaches_no_network),
        nameof(HostilePkgbuildTests.Nothing_that_a_PKGBUILD_started_runs_after_it_was_read),
    ];

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
                directory["Quarters.Sources.Tests"], "-parallelMode", "none",
                "-method", $"{typeof(PkgbuildReaderTests).FullName}.*",
                .. Tests.SelectMany(test => new[] { "-method", $"{typeof(HostilePkgbuildTests).FullName}.{test}" }),
            ]);
        var ran = Regex.Match(output, @"Total: (\d+), Errors: 0, Failed: 0, Skipped: 0");
        Assert.True(ran.Success, output);
        Assert.True(int.Parse(ran.Groups[1].Value, CultureInfo.InvariantCulture) > Tests.Length, output);
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
