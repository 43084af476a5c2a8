using System.Text;
using Quarters.Linux.Processes;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Git;

/// <summary>A commit, and the paths that it changed relative to its parent.</summary>
internal sealed record GitCommit(
    string Id, DateTimeOffset Time, string AuthorName, string AuthorAddress, IReadOnlyList<string> Paths);

/// <summary>A bare mirror of one branch, and what is read from it.</summary>
/// <param name="git">How git is run in it.</param>
internal sealed class GitMirror(GitCommands git)
{
    private const string Head = "refs/quarters/head";
    private const long MaxWalkBytes = 1L << 40;
    private const int KeptErrorBytes = 16 << 10;
    private const int PathsOfOneCommand = 200;
    private const int BlobsOfOneCommand = 4096;

    // git looks each time whether the mirror is to be packed, which takes as long as a small fetch.
    private const int FetchesBetweenMaintenance = 64;

    private int _fetches;

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
        await git.PrepareAsync(cancellationToken);
        var remote = new GitRemote(git, url);
        var wanted = await remote.NameAsync(reference, cancellationToken);
        string[] depth = shallow ? ["--depth=1"] : [];
        var maintenance = _fetches++ % FetchesBetweenMaintenance == 0 ? "--auto-maintenance" : "--no-auto-maintenance";
        var fetch = await git.AskAsync(
            [
                "fetch", "--quiet", "--no-tags", "--force", "--no-recurse-submodules", maintenance, .. depth, "--",
                url, $"+{wanted}:{Head}",
            ],
            cancellationToken);
        if (!fetch.Succeeded)
        {
            if (!fetch.StandardError.Contains("couldn't find remote ref", StringComparison.Ordinal))
                throw GitCommands.Unreachable(url, fetch);
            var branches = await remote.BranchesAsync(cancellationToken);
            if (branches.Count == 0)
                return null;
            throw new SourceUnreachableException(
                $"{url} has no branch {reference.Branch ?? "that is its HEAD"}; "
                + $"it has {string.Join(", ", branches.Take(8))}.");
        }

        // What was just fetched stands in a file; of a tag, and of what git packed meanwhile, git itself is asked.
        var file = Path.Combine(git.Folder, Head);
        if (reference.Tags is null && File.Exists(file))
            return (await File.ReadAllTextAsync(file, cancellationToken)).Trim();
        var head = await git.OutputAsync(["rev-parse", "--verify", Head + "^{commit}"], cancellationToken);
        return Encoding.ASCII.GetString(head.Span).Trim();
    }

    /// <summary>True when the mirror still has a commit.</summary>
    internal async Task<bool> HasCommitAsync(string commit, CancellationToken cancellationToken) =>
        (await git.RunAsync(["cat-file", "-e", commit + "^{commit}"], cancellationToken)).Succeeded;

    /// <summary>Everything below some directories of a commit; below the top when none is named.</summary>
    internal async Task<List<ListedFile>> ListAsync(
        string commit, IReadOnlyList<string> directories, CancellationToken cancellationToken)
    {
        var entries = new List<ListedFile>();
        var all = directories.Count == 0 ? [[]] : directories.Chunk(PathsOfOneCommand);
        foreach (var some in all)
        {
            var output = await git.OutputAsync(
                ["ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", .. some.Select(
                    path => path + "/")], cancellationToken);
            foreach (var line in GitOutput.Strings(output))
                entries.Add(GitOutput.ParseEntry(line));
        }

        return entries;
    }

    /// <summary>The paths in which two commits differ; null when there is no such commit.</summary>
    internal async Task<List<GitDifference>?> DifferenceAsync(
        string from, string to, string prefix, CancellationToken cancellationToken)
    {
        var result = await git.RunAsync(
            ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", from, to, "--", .. Pathspec(prefix)],
            cancellationToken);
        if (!result.Succeeded && !await HasCommitAsync(from, cancellationToken))
            return null;
        git.Check(result, "diff-tree");
        return
        [
            .. GitOutput.Strings(result.OutputBytes).Chunk(2)
                .Select(pair => GitOutput.ParseDifference(pair[0], pair[1])),
        ];
    }

    /// <summary>Walks over commits, the newest first, until <paramref name="visit"/> returns false.</summary>
    internal async Task WalkAsync(
        string range, string prefix, Func<GitCommit, bool> visit, CancellationToken cancellationToken)
    {
        var reader = new GitLogReader(visit);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var spec = git.Spec(
            ["log", "-z", "--format=" + GitLogReader.Format, "--name-only", "--no-renames", range, "--", .. Pathspec(
                prefix)]) with
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
            git.Check(result, "log");
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
                ?? throw new IOException($"git cat-file in {git.Folder} answered with more than it had listed."));
        }

        return contents;
    }

    /// <summary>Starts what reads contents.</summary>
    internal GitBlobs StartReading(long maxBytes, CancellationToken cancellationToken) =>
        new(git, maxBytes, cancellationToken);

    private static string[] Pathspec(string prefix) => prefix.Length == 0 ? [] : [":(literal)" + prefix];
}
