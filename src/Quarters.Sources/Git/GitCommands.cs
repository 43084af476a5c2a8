using Quarters.Linux.Processes;

namespace Quarters.Sources.Git;

/// <summary>git, run in a bare repository of ours: what it may do, what it is told, and how it failed.</summary>
/// <param name="directory">Where the repository is kept.</param>
/// <param name="fetchTimeout">How long fetching may last.</param>
/// <param name="commandTimeout">How long any other command may last.</param>
internal sealed class GitCommands(string directory, TimeSpan fetchTimeout, TimeSpan commandTimeout)
{
    private const long MaxListBytes = 1L << 30;

    private static readonly string[] Reading = ["cat-file", "diff-tree", "log", "ls-remote", "ls-tree", "rev-parse"];

    private static readonly string[] Boilerplate =
    [
        "fatal: Could not read from remote repository.", "Please make sure you have the correct access rights",
        "and the repository exists.",
    ];

    // The only configuration that git reads: neither the user's nor the system's, so no hooks, helpers or aliases of
    // theirs. It stands in a file because the part of git that serves a local repository does not see what -c says.
    private const string Configuration = """
        [safe]
            directory = *
        [core]
            hooksPath = /dev/null
            askPass = true
        [protocol]
            allow = never
        [protocol "file"]
            allow = always
        [protocol "git"]
            allow = always
        [protocol "http"]
            allow = always
        [protocol "https"]
            allow = always
        [protocol "ssh"]
            allow = always
        [gc]
            autoDetach = false
        [maintenance]
            autoDetach = false
        [fetch]
            recurseSubmodules = false
        """;

    /// <summary>Where the repository is kept.</summary>
    internal string Folder { get; } = Path.GetFullPath(directory);

    private string ConfigurationPath => Path.Combine(Folder, "quarters.gitconfig");

    /// <summary>Makes the repository, unless it is there.</summary>
    internal async Task PrepareAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllTextAsync(ConfigurationPath, Configuration, cancellationToken);
        if (!File.Exists(Path.Combine(Folder, "HEAD")))
            await OutputAsync(["init", "--quiet", "--bare", "--template=", "."], cancellationToken);
    }

    /// <summary>Runs a command that talks to another machine.</summary>
    internal Task<ProcessResult> AskAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        ProcessRunner.RunAsync(Spec(arguments, fetchTimeout), cancellationToken);

    /// <summary>Runs any other command.</summary>
    internal Task<ProcessResult> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        ProcessRunner.RunAsync(Spec(arguments), cancellationToken);

    /// <summary>What a command prints; it must not fail.</summary>
    internal async Task<ReadOnlyMemory<byte>> OutputAsync(
        IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await RunAsync(arguments, cancellationToken);
        Check(result, arguments[0]);
        return result.OutputBytes;
    }

    /// <summary>How a command is run.</summary>
    internal ProcessSpec Spec(IReadOnlyList<string> arguments) => Spec(arguments, commandTimeout);

    private ProcessSpec Spec(IReadOnlyList<string> arguments, TimeSpan timeout) => new()
    {
        FileName = "git",
        Arguments = [.. arguments],
        WorkingDirectory = Folder,
        Environment = Environment(),
        Timeout = timeout,
        MaxOutputBytes = MaxListBytes,
        // What only reads ends by itself when nobody asks it any more; to see to it costs a program more.
        ParentDeathSignal = !Reading.Contains(arguments[0]),
    };

    private Dictionary<string, string> Environment()
    {
        var environment = InheritedEnvironment.Without("GIT_");
        environment["GIT_DIR"] = Folder;
        environment["GIT_CONFIG_GLOBAL"] = ConfigurationPath;
        environment["GIT_CONFIG_NOSYSTEM"] = "1";
        environment["GIT_TERMINAL_PROMPT"] = "0";
        environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=30";
        environment["GIT_OPTIONAL_LOCKS"] = "0";
        environment["LC_ALL"] = "C";
        return environment;
    }

    /// <summary>Throws when a command failed that needs nothing but the repository.</summary>
    internal void Check(ProcessResult result, string command)
    {
        if (!result.Succeeded)
            throw new IOException(
                $"git {command} in {Folder} {result.Ending}: {Words(result)} "
                + "If the mirror is damaged, delete that directory; it is fetched anew.");
    }

    /// <summary>What to throw when another repository does not answer.</summary>
    internal static SourceUnreachableException Unreachable(string url, ProcessResult result) =>
        new($"{url} cannot be fetched: git {result.Ending}: {Words(result)}");

    /// <summary>What git said of its failure, without what it always says.</summary>
    internal static string Words(ProcessResult result) => LastWords.Of(string.Join(
        '\n', result.StandardError.Split('\n').Where(line => !Boilerplate.Contains(line))));
}
