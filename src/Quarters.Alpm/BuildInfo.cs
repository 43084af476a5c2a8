namespace Quarters.Alpm;

/// <summary>A package's <c>.BUILDINFO</c>: the environment in which it was built.</summary>
/// <remarks>Source: makepkg's <c>write_buildinfo</c>; BUILDINFO(5). Formats 1 and 2.</remarks>
public sealed record BuildInfo
{
    /// <summary>The longest accepted file in bytes.</summary>
    public const int MaxLength = 4 << 20;

    /// <summary>1, or 2 which added the build tool and the start directory.</summary>
    public int Format { get; init; } = 2;

    public required string Name { get; init; }
    public required string Base { get; init; }
    public required PackageVersion Version { get; init; }
    public required string Architecture { get; init; }

    /// <summary>Lower-case hex.</summary>
    public string PkgbuildSha256 { get; init; } = "";

    public string Packager { get; init; } = "";

    /// <summary>SOURCE_DATE_EPOCH of the build.</summary>
    public DateTimeOffset BuildDate { get; init; } = DateTimeOffset.UnixEpoch;

    public string BuildDirectory { get; init; } = "";

    /// <summary>Only in format 2.</summary>
    public string StartDirectory { get; init; } = "";

    /// <summary>Only in format 2.</summary>
    public string BuildTool { get; init; } = "";

    /// <summary>Only in format 2.</summary>
    public string BuildToolVersion { get; init; } = "";

    /// <summary>BUILDENV of makepkg.conf.</summary>
    public IReadOnlyList<string> BuildEnvironment { get; init; } = [];

    /// <summary>OPTIONS of makepkg.conf and PKGBUILD.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Every package that was installed during the build.</summary>
    public IReadOnlyList<InstalledPackage> Installed { get; init; } = [];

    /// <summary>Reads a .BUILDINFO.</summary>
    /// <exception cref="AlpmFormatException">A line is malformed, a field is unknown, doubled or missing.</exception>
    public static BuildInfo Parse(ReadOnlySpan<byte> utf8) => BuildInfoText.Read(utf8);

    /// <summary>The text as makepkg writes it.</summary>
    public string ToText() => BuildInfoText.Write(this);
}

/// <summary>A package that was installed during a build, written <c>name-version-release-arch</c>.</summary>
public sealed record InstalledPackage(string Name, PackageVersion Version, string Architecture)
{
    /// <summary>Reads <c>name-version-release-arch</c>.</summary>
    /// <exception cref="AlpmFormatException">It is not of that form.</exception>
    public static InstalledPackage Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var hyphen = text.LastIndexOf('-');
        var name = "";
        PackageVersion? version = null;
        var problem = hyphen < 0 || !PackageName.IsArchitecture(text.AsSpan(hyphen + 1))
            ? "it does not end in an architecture"
            : PackageFileName.SplitNameVersion(text[..hyphen], out name, out version);
        return problem is null
            ? new InstalledPackage(name, version!, text[(hyphen + 1)..])
            : throw new AlpmFormatException($"installed package {AlpmFormatException.Quote(text)}", problem);
    }

    /// <summary><c>name-version-release-arch</c>.</summary>
    public override string ToString() => $"{Name}-{Version}-{Architecture}";
}
