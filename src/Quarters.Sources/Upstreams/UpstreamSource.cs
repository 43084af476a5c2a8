using Quarters.Alpm;

namespace Quarters.Sources.Upstreams;

/// <summary>An entry of a PKGBUILD's <c>source</c> that names a repository of a kind that is followed.</summary>
/// <param name="Array">The array that it is in: <c>source</c>, or that of an architecture.</param>
/// <param name="Index">Where in the array.</param>
/// <param name="Kind">The program that fetches it, in makepkg's words: <c>git</c>, <c>svn</c> and so on.</param>
/// <param name="Name">The directory that makepkg puts it into.</param>
/// <param name="Url">What that program fetches from.</param>
/// <param name="Signed">What says that its commits must be signed; else empty.</param>
/// <param name="Branch">The branch; null for the one that makepkg takes when none is said.</param>
/// <param name="Fixed">The tag or commit that it is fixed to, so that there is never anything new; else null.</param>
internal sealed record UpstreamSource(
    string Array, int Index, string Kind, string Name, string Url, string Signed, string? Branch, string? Fixed)
{
    private static readonly string[] Kinds = ["bzr", "fossil", "git", "hg", "svn"];
    private static readonly string[] Schemes = ["https://", "http://"];

    /// <summary>What the repository is called where what is known of it is kept.</summary>
    internal string Repository => $"{Kind}+{Url}";

    /// <summary>What the entry is called there.</summary>
    internal string Key => $"{Repository}#{Branch}";

    /// <summary>The repositories among a package's sources.</summary>
    internal static List<UpstreamSource> Of(SrcInfo info) =>
    [
        .. info.Base.Fields
            .Where(field => field.Key == "source" || field.Key.StartsWith("source_", StringComparison.Ordinal))
            .SelectMany(field => field.Value.Select((entry, index) => Parse(field.Key, index, entry)))
            .OfType<UpstreamSource>(),
    ];

    /// <summary>The entry, fixed to a commit.</summary>
    internal string At(string commit) =>
        $"{Name}::{Repository}{Signed}#{(Kind is "git" or "fossil" ? "commit" : "revision")}={commit}";

    private static UpstreamSource? Parse(string array, int index, string entry)
    {
        var named = entry.IndexOf("::", StringComparison.Ordinal);
        var address = named < 0 ? entry : entry[(named + 2)..];
        var kind = Kinds.FirstOrDefault(one => address.StartsWith(one + "+", StringComparison.Ordinal));
        // These name their program by themselves.
        if (kind is null && Kinds.FirstOrDefault(one => address.StartsWith(one + "://", StringComparison.Ordinal))
            is { } own)
            (kind, address) = (own, $"{own}+{address}");
        if (kind is null)
            return null;
        var hash = address.IndexOf('#', StringComparison.Ordinal);
        var (url, fragment) = hash < 0 ? (address, "") : (address[..hash], address[(hash + 1)..]);
        var query = url.IndexOf('?', StringComparison.Ordinal);
        var signed = query < 0 ? "" : url[query..];
        url = (query < 0 ? url : url[..query])[(kind.Length + 1)..];
        var last = url.TrimEnd('/').Split('/')[^1];
        var name = named >= 0 ? entry[..named]
            : kind == "git" && last.EndsWith(".git", StringComparison.Ordinal) ? last[..^4]
            : last;
        var (branch, at) = (kind, fragment.Split('=', 2)) switch
        {
            ("svn" or "bzr", ["revision", var revision]) => (null, revision),
            ("git" or "hg" or "fossil", ["branch", var one]) => (one, null),
            ("git", ["tag", var tag]) => (null, "refs/tags/" + tag),
            ("fossil", ["tag", var tag]) => (null, tag),
            ("git" or "fossil", ["commit", var commit]) => (null, commit),
            ("hg", ["revision" or "tag", var revision]) => (null, revision),
            _ => ((string?)null, (string?)null),
        };
        return new UpstreamSource(array, index, kind, name, url, signed, branch, at);
    }

    /// <summary>Why it is not asked; null when it can be.</summary>
    internal string? FindFault()
    {
        // Whoever writes a PKGBUILD must not have the master read what lies on its disk, or go where its keys lead.
        if (!Schemes.Append(Kind + "://").Any(
            scheme => Url.StartsWith(scheme, StringComparison.Ordinal)))
            return $"{Url} is not asked for new versions: only https, http and {Kind} are";
        if (Url.Any(char.IsControl) || Name is "" or "." or ".." || Name.Contains('/', StringComparison.Ordinal)
            || (Fixed ?? "").StartsWith('-') || (Fixed ?? "").Any(char.IsControl))
            return $"the source {Name} is not named as one can be";
        // hg would evaluate more than names, and svn takes words for dates.
        return Kind switch
        {
            "svn" => (Fixed ?? "").All(char.IsAsciiDigit) ? null : $"the revision {Fixed} of {Name} is no number",
            "bzr" => (Fixed ?? "").All(IsOfRevision) ? null : $"the revision {Fixed} of {Name} is no number",
            "hg" or "fossil" => IsWord(Branch ?? "") && IsWord(Fixed ?? "")
                ? null
                : $"{Name} names a branch or revision oddly",
            _ => new Git.GitReference(Branch, null).FindFault(),
        };
    }

    private static bool IsOfRevision(char character) =>
        char.IsAsciiLetterOrDigit(character) || "@._:+-".Contains(character);

    private static bool IsWord(string text) => !text.StartsWith('-')
        && text.All(character => char.IsAsciiLetterOrDigit(character) || "._-/".Contains(character));
}
