using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary><c>./quarters</c>, as somebody with a fresh clone runs it.</summary>
public sealed class CheckoutTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

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
        var bare = new Dictionary<string, string> { ["PATH"] = "/nonexistent", ["HOME"] = "/nonexistent" };
        var ran = await RunAsync(bare, "version");
        Assert.Equal(2, ran.ExitCode);
        Assert.StartsWith("quarters: the .NET SDK 10 is needed", ran.StandardError, StringComparison.Ordinal);
        Assert.Single(ran.StandardError.Trim().Split('\n'));
    }

    private static Task<ProcessResult> RunAsync(Dictionary<string, string>? environment, params string[] arguments) =>
        ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "/bin/bash",
                Arguments = [Path.Combine(Root(), "quarters"), .. arguments],
                WorkingDirectory = Path.GetTempPath(),
                Environment = environment,
                Timeout = Patience,
            },
            TestContext.Current.CancellationToken);

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Quarters.slnx")))
            at = at.Parent ?? throw new InvalidOperationException("the tests do not run below a checkout");
        return at.FullName;
    }
}
