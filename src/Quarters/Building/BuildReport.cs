using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Quarters.Core.Documents;

namespace Quarters.Building;

/// <summary>What <c>quarters build --json</c> prints.</summary>
internal sealed record BuildReport
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = "quarters/build/1";

    /// <summary>How it ended.</summary>
    public required ResultOutcome Outcome { get; init; }

    /// <summary>The package base.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>Its version.</summary>
    public required string Version { get; init; }

    /// <summary>What it was built for: the architecture of the chroot.</summary>
    public required string Architecture { get; init; }

    /// <summary>Why there are no packages; null when there are.</summary>
    public BuildFailure? Failure { get; init; }

    /// <summary>The packages.</summary>
    public ImmutableArray<ReportedPackage> Packages { get; init; } = [];

    /// <summary>Path of the log.</summary>
    public required string Log { get; init; }

    /// <summary>Path of the .BUILDINFO; null when there is none.</summary>
    public string? BuildInfo { get; init; }

    /// <summary>The chroot of a failed build, where it was to be kept.</summary>
    public string? Kept { get; init; }

    /// <summary>Who .PKGINFO names.</summary>
    public required string Packager { get; init; }

    /// <summary>SOURCE_DATE_EPOCH, in seconds since 1970.</summary>
    public required long SourceDateEpoch { get; init; }

    /// <summary>The phases of the build in the chroot, in order.</summary>
    public required ImmutableArray<PhaseCost> Phases { get; init; }

    /// <summary>From the start of this program to the end of the build.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>The part of it that makepkg ran: fetching and verifying sources, and building.</summary>
    public required double MakepkgSeconds { get; init; }

    /// <summary>All the rest, the start of this program included: what Quarters adds to makepkg.</summary>
    public required double OverheadSeconds { get; init; }

    /// <summary>What the overhead is made of.</summary>
    public required Overhead Overhead { get; init; }
}

/// <summary>What the overhead is made of, in seconds.</summary>
/// <param name="StartSeconds">From the start of the process to the start of the command.</param>
/// <param name="ReadSeconds">Reading the PKGBUILD in its sandbox, asking git, pinning the repositories: side by
/// side.</param>
/// <param name="ChrootSeconds">In the chroot store: root, dependencies, sandboxes, collecting the packages.</param>
internal sealed record Overhead(double StartSeconds, double ReadSeconds, double ChrootSeconds);

/// <summary>A package that was built.</summary>
internal sealed record ReportedPackage(string Path, long Bytes, string Sha256);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BuildReport))]
internal sealed partial class BuildReportJson : JsonSerializerContext;
