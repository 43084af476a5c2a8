using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Web;

/// <summary>Source packages that a web server lists.</summary>
public sealed record WebSourceSettings
{
    /// <summary>The source's name; it becomes part of file names below the state directory.</summary>
    public required string Name { get; init; }

    /// <summary>The list: an index document, or a directory listing of nginx.</summary>
    public required Uri Url { get; init; }

    /// <summary>The repository that the packages are built for.</summary>
    public required string Repository { get; init; }

    /// <summary>Who is named as the packager.</summary>
    public PackagerSettings Packagers { get; init; } = new();

    /// <summary>Where the memory is kept.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>How large a source package may be, unpacked.</summary>
    public TreeLimits TreeLimits { get; init; } = TreeLimits.Default;
}
