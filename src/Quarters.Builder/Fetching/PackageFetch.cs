using Quarters.Chroots.Repositories;

namespace Quarters.Builder.Fetching;

/// <summary>Downloads the packages that a build installs, from the first of their servers that has them.</summary>
internal sealed class PackageFetch(MasterLink master)
{
    private const int AtOnce = 4;

    /// <summary>A <see cref="FetchPackages"/>.</summary>
    /// <exception cref="IOException">One could not be had from anywhere.</exception>
    internal async Task FetchAsync(
        IReadOnlyList<NeededPackage> needed, string intoDirectory, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(needed, options, async (package, token) => await FetchAsync(package, intoDirectory, token));
    }

    private async Task FetchAsync(NeededPackage package, string intoDirectory, CancellationToken cancellationToken)
    {
        var reasons = new List<string>();
        var path = Path.Combine(intoDirectory, package.FileName);
        foreach (var server in package.Servers)
        {
            if (!Uri.TryCreate(server.TrimEnd('/') + "/" + Uri.EscapeDataString(package.FileName), UriKind.Absolute, out var from)
                || (from.Scheme != Uri.UriSchemeHttp && from.Scheme != Uri.UriSchemeHttps))
                continue;
            if (await master.DownloadAsync(from, path, package.Sha256, package.Bytes, cancellationToken) is not { } failure)
                return;
            reasons.Add(failure.Sentence);
        }

        throw new IOException(reasons.Count == 0
            ? $"{package.Repository} has no server with {package.FileName} that could be asked"
            : string.Join("; ", reasons));
    }
}
