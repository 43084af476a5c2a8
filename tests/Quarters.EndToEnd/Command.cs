using System.Text;
using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>The program as somebody at a terminal runs it: a process of its own, with its exit code and its
/// words.</summary>
internal static class Command
{
    /// <summary>makepkg alone takes many seconds on a small machine that does other things too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static async Task<Ran> RunAsync(
        string workingDirectory, IReadOnlyDictionary<string, string> variables, params string[] arguments)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(one => (string)one.Key, one => (string?)one.Value ?? "", StringComparer.Ordinal);
        foreach (var (name, value) in variables)
            environment[name] = value;
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = BuiltProgram.Location,
                Arguments = arguments,
                WorkingDirectory = workingDirectory,
                Environment = environment,
                Timeout = Patience,
            },
            TestContext.Current.CancellationToken);
        return new Ran(result.ExitCode, result.StandardOutput, result.StandardError);
    }

    /// <summary>What came of it.</summary>
    public sealed record Ran(int ExitCode, string Output, string Error)
    {
        public override string ToString() =>
            new StringBuilder().Append("exit code ").Append(ExitCode).Append('\n').Append(Output).Append(
                '\n').Append(Error).ToString();
    }
}
