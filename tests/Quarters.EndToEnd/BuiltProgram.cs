using System.Diagnostics;

namespace Quarters.EndToEnd;

/// <summary>The program that <c>./quarters</c> builds and runs: what users have, not what tests are compiled
/// with.</summary>
internal static class BuiltProgram
{
    private static readonly Lazy<string> Built = new(Build);

    /// <summary>Where it is. It is built first when a source is newer, which takes minutes.</summary>
    public static string Location => Built.Value;

    private static string Build()
    {
        using var script = Process.Start(
            new ProcessStartInfo("bash", [Checkout.PathOf("quarters"), "version"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
        var said = script.StandardError.ReadToEnd();
        script.WaitForExit();
        if (script.ExitCode != 0) throw new InvalidOperationException(said);
        var runs = Checkout.PathOf("artifacts/run");
        return Path.Combine(runs, File.ReadAllText(Path.Combine(runs, "current")).Trim(), "quarters");
    }
}
