namespace Quarters.Sources.Upstreams;

/// <summary>A Bazaar branch, of which a copy is kept.</summary>
internal sealed class BzrUpstream(string url, string directory, TimeSpan timeout) : IUpstreamRepository
{
    private readonly UpstreamProgram _brz = new("brz", directory, timeout);

    private string Copy => Path.Combine(directory, "branch");

    public async Task<string> NewestAsync(string? branch, CancellationToken cancellationToken)
    {
        // NUMBER ID: the number says nothing once history was rewritten.
        var answer = await _brz.RunAsync(["revision-info", "--no-plugins", "--directory", url], cancellationToken);
        return answer.Trim().Split(' ', 2) is [_, var id] && IsId(id)
            ? "revid:" + id
            : throw new SourceUnreachableException($"{url} was answered with '{LastWords.Of(answer)}'.");
    }

    public async Task FetchAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Path.Combine(Copy, ".bzr", "branch")))
            await _brz.RunAsync(
                ["branch", "--no-plugins", "--quiet", "--no-tree", "--use-existing-dir", url, Copy],
                cancellationToken);
        else
            await _brz.RunAsync(
                ["pull", "--no-plugins", "--quiet", "--overwrite", "--directory", Copy, url], cancellationToken);
    }

    /// <summary>A branch of its own, where makepkg makes a checkout: that would look for our copy.</summary>
    public Task CheckOutAsync(string commit, string destination, CancellationToken cancellationToken) => _brz.RunAsync(
        ["branch", "--no-plugins", "--quiet", "--revision", commit, Copy, destination], cancellationToken);

    /// <summary>Whether it is an id as brz makes them, which are ADDRESS-TIME-RANDOM.</summary>
    private static bool IsId(string id) => id.Length > 0 && id != "null:" && !id.StartsWith('-')
        && id.All(character => char.IsAsciiLetterOrDigit(character) || "@._:+-".Contains(character));
}
