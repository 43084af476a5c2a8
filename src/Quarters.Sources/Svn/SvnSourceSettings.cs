using Quarters.Sources.Versioned;

namespace Quarters.Sources.Svn;

/// <summary>A Subversion repository, or a directory in one, to take packages from.</summary>
public sealed record SvnSourceSettings : VersionedSettings
{
    private static readonly string[] Schemes = ["file://", "svn://", "svn+ssh://", "http://", "https://"];

    /// <summary>How many packages are fetched at once.</summary>
    public int Exports { get; init; } = 4;

    /// <summary>From so many packages on, reading all of them exports the whole tree in one call.</summary>
    public int WholeFrom { get; init; } = 64;

    private protected override string? FindUrlFault() =>
        base.FindUrlFault() ?? (Schemes.Any(scheme => Url.StartsWith(scheme, StringComparison.Ordinal))
            ? null
            : $"The url '{Url}' must begin with svn://, svn+ssh://, http://, https:// or file:///.");
}
