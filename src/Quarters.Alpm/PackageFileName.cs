using System.Diagnostics.CodeAnalysis;

namespace Quarters.Alpm;

/// <summary>The name of a package file, <c>name-[epoch:]pkgver-pkgrel-arch.pkg.tar[.zst|.xz|.gz]</c>.</summary>
/// <remarks>Every valid one is a safe name for a file: it has no slash and does not begin with a dot or
/// hyphen.</remarks>
public sealed record PackageFileName
{
    private static readonly string[] LogStages = ["prepare", "pkgver", "build", "check", "package", "verify",
        "extract"];

    private PackageFileName(string name, PackageVersion version, string architecture, string extension)
    {
        Name = name;
        Version = version;
        Architecture = architecture;
        Extension = extension;
    }

    /// <summary>The pkgname.</summary>
    public string Name { get; }

    /// <summary>The full version.</summary>
    public PackageVersion Version { get; }

    /// <summary>The architecture, or <c>any</c>.</summary>
    public string Architecture { get; }

    /// <summary>From <c>.pkg.tar</c> to the end.</summary>
    public string Extension { get; }

    /// <summary>The name that makepkg would give.</summary>
    /// <exception cref="AlpmFormatException">A part is not what makepkg accepts.</exception>
    public static PackageFileName Create(string name, PackageVersion version, string architecture, string extension) =>
        Parse($"{name}-{version}-{architecture}{extension}");

    /// <summary>Takes a file name apart.</summary>
    /// <exception cref="AlpmFormatException">It is not the name of a package file.</exception>
    public static PackageFileName Parse(string fileName)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        return TryRead(fileName, out var parsed) is { } problem
            ? throw new AlpmFormatException($"package file name {AlpmFormatException.Quote(fileName)}", problem)
            : parsed!;
    }

    /// <summary>Takes a file name apart; false if it is not the name of a package file.</summary>
    public static bool TryParse([NotNullWhen(true)] string? fileName, [NotNullWhen(true)] out PackageFileName? parsed)
    {
        parsed = null;
        return fileName is not null && TryRead(fileName, out parsed) is null;
    }

    /// <summary>
    /// Is it a name of what builds leave beside a PKGBUILD, and so no part of its source: packages, makepkg's source
    /// packages
    /// and logs (<c>-L</c>), and the <c>NAME-VERSION-ARCH.log</c> and <c>.BUILDINFO</c> of <c>quarters build</c>?
    /// </summary>
    public static bool IsBuildProduct(string fileName)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        if (fileName.Contains(".pkg.tar", StringComparison.Ordinal)
            || fileName.Contains(".src.tar", StringComparison.Ordinal))
            return true;
        var dot = fileName.LastIndexOf('.');
        if (dot < 0 || fileName[dot..] is not (".log" or ".BUILDINFO")) return false;
        var stem = fileName[..dot];
        return Array.Exists(LogStages, stage => stem.EndsWith("-" + stage, StringComparison.Ordinal))
            || TryParse(stem + ".pkg.tar", out _);
    }

    /// <summary>The file name.</summary>
    public override string ToString() => $"{Name}-{Version}-{Architecture}{Extension}";

    /// <summary>Splits <c>name-version-release</c>, as directories of databases are called, at its last two
    /// hyphens.</summary>
    internal static string? SplitNameVersion(string text, out string name, out PackageVersion? version)
    {
        name = "";
        version = null;
        var release = text.LastIndexOf('-');
        var pkgver = release <= 0 ? -1 : text.LastIndexOf('-', release - 1);
        if (pkgver <= 0) return "it is not of the form name-pkgver-pkgrel";
        name = text[..pkgver];
        if (PackageName.Problem(name) is { } problem) return $"the name is refused: {problem}";
        return PackageVersion.TryParse(text[(pkgver + 1)..], out version)
            ? null : "the version is not one that makepkg accepts";
    }

    private static string? TryRead(string text, out PackageFileName? parsed)
    {
        parsed = null;
        var end = text.LastIndexOf(".pkg.tar", StringComparison.Ordinal);
        if (end < 0 || text[end..] is not (".pkg.tar" or ".pkg.tar.zst" or ".pkg.tar.xz" or ".pkg.tar.gz"))
            return "it does not end in .pkg.tar, .pkg.tar.zst, .pkg.tar.xz or .pkg.tar.gz";
        var hyphen = text.LastIndexOf('-', end);
        if (hyphen < 0 || !PackageName.IsArchitecture(text.AsSpan(hyphen + 1, end - hyphen - 1)))
            return "it has no architecture before .pkg.tar";
        if (SplitNameVersion(text[..hyphen], out var name, out var version) is { } problem) return problem;
        parsed = new PackageFileName(name, version!, text[(hyphen + 1)..end], text[end..]);
        // An epoch of 0 would be printed differently.
        return parsed.ToString() == text ? null : "makepkg would not write its version like this";
    }
}
