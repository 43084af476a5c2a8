using System.Globalization;
using System.Text;
using Quarters.Alpm;
using Quarters.Core.Sources;
using Quarters.Linux.Processes;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Git;

/// <summary>A commit, and the paths that it changed relative to its parent.</summary>
internal sealed record GitCommit(
    string Id, DateTimeOffset Time, string AuthorName, string AuthorAddress, IReadOnlyList<string> Paths);

/// <summary>A bare mirror of one branch, and the few git commands that are asked of it.</summary>
/// <param name="directory">Where it is kept.</param>
/// <param name="fetchTimeout">How long fetching may last.</param>
/// <param name="commandTimeout">How long any other command may last.</param>
internal sealed class GitMirror(string directory, TimeSpan fetchTimeout, TimeSpan commandTimeout)
{
    private const string Head = "refs/quarters/head";
    private const long MaxListBytes = 1L << 30;
    private const long MaxWalkBytes = 1L << 40;
    private const int KeptErrorBytes = 16 << 10;
    private const int PathsOfOneCommand = 200;
    private const int BlobsOfOneCommand = 4096;

    // git looks each time whether the mirror is to be packed, which takes as long as a small fetch.
    private const int FetchesBetweenMaintenance = 64;

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

    private int fetches;

    private string ConfigurationPath => Path.Combine(directory, "quarters.gitconfig");

    /// <summary>Brings what is built up to date.</summary>
    /// <param name="url">Where to fetch from.</param>
    /// <param name="reference">What to fetch.</param>
    /// <param name="shallow">True fetches the one commit, without what was before it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The commit; null when the repository has no commit at all.</returns>
    /// <exception cref="SourceUnreachableException">It cannot be fetched, or has no such branch or tag.</exception>
    internal async Task<string?> FetchAsync(
        string url, GitReference reference, bool shallow, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        var wanted = reference.Tags is { } tags ? await NewestTagAsync(url, tags, cancellationToken)
            : reference.Branch is { } branch ? "refs/heads/" + branch
            : "HEAD";
        string[] depth = shallow ? ["--depth=1"] : [];
        var maintenance = fetches++ % FetchesBetweenMaintenance == 0 ? "--auto-maintenance" : "--no-auto-maintenance";
        var fetch = await RunAsync(
            [
                "fetch", "--quiet", "--no-tags", "--force", "--no-recurse-submodules", maintenance, .. depth, "--",
                url, $"+{wanted}:{Head}",
            ],
            fetchTimeout, cancellationToken);
        if (!fetch.Succeeded)
        {
            if (!fetch.StandardError.Contains("couldn't find remote ref", StringComparison.Ordinal))
                throw Unreachable(url, fetch);
            var branches = (await ReferencesAsync(url, "--heads", "*", cancellationToken)).ConvertAll(
                one => one.Name["refs/heads/".Length..]);
            if (branches.Count == 0)
                return null;
            throw new SourceUnreachableException(
                $"{url} has no branch {reference.Branch ?? "that is its HEAD"}; "
                + $"it has {string.Join(", ", branches.Take(8))}.");
        }

        // What was just fetched stands in a file; of a tag, and of what git packed meanwhile, git itself is asked.
        var file = Path.Combine(directory, Head);
        if (reference.Tags is null && File.Exists(file))
            return (await File.ReadAllTextAsync(file, cancellationToken)).Trim();
        var head = await OutputAsync(["rev-parse", "--verify", Head + "^{commit}"], cancellationToken);
        return Encoding.ASCII.GetString(head.Span).Trim();
    }

    /// <summary>Brings all branches and tags up to date, as makepkg keeps the repositories of sources.</summary>
    /// <exception cref="SourceUnreachableException">They cannot be fetched.</exception>
    internal async Task FetchAllAsync(string url, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        var fetch = await RunAsync(
            [
                "fetch", "--quiet", "--force", "--prune", "--no-recurse-submodules", "--", url,
                "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
            ],
            fetchTimeout, cancellationToken);
        if (!fetch.Succeeded)
            throw Unreachable(url, fetch);
    }

    /// <summary>Puts a commit or tag into a new work tree with a repository of its own, for anybody to read.</summary>
    /// <exception cref="SourceUnreachableException">The mirror has no such commit or tag.</exception>
    internal async Task CheckOutAsync(string commit, string destination, CancellationToken cancellationToken)
    {
        string[][] commands =
        [
            ["clone", "--quiet", "--local", "--no-checkout", "--", Path.GetFullPath(directory), destination],
            ["-C", destination, "checkout", "--quiet", "--force", "--no-track", "-B", "makepkg", commit],
        ];
        foreach (var command in commands)
        {
            var spec = Spec(["clone"], commandTimeout, ReadOnlyMemory<byte>.Empty);
            var environment = spec.Environment!.Where(one => one.Key != "GIT_DIR")
                .ToDictionary(one => one.Key, one => one.Value, StringComparer.Ordinal);
            var result = await ProcessRunner.RunAsync(
                spec with
                {
                    FileName = "sh",
                    Arguments = ["-c", "umask 022; exec git \"$@\"", "sh", .. command],
                    Environment = environment,
                },
                cancellationToken);
            if (!result.Succeeded)
                throw new SourceUnreachableException(
                    $"{commit} cannot be checked out: git {result.Ending}: {Words(result)}");
        }
    }

