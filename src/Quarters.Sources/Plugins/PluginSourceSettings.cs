using System.Collections.Immutable;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Plugins;

/// <summary>A program of the operator's to take packages from: <c>docs/reference/plugins.md</c>.</summary>
public sealed record PluginSourceSettings
{
    /// <summary>The source's name; it becomes part of file names below the state directory.</summary>
    public required string Name { get; init; }

    /// <summary>The program, and its arguments; no shell reads them.</summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>The repository that the packages are built for.</summary>
    public required string Repository { get; init; }

    /// <summary>Who is named as the packager.</summary>
    public PackagerSettings Packagers { get; init; } = new();

    /// <summary>Where the memory is kept, and where the program works.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>How large a package's directory may be.</summary>
    public TreeLimits TreeLimits { get; init; } = TreeLimits.Default;

    /// <summary>How long the program may run.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How much it may print, in bytes.</summary>
    public long MaxOutputBytes { get; init; } = 64L << 20;
}
