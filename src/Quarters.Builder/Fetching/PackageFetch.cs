using Quarters.Chroots.Repositories;
using Quarters.Node;

namespace Quarters.Builder.Fetching;

/// <summary>Fetches a file and checks it; see <see cref="Puller.DownloadAsync"/>.</summary>
public delegate Task<PullFailure?> DownloadFile(
    Uri from, string path, string sha256, long maxBytes, CancellationToken cancellationToken);

/// <summary>Downloads the packages that a build installs, from the first of their servers that has them.</summary>
public sealed class PackageFetch(DownloadFile download)
{
    private const int AtOnce = 4;

    /// <summary>A <see cref="FetchPackages"/>.</summary>
    /// <exception cref="IOException">One could not be had from anywhere.</exception>
    public async Task FetchAsync(
        IReadOnlyList<NeededPackage> needed, string intoDirectory, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            needed, options, async (package, token) => await FetchAsync(package, intoDirectory, token));
    }

    private async Task FetchAsync(NeededPackage package, string intoDirectory, CancellationToken cancellationToken)
    {
        var reasons = new List<string>();
        var path = Path.Combine(intoDirectory, package.FileName);
        foreach (var server in package.Servers)
        {
            var address = server.TrimEnd('/') + "/" + Uri.EscapeDataString(package.FileName);
            if (!Uri.TryCreate(address, UriKind.Absolute, out var from)
                || (from.Scheme != Uri.UriSchemeHttp && from.Scheme != Uri.UriSchemeHttps))
                continue;
            if (await download(from, path, package.Sha256, package.Bytes, cancellationToken) is not { } failure)
                return;
            reasons.Add(failure.Sentence);
        }

        throw new IOException(reasons.Count == 0
            ? $"{package.Repository} has no server with {package.FileName} that could be asked"
            : string.Join("; ", reasons));
    }
}
