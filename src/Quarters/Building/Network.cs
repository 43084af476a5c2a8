using Quarters.Node;

namespace Quarters.Building;

/// <summary>The servers of others, for who needs them: a build that finds everything on this machine pays nothing for
/// it.
/// </summary>
internal sealed class Network(TimeProvider time) : IDisposable
{
    private readonly Lazy<Puller> _puller =
        new(() => new Puller(null, new PullerSettings(), time, new Random().NextDouble));

    internal Puller Puller => _puller.Value;

    internal Task<PullFailure?> DownloadAsync(
        Uri from, string path, string sha256, long maxBytes, CancellationToken cancellationToken) =>
        Puller.DownloadAsync(from, path, sha256, maxBytes, cancellationToken);

    public void Dispose()
    {
        if (_puller.IsValueCreated)
            _puller.Value.Dispose();
    }
}
