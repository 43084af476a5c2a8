using Quarters.Alpm;

namespace Quarters.Sources.Git;

/// <summary>A repository elsewhere: what it says of itself, without anything being fetched.</summary>
/// <param name="git">How git is run.</param>
/// <param name="url">Where the repository is.</param>
internal sealed class GitRemote(GitCommands git, string url)
{
    /// <summary>The full name of what a reference means there.</summary>
    /// <exception cref="SourceUnreachableException">It does not answer, or has no such tag.</exception>
    internal async Task<string> NameAsync(GitReference reference, CancellationToken cancellationToken) =>
        reference.Tags is { } tags ? await NewestTagAsync(tags, cancellationToken)
        : reference.Branch is { } branch ? "refs/heads/" + branch
        : "HEAD";

    /// <summary>What stands for the newest state of a repository, without fetching anything: the id of a commit or a
    /// tag.</summary>
    /// <exception cref="SourceUnreachableException">It does not answer, or has no such branch or tag.</exception>
    internal async Task<string> NewestAsync(GitReference reference, CancellationToken cancellationToken)
    {
        var name = await NameAsync(reference, cancellationToken);
        var found = await git.AskAsync(["ls-remote", "--quiet", "--", url, name], cancellationToken);
        if (!found.Succeeded)
            throw GitCommands.Unreachable(url, found);
        return found.StandardOutput.Split('\n').Select(line => line.Split('\t')).Where(
            words => words is [_, var one] && one == name).Select(words => words[0]).FirstOrDefault()
            ?? throw new SourceUnreachableException($"{url} has no {name}.");
    }

    /// <summary>The branches, without <c>refs/heads/</c>.</summary>
    /// <exception cref="SourceUnreachableException">It does not answer.</exception>
    internal async Task<List<string>> BranchesAsync(CancellationToken cancellationToken) =>
        (await ReferencesAsync("--heads", "*", cancellationToken)).ConvertAll(
            one => one.Name["refs/heads/".Length..]);

    /// <summary>Branches or tags, with their full names.</summary>
    /// <exception cref="SourceUnreachableException">It does not answer.</exception>
    private async Task<List<(string Name, string Id)>> ReferencesAsync(
        string which, string pattern, CancellationToken cancellationToken)
    {
        var result = await git.AskAsync(
            ["ls-remote", "--quiet", "--refs", which, "--", url, pattern], cancellationToken);
        if (!result.Succeeded)
            throw GitCommands.Unreachable(url, result);
        return [.. result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('\t', 2)).Where(words => words.Length == 2)
            .Select(words => (words[1], words[0]))];
    }

    private async Task<string> NewestTagAsync(string pattern, CancellationToken cancellationToken)
    {
        var tags = await ReferencesAsync("--tags", "refs/tags/" + pattern, cancellationToken);
        var star = pattern.IndexOf('*');
        return tags.ConvertAll(tag => tag.Name).MaxBy(
            name => star < 0 ? "" : name[("refs/tags/".Length + star)..],
            Comparer<string>.Create((left, right) => VersionOrder.Compare(left, right)))
            ?? throw new SourceUnreachableException($"{url} has no tag that '{pattern}' matches.");
    }
}
