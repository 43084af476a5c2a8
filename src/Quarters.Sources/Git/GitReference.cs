namespace Quarters.Sources.Git;

/// <summary>What of a git repository is built: a branch, or the newest of some tags.</summary>
/// <param name="Branch">The branch; null takes the one that the repository calls its own (HEAD).</param>
/// <param name="Tags">When not null, the newest tag is built, by the order of versions, of those that this pattern
/// matches: <c>*</c>, <c>v*</c>, <c>release-*</c>.</param>
public sealed record GitReference(string? Branch, string? Tags)
{
    /// <summary>The branch that the repository calls its own.</summary>
    public static GitReference Head { get; } = new(null, null);

    /// <summary>What makes it unusable; null when nothing does.</summary>
    public string? FindFault()
    {
        if (Branch is not null && Tags is not null)
            return "Either a branch or tags can be built.";
        if (Branch is not null && IsStrange(Branch, ""))
            return $"The branch '{Branch}' is not the name of one.";
        return Tags is not null && (IsStrange(Tags, "*") || Tags.Count(character => character == '*') > 1)
            ? $"'{Tags}' is not a pattern of tags: a name in which one * stands for anything."
            : null;
    }

    private static bool IsStrange(string name, string allowed) =>
        name.Length == 0 || name[0] == '-' || name.Contains("..", StringComparison.Ordinal)
        || name.Any(character => char.IsControl(character)
            || (" ~^:?*[\\".Contains(character) && !allowed.Contains(character)));
}
