namespace Quarters.Alpm;

/// <summary>A .SRCINFO: what a PKGBUILD says, as <c>makepkg --printsrcinfo</c> prints it.</summary>
/// <remarks>
/// Source: makepkg's <c>srcinfo.sh</c>. A package's section holds only what its <c>package_NAME()</c> sets anew, be it
/// to nothing; everything else is the base's. Fields for one architecture are separate fields, <c>depends_x86_64</c>.
/// </remarks>
public sealed class SrcInfo
{
    /// <summary>The longest accepted file in bytes.</summary>
    public const int MaxLength = 8 << 20;

    /// <summary>Puts a .SRCINFO together from its sections.</summary>
    /// <exception cref="AlpmFormatException">A name, the version or an architecture is missing or is
    /// refused.</exception>
    public SrcInfo(SrcInfoSection pkgbase, IEnumerable<SrcInfoSection> packages)
    {
        ArgumentNullException.ThrowIfNull(pkgbase);
        Base = pkgbase;
        Packages = [.. packages];
        if (Packages.Count == 0) throw new AlpmFormatException(".SRCINFO", "it has no pkgname");
        if (Packages.DistinctBy(package => package.Name, StringComparer.Ordinal).Count() != Packages.Count)
            throw new AlpmFormatException(".SRCINFO", "a pkgname stands there twice");
        Version = PackageVersion.Create(
            pkgbase.Value("epoch"),
            pkgbase.Value("pkgver") ?? throw new AlpmFormatException(".SRCINFO", "the field pkgver is missing"),
            pkgbase.Value("pkgrel") ?? throw new AlpmFormatException(".SRCINFO", "the field pkgrel is missing"));
        foreach (var section in Packages.Prepend(pkgbase))
        {
            foreach (var architecture in Architectures(section))
            {
                if (!PackageName.IsArchitecture(architecture))
                    throw new AlpmFormatException(
                        $".SRCINFO of {section.Name}",
                        $"{AlpmFormatException.Quote(architecture)} is not an architecture");
            }
        }
    }

    /// <summary>The section of the pkgbase.</summary>
    public SrcInfoSection Base { get; }

    /// <summary>The packages in the order of the PKGBUILD's pkgname.</summary>
    public IReadOnlyList<SrcInfoSection> Packages { get; }

    /// <summary>The version that all packages share.</summary>
    public PackageVersion Version { get; }

    /// <summary>Reads a .SRCINFO.</summary>
    /// <exception cref="AlpmFormatException">A line is malformed or stands in the wrong section, or a field is
    /// missing.</exception>
    public static SrcInfo Parse(ReadOnlySpan<byte> utf8) => SrcInfoText.Read(utf8);

    /// <summary>The text, byte for byte as makepkg prints it. Fields that makepkg does not know stand at a section's
    /// end.</summary>
    public string ToText() => SrcInfoText.Write(this);

    /// <summary>A single-valued field of a package: its own, also when that is empty, else the base's.</summary>
    /// <returns>Null if it is nowhere set, or set to nothing.</returns>
    public string? Value(SrcInfoSection package, string field)
    {
        ArgumentNullException.ThrowIfNull(package);
        return package.Has(field) ? package.Value(field) : Base.Value(field);
    }

    /// <summary>A list of a package: its own, also when that is empty, else the base's.</summary>
    /// <param name="package">The package's section, or <see cref="Base"/>.</param>
    /// <param name="field">The name without architecture, for example <c>depends</c>.</param>
    /// <param name="architecture">What <c>field_architecture</c> adds to it; null for nothing.</param>
    public IReadOnlyList<string> Values(SrcInfoSection package, string field, string? architecture)
    {
        ArgumentNullException.ThrowIfNull(package);
        var common = (package.Has(field) ? package : Base).Values(field);
        if (architecture is null or "any") return common;
        var suffixed = $"{field}_{architecture}";
        var added = (package.Has(suffixed) ? package : Base).Values(suffixed);
        return added.Count == 0 ? common : common.Count == 0 ? added : [.. common, .. added];
    }

    /// <summary>The same as <see cref="Values"/> for depends, makedepends, checkdepends, optdepends, provides,
    /// conflicts and replaces.</summary>
    /// <exception cref="AlpmFormatException">An entry is not a relation.</exception>
    public IReadOnlyList<Relation> Relations(SrcInfoSection package, string field, string? architecture)
    {
        var values = Values(package, field, architecture);
        var relations = new Relation[values.Count];
        for (var i = 0; i < relations.Length; i++)
        {
            relations[i] = Relation.TryRead(values[i], out var relation) is { } problem
                ? throw new AlpmFormatException(
                    $".SRCINFO of {package.Name}",
                    $"{field} {AlpmFormatException.Quote(values[i])} is refused: {problem}")
                : relation!;
        }
        return relations;
    }

    /// <summary>The architectures that a package can be built for.</summary>
    public IReadOnlyList<string> Architectures(SrcInfoSection package) => Values(package, "arch", null);
}
