using System.Collections.Immutable;
using Quarters.Chroots.Repositories;
using Quarters.Core.Documents;

namespace Quarters.Chroots.Builds;

/// <summary>Takes the build's output as it comes, in the order it was written. It must not wait for long.</summary>
public delegate void LogSink(ReadOnlySpan<byte> bytes);

/// <summary>One package base to build in a clean chroot.</summary>
public sealed record BuildRequest
{
    /// <summary>The directory with the PKGBUILD and the files beside it. It is copied, never written to.</summary>
    public required string SourceDirectory { get; init; }

    /// <summary>The package base.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>What must be installed first: depends, makedepends and checkdepends for the architecture.</summary>
    public required ImmutableArray<string> Dependencies { get; init; }

    /// <summary>Who <c>.PKGINFO</c> names: <c>Name &lt;address&gt;</c>, the source's, never the builder's.</summary>
    public required string Packager { get; init; }

    /// <summary>The time of the source's commit; it becomes <c>SOURCE_DATE_EPOCH</c>.</summary>
    public required DateTimeOffset SourceDate { get; init; }

    /// <summary>What dependencies are installed from.</summary>
    public required RepositorySnapshot Snapshot { get; init; }

    /// <summary>The packages of the golden root; empty takes <c>base</c> and <c>base-devel</c>, those that
    /// exist.</summary>
    public ImmutableArray<string> BasePackages { get; init; } = [];

    /// <summary>Brings package files that no <c>file://</c> server has.</summary>
    public required FetchPackages Fetch { get; init; }

    /// <summary>How much the build may use.</summary>
    public BuildLimits Limits { get; init; } = new();

    /// <summary>Lines that are read after the root's makepkg.conf.</summary>
    public ImmutableArray<string> MakepkgLines { get; init; } = [];

    /// <summary>Further arguments of makepkg, for example <c>--nocheck</c>.</summary>
    public ImmutableArray<string> MakepkgArguments { get; init; } = [];

    /// <summary>Where the packages go; it must exist.</summary>
    public required string OutputDirectory { get; init; }

    /// <summary>True keeps the working copy of a failed build, to look inside.</summary>
    public bool KeepFailed { get; init; }

    /// <summary>Takes the log while it grows; null when nobody watches.</summary>
    public LogSink? Log { get; init; }

    /// <summary>Told when a phase begins; null when nobody watches. It must not wait for long.</summary>
    public Action<BuildPhase>? OnPhase { get; init; }
}
