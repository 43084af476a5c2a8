using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>
/// A real compiler and its real C library, which need each other, are built from their sources until nothing changes
/// any more, by <c>eng/bootstrap/run</c>. The same with GNU make and busybox runs nightly.
/// </summary>
public sealed class BootstrapTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    [Fact]
    public async Task A_compiler_and_its_C_library_are_built_from_each_other_until_two_stages_have_the_same_bytes()
    {
        var ran = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "/bin/bash",
                Arguments = [Checkout.PathOf("eng/bootstrap/run"), "musl", "tcc"],
                WorkingDirectory = Path.GetTempPath(),
                Environment = Environment(),
                Timeout = Patience,
            },
            TestContext.Current.CancellationToken);
        Assert.True(ran.ExitCode == 0, ran.StandardOutput + ran.StandardError);
        // What the seed's compiler made is unlike what the compiler makes of itself.
        Assert.Matches("stage 2: 2 packages, .*[12] unlike stage 1\n", ran.StandardOutput);
        Assert.Contains("usr/bin/tcc", ran.StandardOutput, StringComparison.Ordinal);
        Assert.Contains("new: the fixpoint is reached: stages ", ran.StandardOutput, StringComparison.Ordinal);
        Assert.EndsWith("Hello from nothing but sources.\n", ran.StandardOutput, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Environment()
    {
        var all = System.Environment.GetEnvironmentVariables();
        var environment = all.Keys.Cast<string>().ToDictionary(key => key, key => (string)all[key]!);
        environment["QUARTERS"] = BuiltProgram.Location;
        return environment;
    }
}
