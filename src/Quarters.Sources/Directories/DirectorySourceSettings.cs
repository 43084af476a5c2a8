namespace Quarters.Sources.Directories;

/// <summary>A directory of this machine to take packages from.</summary>
public sealed record DirectorySourceSettings : SourceSettings
{
    /// <summary>A directory that holds a PKGBUILD, or one whose directories do.</summary>
    public required string Path { get; init; }
}
