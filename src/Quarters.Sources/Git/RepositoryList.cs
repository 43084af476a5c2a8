using Quarters.Alpm;

namespace Quarters.Sources.Git;

/// <summary>A repository of the list.</summary>
/// <param name="Name">The package's name, and its path in the source.</param>
/// <param name="Tag">The tag to build; null where the list does not say.</param>
/// <param name="Commit">The commit that the tag must be; null where the list does not say.</param>
internal sealed record ListedRepository(string Name, string? Tag, string? Commit);

/// <summary>
/// The list of repositories: a name a line, or, as in the state repository of Arch Linux, <c>name version tag
/// commit</c>. With the latter nobody need be asked what is new: the list says so. <c>#</c> begins a comment.
/// </summary>
internal static class RepositoryList
{
    private const int MaxRepositories = 100_000;
    private const int CommitLength = 40;

    /// <exception cref="SourceUnreachableException">A line is neither.</exception>
    internal static SortedDictionary<string, ListedRepository> Parse(string text, string place)
    {
        var list = new SortedDictionary<string, ListedRepository>(StringComparer.Ordinal);
        foreach (var (index, raw) in text.Split('\n').Index())
        {
            var words = raw.Split('#')[0].Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
                continue;
            list[words[0]] = Read(words) ?? throw new SourceUnreachableException(
                $"Line {index + 1} of {place} is neither the name of a package nor 'name version tag commit'.");
            if (list.Count > MaxRepositories)
                throw new SourceUnreachableException($"{place} names more than {MaxRepositories} repositories.");
        }

        return list;
    }

    private static ListedRepository? Read(string[] words)
    {
        if (!PackageName.IsValid(words[0]))
            return null;
        return words switch
        {
            [var name] => new ListedRepository(name, null, null),
            [var name, _, var tag, { Length: CommitLength } commit]
                when commit.All(char.IsAsciiHexDigitLower) && new GitReference(null, tag).FindFault() is null
                    && !tag.Contains('*') => new ListedRepository(name, tag, commit),
            _ => null,
        };
    }
}