    /// <summary>What stands for the newest state of a repository, without fetching anything: the id of a commit or a
    /// tag.</summary>
    /// <exception cref="SourceUnreachableException">It does not answer, or has no such branch or tag.</exception>
    internal async Task<string> NewestAsync(
        string url, GitReference reference, CancellationToken cancellationToken)
    {
        var name = reference.Tags is { } tags ? await NewestTagAsync(url, tags, cancellationToken)
            : reference.Branch is { } branch ? "refs/heads/" + branch
            : "HEAD";
        var found = await RunAsync(["ls-remote", "--quiet", "--", url, name], fetchTimeout, cancellationToken);
        if (!found.Succeeded)
            throw Unreachable(url, found);
        return found.StandardOutput.Split('\n').Select(line => line.Split('\t')).Where(
            words => words is [_, var one] && one == name).Select(words => words[0]).FirstOrDefault()
            ?? throw new SourceUnreachableException($"{url} has no {name}.");
    }

    /// <summary>The branches or tags of a repository, without fetching anything.</summary>
    /// <exception cref="SourceUnreachableException">It does not answer.</exception>
    private async Task<List<(string Name, string Id)>> ReferencesAsync(
        string url, string which, string pattern, CancellationToken cancellationToken)
    {
        var result = await RunAsync(
            ["ls-remote", "--quiet", "--refs", which, "--", url, pattern], fetchTimeout, cancellationToken);
        if (!result.Succeeded)
            throw Unreachable(url, result);
        return [.. result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('\t', 2)).Where(words => words.Length == 2)
            .Select(words => (words[1], words[0]))];
    }

    private async Task<string> NewestTagAsync(string url, string pattern, CancellationToken cancellationToken)
    {
        var tags = await ReferencesAsync(url, "--tags", "refs/tags/" + pattern, cancellationToken);
        var star = pattern.IndexOf('*');
        return tags.ConvertAll(tag => tag.Name).MaxBy(
            name => star < 0 ? "" : name[("refs/tags/".Length + star)..],
            Comparer<string>.Create((left, right) => VersionOrder.Compare(left, right)))
            ?? throw new SourceUnreachableException($"{url} has no tag that '{pattern}' matches.");
    }

    /// <summary>True when the mirror still has a commit.</summary>
    internal async Task<bool> HasCommitAsync(string commit, CancellationToken cancellationToken) =>
        (await RunAsync(["cat-file", "-e", commit + "^{commit}"], commandTimeout, cancellationToken)).Succeeded;

    /// <summary>Everything below some directories of a commit; below the top when none is named.</summary>
    internal async Task<List<ListedFile>> ListAsync(
        string commit, IReadOnlyList<string> directories, CancellationToken cancellationToken)
    {
        var entries = new List<ListedFile>();
        var all = directories.Count == 0 ? [[]] : directories.Chunk(PathsOfOneCommand);
        foreach (var some in all)
        {
            var output = await OutputAsync(
                ["ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", .. some.Select(
                    path => path + "/")], cancellationToken);
            foreach (var line in Strings(output))
                entries.Add(ParseEntry(line));
        }

        return entries;
    }

    /// <summary>The paths in which two commits differ; null when there is no such commit.</summary>
    internal async Task<List<GitDifference>?> DifferenceAsync(
        string from, string to, string prefix, CancellationToken cancellationToken)
    {
        var result = await RunAsync(
            ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", from, to, "--", .. Pathspec(prefix)],
            commandTimeout, cancellationToken);
        if (!result.Succeeded && !await HasCommitAsync(from, cancellationToken))
            return null;
        Check(result, "diff-tree");
        return [.. Strings(result.OutputBytes).Chunk(2).Select(pair => ParseDifference(pair[0], pair[1]))];
    }

    /// <summary>Walks over commits, the newest first, until <paramref name="visit"/> returns false.</summary>
    internal async Task WalkAsync(
        string range, string prefix, Func<GitCommit, bool> visit, CancellationToken cancellationToken)
    {
        var reader = new GitLogReader(visit);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var spec = Spec(
            ["log", "-z", "--format=" + GitLogReader.Format, "--name-only", "--no-renames", range, "--", .. Pathspec(
                prefix)],
            commandTimeout, ReadOnlyMemory<byte>.Empty) with
        {
            MaxOutputBytes = MaxWalkBytes,
            KeepOutputBytes = KeptErrorBytes,
            OnOutput = (stream, bytes) =>
            {
                if (stream == OutputStream.Output && !reader.Add(bytes))
                    enough.Cancel();
            },
        };
        try
        {
            var result = await ProcessRunner.RunAsync(spec, enough.Token);
            if (reader.Stopped)
                return;
            Check(result, "log");
            reader.Finish();
        }
        catch (OperationCanceledException) when (reader.Stopped && !cancellationToken.IsCancellationRequested)
        {
            // The visitor has seen what it wanted.
        }
    }

    /// <summary>The contents of blobs, in the order asked for.</summary>
    internal async Task<List<ReadOnlyMemory<byte>>> ReadAsync(
        IReadOnlyList<ListedFile> files, CancellationToken cancellationToken)
    {
        var contents = new List<ReadOnlyMemory<byte>>(files.Count);
        foreach (var some in files.Chunk(BlobsOfOneCommand))
        {
            using var blobs = StartReading(some.Sum(file => file.Size), cancellationToken);
            contents.AddRange(await blobs.ReadAsync([.. some.Select(file => file.Id)])
                ?? throw new IOException($"git cat-file in {directory} answered with more than it had listed."));
        }

        return contents;
    }

    /// <summary>Starts what reads contents.</summary>
    internal GitBlobs StartReading(long maxBytes, CancellationToken cancellationToken) =>
        new(
            Spec(["cat-file", "--batch"], commandTimeout, ReadOnlyMemory<byte>.Empty), maxBytes, cancellationToken);

    /// <summary>Makes the mirror, unless it is there.</summary>
    internal async Task PrepareAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(ConfigurationPath, Configuration, cancellationToken);
        if (!File.Exists(Path.Combine(directory, "HEAD")))
            await OutputAsync(["init", "--quiet", "--bare", "--template=", "."], cancellationToken);
    }

    private async Task<ReadOnlyMemory<byte>> OutputAsync(
        IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await RunAsync(arguments, commandTimeout, cancellationToken);
        Check(result, arguments[0]);
        return result.OutputBytes;
    }

    private Task<ProcessResult> RunAsync(
        IReadOnlyList<string> arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        ProcessRunner.RunAsync(Spec(arguments, timeout, ReadOnlyMemory<byte>.Empty), cancellationToken);

    private ProcessSpec Spec(IReadOnlyList<string> arguments, TimeSpan timeout, ReadOnlyMemory<byte> input) => new()
    {
        FileName = "git",
        Arguments = [.. arguments],
        WorkingDirectory = directory,
        Environment = Environment(),
        Input = input,
        Timeout = timeout,
        MaxOutputBytes = MaxListBytes,
        // What only reads ends by itself when nobody asks it any more; to see to it costs a program more.
        ParentDeathSignal = !Reading.Contains(arguments[0]),
    };

    private Dictionary<string, string> Environment()
    {
        var environment = InheritedEnvironment.Without("GIT_");
        environment["GIT_DIR"] = Path.GetFullPath(directory);
        environment["GIT_CONFIG_GLOBAL"] = Path.GetFullPath(ConfigurationPath);
        environment["GIT_CONFIG_NOSYSTEM"] = "1";
        environment["GIT_TERMINAL_PROMPT"] = "0";
        environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=30";
        environment["GIT_OPTIONAL_LOCKS"] = "0";
        environment["LC_ALL"] = "C";
        return environment;
    }

    private void Check(ProcessResult result, string command) => Check(result, command, directory);

    internal static void Check(ProcessResult result, string command, string directory)
    {
        if (!result.Succeeded)
            throw new IOException(
                $"git {command} in {directory} {result.Ending}: {Words(result)} "
                + "If the mirror is damaged, delete that directory; it is fetched anew.");
    }

    private static SourceUnreachableException Unreachable(string url, ProcessResult result) =>
        new($"{url} cannot be fetched: git {result.Ending}: {Words(result)}");

    private static string Words(ProcessResult result) => LastWords.Of(string.Join(
        '\n', result.StandardError.Split('\n').Where(line => !Boilerplate.Contains(line))));

    private static string[] Pathspec(string prefix) => prefix.Length == 0 ? [] : [":(literal)" + prefix];

    private static ListedFile ParseEntry(string line)
    {
        var tab = line.IndexOf('\t');
        var words = line[..tab].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var size = words[3] == "-" ? 0 : long.Parse(words[3], CultureInfo.InvariantCulture);
        return new ListedFile(line[(tab + 1)..], words[2], size, KindOf(words[0]));
    }

    private static TreeEntryKind? KindOf(string mode) => mode switch
    {
        "160000" => null,
        "120000" => TreeEntryKind.Symlink,
        "100755" => TreeEntryKind.Executable,
        _ => TreeEntryKind.File,
    };

    // :MODE MODE ID ID STATUS, before and now.
    private static GitDifference ParseDifference(string facts, string path)
    {
        var words = facts.Split(' ');
        return new GitDifference(path, words[2], words[3], KindOf(words[1]));
    }

    private static IEnumerable<string> Strings(ReadOnlyMemory<byte> output)
    {
        while (output.Span.IndexOf((byte)0) is >= 0 and var end)
        {
            yield return Encoding.UTF8.GetString(output.Span[..end]);
            output = output[(end + 1)..];
        }
    }
}
