namespace Quarters.Alpm;

/// <summary>A package's <c>.PKGINFO</c>: what the package says about itself.</summary>
/// <remarks>Source: makepkg's <c>write_pkginfo</c> and libalpm's <c>be_package.c</c>.</remarks>
public sealed record PackageInfo
{
    /// <summary>The longest accepted file in bytes.</summary>
    public const int MaxLength = 4 << 20;

    /// <summary>pkgname.</summary>
    public required string Name { get; init; }

    /// <summary>pkgbase; the name where an old package has none.</summary>
    public required string Base { get; init; }

    /// <summary>The full version.</summary>
    public required PackageVersion Version { get; init; }

    /// <summary>pkgdesc, perhaps empty.</summary>
    public string Description { get; init; } = "";

    /// <summary>The upstream URL, perhaps empty.</summary>
    public string Url { get; init; } = "";

    /// <summary>SOURCE_DATE_EPOCH of the build.</summary>
    public DateTimeOffset BuildDate { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>Who packaged it: <c>Name &lt;address&gt;</c>.</summary>
    public string Packager { get; init; } = "";

    /// <summary>Size of the installed files in bytes.</summary>
    public long InstalledSize { get; init; }

    /// <summary>One architecture, or <c>any</c>.</summary>
    public required string Architecture { get; init; }

    public IReadOnlyList<string> Licenses { get; init; } = [];
    public IReadOnlyList<Relation> Replaces { get; init; } = [];
    public IReadOnlyList<string> Groups { get; init; } = [];
    public IReadOnlyList<Relation> Conflicts { get; init; } = [];
    public IReadOnlyList<Relation> Provides { get; init; } = [];

    /// <summary>Files that pacman saves on upgrade, without leading slash.</summary>
    public IReadOnlyList<string> Backup { get; init; } = [];

    public IReadOnlyList<Relation> Depends { get; init; } = [];
    public IReadOnlyList<Relation> OptDepends { get; init; } = [];
    public IReadOnlyList<Relation> MakeDepends { get; init; } = [];
    public IReadOnlyList<Relation> CheckDepends { get; init; } = [];

    /// <summary>Extended data of pacman 6.1 and later, <c>key=value</c>.</summary>
    public IReadOnlyList<string> Xdata { get; init; } = [];

    /// <summary>Reads a .PKGINFO.</summary>
    /// <exception cref="AlpmFormatException">A line is malformed, a field is unknown, doubled or missing.</exception>
    public static PackageInfo Parse(ReadOnlySpan<byte> utf8) => PackageInfoText.Read(utf8);

    /// <summary>The text as makepkg writes it, without its comments.</summary>
    public string ToText() => PackageInfoText.Write(this);
}
