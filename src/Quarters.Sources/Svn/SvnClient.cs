using Quarters.Linux.Processes;

namespace Quarters.Sources.Svn;

/// <summary>Runs the svn of this machine: without questions, without anybody's configuration, for a bounded time and
/// with bounded output.</summary>
/// <param name="directory">Where its configuration is kept.</param>
/// <param name="timeout">How long one command may last.</param>
internal sealed class SvnClient(string directory, TimeSpan timeout)
{
    // Nobody could be asked; what was known was refused.
    private static readonly string[] Refusals = ["E170001", "E215004"];

    // Of a tunnel: it would push out what ssh said, and speaks of a configuration that is not read.
    private const string Advice = "To better debug SSH connection problems";

    private string ConfigurationDirectory => Path.GetFullPath(Path.Combine(directory, "config"));

    /// <summary>Runs a command.</summary>
    /// <param name="command">The command with its options.</param>
    /// <param name="targets">URLs, each with the revision that it is looked up in: see <see cref="At"/>.</param>
    /// <param name="maxOutputBytes">It is killed when it writes more.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal Task<ProcessResult> RunAsync(
        IEnumerable<string> command, IEnumerable<string> targets, long maxOutputBytes,
        CancellationToken cancellationToken) =>
        RunAsync("svn", command, targets, maxOutputBytes, writes: false, cancellationToken);

    /// <summary>Writes the files of a target into a new directory.</summary>
    internal Task<ProcessResult> ExportAsync(
        string target, string destination, long maxOutputBytes, CancellationToken cancellationToken) => RunAsync(
        "svn", ["export", "--quiet", "--ignore-externals"], [target, destination], maxOutputBytes, writes: true,
        cancellationToken);

    /// <summary>Asks for everything that happened in a range of revisions, contents too: see
    /// <see cref="SvnDump"/>.</summary>
    internal Task<ProcessResult> DumpAsync(
        string url, string range, long maxOutputBytes, CancellationToken cancellationToken) => RunAsync(
        "svnrdump", ["dump", "--quiet", "--incremental", "--revision", range], [url], maxOutputBytes,
        writes: false, cancellationToken);

    /// <summary>Makes a working copy that anybody may read, without what its externals point to.</summary>
    internal Task<ProcessResult> CheckOutAsync(
        string target, string revision, string destination, long maxOutputBytes,
        CancellationToken cancellationToken) => RunAsync(
        "sh",
        [
            "-c", "umask 022; exec svn \"$@\"", "sh", "checkout", "--quiet", "--ignore-externals", "--revision",
            revision,
        ],
        [target, destination], maxOutputBytes, writes: true, cancellationToken);

    private async Task<ProcessResult> RunAsync(
        string program, IEnumerable<string> command, IEnumerable<string> targets, long maxOutputBytes,
        bool writes, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(ConfigurationDirectory);
        return await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = program,
                Arguments =
                [
                    .. command, "--non-interactive", "--no-auth-cache", "--config-dir", ConfigurationDirectory, "--",
                    .. targets,
                ],
                WorkingDirectory = directory,
                Environment = Environment(),
                Timeout = timeout,
                MaxOutputBytes = maxOutputBytes,
                // What only reads ends by itself when nobody takes what it prints; to see to it costs as much as a log.
                ParentDeathSignal = writes,
            },
            cancellationToken);
    }

    /// <summary>A target: a URL as it is at a revision. What follows the last <c>@</c> is a revision to svn, so it is
    /// never left away; every <c>@</c> and <c>%</c> of the path itself is written in the URL's code.</summary>
    internal static string At(string url, string path, string revision)
    {
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.EscapeDataString);
        return $"{string.Join('/', segments.Prepend(url))}@{revision}";
    }

    internal SourceUnreachableException Unreachable(string url, ProcessResult result) => new(
        Refusals.Any(code => result.StandardError.Contains(code, StringComparison.Ordinal))
            ? $"{url} asks for a password, and none is known: run "
                + $"`svn --config-dir {ConfigurationDirectory} info {url}` as the user that quarters runs as, and let "
                + $"svn store it ({Words(result)})"
            : $"{url} cannot be read: svn {result.Ending}: {Words(result)}");

    private static string Words(ProcessResult result) => LastWords.Of(string.Join(
        '\n', result.StandardError.Split('\n').Where(line => !line.Contains(Advice, StringComparison.Ordinal))));

    private static Dictionary<string, string> Environment()
    {
        var environment = InheritedEnvironment.Without("SVN", "LC_");
        // File names are UTF-8 in the repository, and svn refuses to write those that the locale cannot say.
        environment["LC_ALL"] = "C.UTF-8";
        environment["SVN_SSH"] = "ssh -o BatchMode=yes -o ConnectTimeout=30";
        return environment;
    }
}
