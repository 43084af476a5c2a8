using Quarters.Sources.Svn;

namespace Quarters.Sources.Upstreams;

/// <summary>A Subversion repository, of which nothing is kept: the server has every revision.</summary>
internal sealed class SvnUpstream(string url, string directory, TimeSpan timeout) : IUpstreamRepository
{
    private const long MaxWordsBytes = 1L << 20;

    private readonly SvnClient _client = new(directory, timeout);

    public async Task<string> NewestAsync(string? branch, CancellationToken cancellationToken)
    {
        var result = await _client.RunAsync(
            ["info", "--xml"], [SvnClient.At(url, "", "HEAD")], MaxWordsBytes, cancellationToken);
        if (!result.Succeeded)
            throw _client.Unreachable(url, result);
        var commit = SvnXml.Parse(result.OutputBytes, url).Element("entry")?.Element("commit");
        return commit?.Attribute("revision")?.Value is { Length: > 0 } revision && revision.All(char.IsAsciiDigit)
            ? revision
            : throw new SourceUnreachableException($"{url} was answered without a revision.");
    }

    public Task FetchAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task CheckOutAsync(string commit, string destination, CancellationToken cancellationToken)
    {
        var result = await _client.CheckOutAsync(
            SvnClient.At(url, "", commit), commit, destination, MaxWordsBytes, cancellationToken);
        if (!result.Succeeded)
            throw _client.Unreachable(url, result);
    }
}
