using Quarters.Sources.Git;

namespace Quarters.Sources.Upstreams;

/// <summary>A git repository, of which a mirror is kept.</summary>
internal sealed class GitUpstream(string url, string directory, TimeSpan timeout) : IUpstreamRepository
{
    private readonly GitMirror mirror = new(directory, timeout, timeout);

    public async Task<string> NewestAsync(string? branch, CancellationToken cancellationToken)
    {
        await mirror.PrepareAsync(cancellationToken);
        return await mirror.NewestAsync(url, new GitReference(branch, null), cancellationToken);
    }

    public Task FetchAsync(CancellationToken cancellationToken) => mirror.FetchAllAsync(url, cancellationToken);

    public Task CheckOutAsync(string commit, string destination, CancellationToken cancellationToken) =>
        mirror.CheckOutAsync(commit, destination, cancellationToken);
}
