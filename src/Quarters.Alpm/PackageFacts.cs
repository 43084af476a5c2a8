namespace Quarters.Alpm;

/// <summary>What one pass over a package file told.</summary>
/// <param name="Info">Its .PKGINFO.</param>
/// <param name="Build">Its .BUILDINFO; null in a package that makepkg did not build.</param>
/// <param name="Entries">Everything in it in the order of the archive, the metadata (<c>.PKGINFO</c>, …)
/// included.</param>
/// <param name="UnpackedSize">The size of the uncompressed archive in bytes.</param>
public sealed record PackageFacts(
    PackageInfo Info, BuildInfo? Build, IReadOnlyList<PackageEntry> Entries, long UnpackedSize)
{
    /// <summary>The paths that pacman installs, as a files database lists them: sorted by bytes, directories with a
    /// slash.</summary>
    public IReadOnlyList<string> Files => PackagePaths.Files(Entries);

    /// <summary>The names of the shared libraries in it (ELF <c>DT_SONAME</c>), as makepkg writes them
    /// (<c>libfoo.so=2-64</c>), sorted; empty where they were not asked for.</summary>
    public IReadOnlyList<string> Sonames { get; init; } = [];

    /// <summary>The shared libraries that its programs and libraries are linked with (<c>DT_NEEDED</c>) and that are
    /// not in it, sorted; empty where they were not asked for.</summary>
    public IReadOnlyList<string> NeededSonames { get; init; } = [];

    /// <summary>The first entry that would be written, or would point a hard link, outside the root; null if
    /// none.</summary>
    /// <returns>A sentence that names the entry and says why.</returns>
    public string? FindEscape() => PackagePaths.FindEscape(Entries);
}

/// <summary>One member of a package's archive.</summary>
/// <param name="Path">As it is in the archive, without the slash that ends a directory.</param>
/// <param name="Type">What it is.</param>
/// <param name="Mode">The permission bits, set-user-id and sticky included.</param>
/// <param name="Size">Bytes of content; 0 for all but files.</param>
/// <param name="LinkTarget">Where a link points; null for all but links.</param>
public sealed record PackageEntry(string Path, PackageEntryType Type, int Mode, long Size, string? LinkTarget);

/// <summary>What an entry of a package is. Devices and pipes are never packaged and are refused.</summary>
public enum PackageEntryType
{
    File,
    Directory,
    SymbolicLink,
    HardLink,
}

/// <summary>What reading a package may cost. A package that needs more is refused.</summary>
public sealed record PackageReadLimits
{
    /// <summary>The uncompressed archive in bytes.</summary>
    public long MaxUnpackedSize { get; init; } = 64L << 30;

    /// <summary>Members of the archive.</summary>
    public int MaxEntries { get; init; } = 2_000_000;

    /// <summary>Names of shared libraries, own and needed each.</summary>
    public int MaxSonames { get; init; } = 8192;

    /// <summary>Bytes of one path or link target.</summary>
    public int MaxPathLength { get; init; } = 4096;

    /// <summary>Bytes of all paths together, which bounds the memory of <see cref="PackageFacts.Entries"/>.</summary>
    public long MaxPathsLength { get; init; } = 256L << 20;
}
