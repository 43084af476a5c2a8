namespace Quarters.Alpm;

/// <summary>One package of a repository: its <c>desc</c>, and from a files database its <c>files</c>.</summary>
/// <remarks>Source: repo-add's <c>db_write_entry</c> and libalpm's <c>be_sync.c</c>.</remarks>
public sealed record SyncEntry
{
    /// <summary>The name of the package file, without directory.</summary>
    public required string FileName { get; init; }

    public required string Name { get; init; }

    /// <summary>pkgbase; the name where an old database has none.</summary>
    public required string Base { get; init; }

    public required PackageVersion Version { get; init; }
    public string Description { get; init; } = "";
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Size of the package file in bytes.</summary>
    public long CompressedSize { get; init; }

    /// <summary>Size of the installed files in bytes.</summary>
    public long InstalledSize { get; init; }

    /// <summary>Lower-case hex; null in databases of newer pacman.</summary>
    public string? Md5 { get; init; }

    /// <summary>Lower-case hex.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The detached signature in base64; null where there is none, or it lies beside the package.</summary>
    public string? PgpSignature { get; init; }

    public string Url { get; init; } = "";
    public IReadOnlyList<string> Licenses { get; init; } = [];
    public required string Architecture { get; init; }

    /// <summary>SOURCE_DATE_EPOCH of the build.</summary>
    public DateTimeOffset BuildDate { get; init; } = DateTimeOffset.UnixEpoch;

    public string Packager { get; init; } = "";
    public IReadOnlyList<Relation> Replaces { get; init; } = [];
    public IReadOnlyList<Relation> Conflicts { get; init; } = [];
    public IReadOnlyList<Relation> Provides { get; init; } = [];
    public IReadOnlyList<Relation> Depends { get; init; } = [];
    public IReadOnlyList<Relation> OptDepends { get; init; } = [];
    public IReadOnlyList<Relation> MakeDepends { get; init; } = [];
    public IReadOnlyList<Relation> CheckDepends { get; init; } = [];

    /// <summary>Paths without leading slash, directories ending in one; null when read from a database without
    /// files.</summary>
    public IReadOnlyList<string>? Files { get; init; }

    /// <summary>The entry's directory in the database, <c>name-version</c>.</summary>
    public string DirectoryName => $"{Name}-{Version}";

    /// <summary>The entry that repo-add would write for a package.</summary>
    /// <param name="info">The package's .PKGINFO.</param>
    /// <param name="fileName">The name of the package file.</param>
    /// <param name="compressedSize">The size of the package file in bytes.</param>
    /// <param name="sha256">The hash of the package file in hex.</param>
    /// <param name="files">The paths in the package as <see cref="PackageFacts.Files"/> gives them; null to leave them
    /// out.</param>
    public static SyncEntry FromPackage(
        PackageInfo info, string fileName, long compressedSize, string sha256, IReadOnlyList<string>? files)
    {
        ArgumentNullException.ThrowIfNull(info);
        return new SyncEntry
        {
            FileName = fileName,
            Name = info.Name,
            Base = info.Base,
            Version = info.Version,
            Description = Blanks.Fold(info.Description),
            Groups = [.. info.Groups.Select(Blanks.Fold)],
            CompressedSize = compressedSize,
            InstalledSize = info.InstalledSize,
            Sha256 = sha256,
            Url = Blanks.Fold(info.Url),
            Licenses = [.. info.Licenses.Select(Blanks.Fold)],
            Architecture = info.Architecture,
            BuildDate = info.BuildDate,
            Packager = Blanks.Fold(info.Packager),
            Replaces = info.Replaces,
            Conflicts = info.Conflicts,
            Provides = info.Provides,
            Depends = info.Depends,
            OptDepends = info.OptDepends,
            MakeDepends = info.MakeDepends,
            CheckDepends = info.CheckDepends,
            Files = files,
        };
    }
}
