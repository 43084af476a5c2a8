using System.Collections.Frozen;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>The attributes of a PKGBUILD, as makepkg's <c>util/schema.sh</c> and <c>srcinfo.sh</c> name them.</summary>
internal static class PkgbuildSchema
{
    private static readonly string[] Sums =
        ["cksums", "md5sums", "sha1sums", "sha224sums", "sha256sums", "sha384sums", "sha512sums", "b2sums"];

    internal static readonly FrozenSet<string> Strings =
        FrozenSet.Create(
            StringComparer.Ordinal, "changelog", "epoch", "install", "pkgbase", "pkgdesc", "pkgrel", "pkgver", "url");

    internal static readonly FrozenSet<string> Arrays = FrozenSet.Create(StringComparer.Ordinal,
    [
        "arch", "backup", "checkdepends", "conflicts", "depends", "groups", "license", "makedepends", "noextract",
        "optdepends", "options", "provides", "replaces", "source", "validpgpkeys", .. Sums,
    ]);

    /// <summary>Arrays that may be given for one architecture, <c>depends_x86_64</c>, in the order of a
    /// .SRCINFO.</summary>
    internal static readonly string[] ArchitectureArrays =
    [
        "source", "provides", "conflicts", "depends", "replaces", "optdepends", "makedepends", "checkdepends", .. Sums,
    ];

    /// <summary>What a package function may set.</summary>
    internal static readonly FrozenSet<string> PackageOverrides = FrozenSet.Create(StringComparer.Ordinal,
        "pkgdesc", "arch", "url", "license", "groups", "depends", "optdepends", "provides", "conflicts", "replaces",
        "backup", "options", "install", "changelog");

    /// <summary>What stands in the section of the pkgbase, in this order.</summary>
    internal static readonly string[] BaseFields =
    [
        "pkgdesc", "pkgver", "pkgrel", "epoch", "url", "install", "changelog",
        "arch", "groups", "license", "checkdepends", "makedepends", "depends", "optdepends", "provides", "conflicts",
        "replaces", "noextract", "options", "backup", "source", "validpgpkeys", .. Sums,
    ];

    /// <summary>What stands in the section of a package, in this order.</summary>
    internal static readonly string[] PackageFields =
    [
        "pkgdesc", "url", "install", "changelog",
        "arch", "groups", "license", "checkdepends", "depends", "optdepends", "provides", "conflicts", "replaces",
        "options", "backup",
    ];

    /// <summary>All options that makepkg knows, without the <c>!</c>.</summary>
    internal static readonly FrozenSet<string> Options = FrozenSet.Create(StringComparer.Ordinal,
        "strip", "docs", "libtool", "staticlibs", "emptydirs", "zipman", "purge", "debug", "lto", "autodeps",
        "ccache", "distcc", "buildflags", "makeflags");
}
