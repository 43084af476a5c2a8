using Quarters.Alpm;

namespace Quarters.Sources.Upstreams;

/// <summary>An entry of a PKGBUILD's <c>source</c> that names a git repository.</summary>
/// <param name="Array">The array that it is in: <c>source</c>, or that of an architecture.</param>
/// <param name="Index">Where in the array.</param>
/// <param name="Name">The directory that makepkg clones it to.</param>
/// <param name="Url">What git fetches from.</param>
/// <param name="Signed">What says that its commits must be signed; else empty.</param>
/// <param name="Branch">The branch; null for the one that the repository calls its own.</param>
/// <param name="Fixed">The tag or commit that it is fixed to, so that there is never anything new; else null.</param>
internal sealed record UpstreamSource(
    string Array, int Index, string Name, string Url, string Signed, string? Branch, string? Fixed)
{
    private const string Prefix = "git+";
    private static readonly string[] Schemes = ["https://", "http://", "git://"];

    private const string CommitFragment = "#commit=";

    /// <summary>What the entry is called where what is known of it is kept.</summary>
    internal string Key => $"{Url}#{Branch}";

    /// <summary>The git repositories among a package's sources.</summary>
    internal static List<UpstreamSource> Of(SrcInfo info) =>
    [
        .. info.Base.Fields
            .Where(field => field.Key == "source" || field.Key.StartsWith("source_", StringComparison.Ordinal))
            .SelectMany(field => field.Value.Select((entry, index) => Parse(field.Key, index, entry)))
            .OfType<UpstreamSource>(),
    ];

    /// <summary>The entry, fixed to a commit.</summary>
    internal string At(string commit) => $"{Name}::{Prefix}{Url}{Signed}{CommitFragment}{commit}";

    private static UpstreamSource? Parse(string array, int index, string entry)
    {
        var named = entry.IndexOf("::", StringComparison.Ordinal);
        var address = named < 0 ? entry : entry[(named + 2)..];
        if (!address.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var hash = address.IndexOf('#', StringComparison.Ordinal);
        var (url, fragment) = hash < 0 ? (address, "") : (address[..hash], address[(hash + 1)..]);
        var query = url.IndexOf('?', StringComparison.Ordinal);
        var signed = query < 0 ? "" : url[query..];
        url = (query < 0 ? url : url[..query])[Prefix.Length..];
        var last = url.TrimEnd('/').Split('/')[^1];
        var name = named >= 0 ? entry[..named]
            : last.EndsWith(".git", StringComparison.Ordinal) ? last[..^4]
            : last;
        return fragment.Split('=', 2) switch
        {
            ["branch", var branch] => new UpstreamSource(array, index, name, url, signed, branch, null),
            ["tag", var tag] => new UpstreamSource(array, index, name, url, signed, null, "refs/tags/" + tag),
            ["commit", var commit] => new UpstreamSource(array, index, name, url, signed, null, commit),
            _ => new UpstreamSource(array, index, name, url, signed, null, null),
        };
    }

    /// <summary>Why it is not asked; null when it can be.</summary>
    internal string? FindFault()
    {
        // Whoever writes a PKGBUILD must not have the master read what lies on its disk, or go where its keys lead.
        if (!Schemes.Any(scheme => Url.StartsWith(scheme, StringComparison.Ordinal)))
            return $"{Url} is not asked for new versions: only https, http and git are";
        if (Url.Any(char.IsControl) || Name is "" or "." or ".." || Name.Contains('/', StringComparison.Ordinal)
            || (Fixed ?? "").StartsWith('-') || (Fixed ?? "").Any(char.IsControl))
            return $"the source {Name} is not named as one can be";
        return new Git.GitReference(Branch, null).FindFault();
    }
}
