using System.Text.RegularExpressions;
using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary><c>./quarters</c>, as somebody with a fresh clone runs it.</summary>
public sealed partial class CheckoutTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private readonly string _place = Directory.CreateTempSubdirectory("quarters-checkout-").FullName;

    public void Dispose() => Directory.Delete(_place, recursive: true);

    [Fact]
    public async Task The_script_builds_when_it_must_and_runs_from_anywhere()
    {
        var first = await RunAsync(null, "vercmp", "1.0-1", "1.1-1");
        Assert.True(first.ExitCode == 0, first.StandardError);
        Assert.Equal("-1\n", first.StandardOutput);

        // The second time nothing is built, and nothing is said of it.
        var second = await RunAsync(null, "vercmp", "1.0-1", "1.1-1");
        Assert.Equal((0, "-1\n", ""), (second.ExitCode, second.StandardOutput, second.StandardError));
    }

    [Fact]
    public async Task Without_the_SDK_the_script_says_what_to_install()
    {
        var ran = await RunAsync(Bare(), "version");
        Assert.Equal(2, ran.ExitCode);
        Assert.StartsWith("quarters: the .NET SDK 10 is needed", ran.StandardError, StringComparison.Ordinal);
        Assert.Single(ran.StandardError.Trim().Split('\n'));
    }

    [Fact]
    public async Task What_is_installed_runs_and_all_is_where_the_guides_say()
    {
        var installed = await RunScriptAsync("eng/install", null, "--prefix", "/usr", "--destdir", _place);
        Assert.True(installed.Succeeded, installed.StandardError);

        // Where nobody would find a runtime.
        var version = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = _place + "/usr/bin/quarters",
                Arguments = ["version"],
                Environment = Bare(),
                Timeout = Patience,
            },
            Stop);
        Assert.Equal((0, ""), (version.ExitCode, version.StandardError));
        foreach (var script in new[]
            {
                "bash-completion/completions/quarters", "zsh/site-functions/_quarters",
                "fish/vendor_completions.d/quarters.fish",
            })
            Assert.Contains(
                "quarters", await File.ReadAllTextAsync($"{_place}/usr/share/{script}", Stop),
                StringComparison.Ordinal);
        var named = new[] { "docs", "contrib", "src" }
            .SelectMany(folder => Directory.EnumerateFiles(
                Path.Combine(Checkout.Root, folder), "*", SearchOption.AllDirectories))
            .SelectMany(file => InstalledPath().Matches(File.ReadAllText(file)).Select(match => match.Value))
            .ToHashSet(StringComparer.Ordinal);
        Assert.NotEmpty(named);
        Assert.All(named, path => Assert.True(File.Exists(_place + path), path));
    }

    private static Dictionary<string, string> Bare() =>
        new() { ["PATH"] = "/nonexistent", ["HOME"] = "/nonexistent" };

    [GeneratedRegex("/usr/(lib|share)/quarters/[A-Za-z0-9/.-]+")]
    private static partial Regex InstalledPath();

    private static Task<ProcessResult> RunAsync(Dictionary<string, string>? environment, params string[] arguments) =>
        RunScriptAsync("quarters", environment, arguments);

    private static Task<ProcessResult> RunScriptAsync(
        string script, Dictionary<string, string>? environment, params string[] arguments) =>
        ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "/bin/bash",
                Arguments = [Path.Combine(Checkout.Root, script), .. arguments],
                WorkingDirectory = Path.GetTempPath(),
                Environment = environment,
                Timeout = Patience,
            },
            Stop);
}
