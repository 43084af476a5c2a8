using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Directories;

/// <summary>A directory of this machine to take packages from.</summary>
public sealed record DirectorySourceSettings
{
    /// <summary>The source's name; it becomes part of file names below the state directory.</summary>
    public required string Name { get; init; }

    /// <summary>A directory that holds a PKGBUILD, or one whose directories do.</summary>
    public required string Path { get; init; }

    /// <summary>The repository that the packages are built for.</summary>
    public required string Repository { get; init; }

    /// <summary>Who is named as the packager. A directory knows no author.</summary>
    public PackagerSettings Packagers { get; init; } = new();

    /// <summary>Where the memory is kept.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>How large a package's directory may be.</summary>
    public TreeLimits TreeLimits { get; init; } = TreeLimits.Default;
}
