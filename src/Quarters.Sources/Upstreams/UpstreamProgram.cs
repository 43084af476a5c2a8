using Quarters.Linux.Processes;

namespace Quarters.Sources.Upstreams;

/// <summary>Runs a program that fetches an upstream: without questions, in an environment of its own, so that nobody's
/// configuration counts, and for a bounded time.</summary>
/// <param name="program">The program.</param>
/// <param name="directory">Where it runs, and has its home.</param>
/// <param name="timeout">How long one command may last.</param>
internal sealed class UpstreamProgram(string program, string directory, TimeSpan timeout)
{
    /// <summary>Runs a command; what it writes may be read by anybody.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What it printed.</returns>
    /// <exception cref="SourceUnreachableException">It failed.</exception>
    internal async Task<string> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var environment = InheritedEnvironment.Without("BRZ", "BZR", "FOSSIL", "PYTHON", "XDG_");
        environment["HOME"] = environment["BRZ_HOME"] = environment["FOSSIL_HOME"] = Path.GetFullPath(directory);
        environment["BRZ_LOG"] = "/dev/null";
        environment["BRZ_EMAIL"] = "quarters <quarters@localhost>";
        environment["BRZ_PROGRESS_BAR"] = "none";
        environment["FOSSIL_USER"] = environment["USER"] = "quarters";
        environment["LC_ALL"] = "C.UTF-8";
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "sh",
                Arguments = ["-c", "umask 022; exec \"$@\"", "sh", program, .. arguments],
                WorkingDirectory = directory,
                Environment = environment,
                Timeout = timeout,
                ParentDeathSignal = true,
            },
            cancellationToken);
        return result.Succeeded
            ? result.StandardOutput
            : throw new SourceUnreachableException($"{program} {result.Ending}: {LastWords.Of(result)}");
    }
}
