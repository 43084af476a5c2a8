using Quarters.Linux.Processes;
using Quarters.Sources.Git;

namespace Quarters.Sources.Upstreams;

/// <summary>A git repository, of which a mirror is kept.</summary>
internal sealed class GitUpstream(string url, string directory, TimeSpan timeout) : IUpstreamRepository
{
    private readonly GitCommands _git = new(directory, timeout, timeout);

    public async Task<string> NewestAsync(string? branch, CancellationToken cancellationToken)
    {
        await _git.PrepareAsync(cancellationToken);
        return await new GitRemote(_git, url).NewestAsync(new GitReference(branch, null), cancellationToken);
    }

    /// <summary>Brings all branches and tags up to date, as makepkg keeps the repositories of sources.</summary>
    /// <exception cref="SourceUnreachableException">They cannot be fetched.</exception>
    public async Task FetchAsync(CancellationToken cancellationToken)
    {
        await _git.PrepareAsync(cancellationToken);
        var fetch = await _git.AskAsync(
            [
                "fetch", "--quiet", "--force", "--prune", "--no-recurse-submodules", "--", url,
                "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
            ],
            cancellationToken);
        if (!fetch.Succeeded)
            throw GitCommands.Unreachable(url, fetch);
    }

    /// <summary>Puts a commit or tag into a new work tree with a repository of its own, for anybody to read.</summary>
    /// <exception cref="SourceUnreachableException">The mirror has no such commit or tag.</exception>
    public async Task CheckOutAsync(string commit, string destination, CancellationToken cancellationToken)
    {
        string[][] commands =
        [
            ["clone", "--quiet", "--local", "--no-checkout", "--", _git.Folder, destination],
            ["-C", destination, "checkout", "--quiet", "--force", "--no-track", "-B", "makepkg", commit],
        ];
        foreach (var command in commands)
        {
            var spec = _git.Spec(["clone"]);
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
                    $"{commit} cannot be checked out: git {result.Ending}: {GitCommands.Words(result)}");
        }
    }
}
