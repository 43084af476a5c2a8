using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Building;

/// <summary>What somebody at the command line wants built, and how.</summary>
internal sealed record BuildWish
{
    /// <summary>The directory with the PKGBUILD.</summary>
    internal required string Directory { get; init; }

    /// <summary>Where packages, log and .BUILDINFO go.</summary>
    internal required string Output { get; init; }

    /// <summary>Repositories as they were given, <c>NAME=URL|DIR</c>.</summary>
    internal ImmutableArray<string> Repositories { get; init; } = [];

    /// <summary>Packages of the clean chroot; empty takes base and base-devel.</summary>
    internal ImmutableArray<string> Base { get; init; } = [];

    /// <summary>Directories with sources fetched before.</summary>
    internal ImmutableArray<string> Sources { get; init; } = [];

    /// <summary>How much the build may use.</summary>
    internal BuildLimits Limits { get; init; } = new();

    /// <summary>Whether <c>check()</c> and what it needs are left out.</summary>
    internal bool NoCheck { get; init; }

    /// <summary>Whether the whole log is shown.</summary>
    internal bool Verbose { get; init; }

    /// <summary>Whether the answer is one JSON object.</summary>
    internal bool Json { get; init; }

    /// <summary>Whether the chroot of a failed build stays.</summary>
    internal bool Keep { get; init; }

    /// <summary>Whether a shell is opened in the chroot of a failed build.</summary>
    internal bool Shell { get; init; }
}
