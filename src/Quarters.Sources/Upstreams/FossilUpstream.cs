namespace Quarters.Sources.Upstreams;

/// <summary>A Fossil repository, of which a copy is kept.</summary>
internal sealed class FossilUpstream(string url, string directory, TimeSpan timeout) : IUpstreamRepository
{
    private const string HashLine = "hash:";

    private readonly UpstreamProgram _fossil = new("fossil", directory, timeout);

    private string Copy => Path.GetFullPath(Path.Combine(directory, "copy.fossil"));

    /// <summary>fossil asks a server only by pulling, which brings what is new and nothing else.</summary>
    public async Task<string> NewestAsync(string? branch, CancellationToken cancellationToken)
    {
        await FetchAsync(cancellationToken);
        var answer = await _fossil.RunAsync(["info", branch ?? "tip", "--repository", Copy], cancellationToken);
        var line = answer.Split('\n').FirstOrDefault(one => one.StartsWith(HashLine, StringComparison.Ordinal));
        var id = line?[HashLine.Length..].Trim().Split(' ')[0] ?? "";
        return id.Length >= 40 && id.All(char.IsAsciiHexDigitLower)
            ? id
            : throw new SourceUnreachableException($"{url} was answered with '{LastWords.Of(answer)}'.");
    }

    public async Task FetchAsync(CancellationToken cancellationToken)
    {
        if (File.Exists(Copy))
        {
            await _fossil.RunAsync(["pull", url, "--once", "--repository", Copy], cancellationToken);
            return;
        }

        var unfinished = Copy + ".new";
        File.Delete(unfinished);
        await _fossil.RunAsync(["clone", "--once", url, unfinished], cancellationToken);
        File.Move(unfinished, Copy);
    }

    /// <summary>The repository lies beside the checkout, as with makepkg, and is found from there: in the sandbox both
    /// are elsewhere.</summary>
    public async Task CheckOutAsync(string commit, string destination, CancellationToken cancellationToken)
    {
        var beside = destination + ".fossil";
        File.Copy(Copy, beside);
        await _fossil.RunAsync(["open", beside, "--workdir", destination, commit], cancellationToken);
        // Whoever wrote the PKGBUILD chose the name; fossil's SQL can write files.
        var name = Path.GetFileName(beside).Replace("'", "''", StringComparison.Ordinal);
        await _fossil.RunAsync(
            [
                "sqlite3", "--no-repository", Path.Combine(destination, ".fslckout"),
                $"UPDATE vvar SET value = '../{name}' WHERE name = 'repository'",
            ],
            cancellationToken);
    }
}
