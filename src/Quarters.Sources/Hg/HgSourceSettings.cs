using Quarters.Sources.Versioned;

namespace Quarters.Sources.Hg;

/// <summary>A Mercurial repository to take packages from: <c>https://</c>, <c>http://</c>, <c>ssh://</c>, or a
/// path.</summary>
public sealed record HgSourceSettings : VersionedSettings
{
    private static readonly string[] Schemes = ["http", "https", "ssh", "file"];

    /// <summary>The branch or bookmark that is built.</summary>
    public string Branch { get; init; } = "default";

    private protected override string? FindUrlFault()
    {
        if (base.FindUrlFault() is { } fault)
            return fault;
        // `bundle:`, `union:` and what extensions add are not places that a farm polls.
        if (!Path.IsPathRooted(Url) && !(Uri.TryCreate(Url, UriKind.Absolute, out var url)
            && Schemes.Contains(url.Scheme)))
            return $"The url '{Url}' must begin with https://, http://, ssh:// or be a path.";
        return Branch.Length > 0 && Branch[0] != '-' && !Branch.Any(char.IsControl)
            ? null
            : $"The branch '{Branch}' is not the name of one.";
    }
}
