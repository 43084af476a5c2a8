using Quarters.Sources.Hg;

namespace Quarters.Sources.Upstreams;

/// <summary>A Mercurial repository, of which a mirror is kept.</summary>
internal sealed class HgUpstream(string url, string directory, TimeSpan timeout) : IUpstreamRepository
{
    private readonly HgMirror _mirror = new(directory, timeout, timeout);

    public Task<string> NewestAsync(string? branch, CancellationToken cancellationToken) =>
        _mirror.NewestAsync(url, branch ?? "tip", cancellationToken);

    public Task FetchAsync(CancellationToken cancellationToken) => _mirror.FetchAllAsync(url, cancellationToken);

    public Task CheckOutAsync(string commit, string destination, CancellationToken cancellationToken) =>
        _mirror.CheckOutAsync(commit, destination, cancellationToken);
}
