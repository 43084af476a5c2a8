using System.Collections;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Tests.Contract;

/// <summary>Runs the tools with which a test writes into a source.</summary>
internal static class TestProgram
{
    /// <returns>Standard output.</returns>
    internal static async Task<string> RunAsync(string directory, params string[] command)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = command[0],
                Arguments = command[1..],
                WorkingDirectory = directory,
                Environment = Variables(directory),
            },
            TestContext.Current.CancellationToken);
        Assert.True(result.Succeeded, $"{string.Join(' ', command)}: {result.StandardError}{result.StandardOutput}");
        return result.StandardOutput;
    }

    /// <summary>The environment of tools: a home of the test's own, and nobody's configuration.</summary>
    internal static Dictionary<string, string> Variables(string directory)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string)variable.Value!;
        variables["LC_ALL"] = "C.UTF-8";
        variables["HOME"] = directory;
        // Files of tests change within a second, and what a working copy knows of times is of no use there.
        variables["SVN_I_LOVE_CORRUPTED_WORKING_COPIES_SO_DISABLE_SLEEP_FOR_TIMESTAMPS"] = "yes";
        variables["HGRCPATH"] = "";
        variables["HGPLAIN"] = "1";
        return variables;
    }
}
