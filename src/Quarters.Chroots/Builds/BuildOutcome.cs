using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Chroots.Builds;

/// <summary>How a build ended. A failed build is an outcome, not an exception: only our own breakage throws.</summary>
public abstract record BuildOutcome
{
    private BuildOutcome()
    {
    }

    /// <summary>What it cost.</summary>
    public required BuildCosts Costs { get; init; }

    /// <summary>The packages are in the output directory.</summary>
    public sealed record Built : BuildOutcome
    {
        /// <summary>The packages, by file name.</summary>
        public required ImmutableArray<BuiltPackage> Packages { get; init; }

        /// <summary>The text of the first package's <c>.BUILDINFO</c>: the environment, which all of them
        /// share.</summary>
        public required string BuildInfo { get; init; }
    }

    /// <summary>There are no packages.</summary>
    public sealed record Failed : BuildOutcome
    {
        /// <summary>Where, whose fault, why, and the last lines of the log.</summary>
        public required BuildFailure Failure { get; init; }

        /// <summary>The working copy, when it was asked to be kept and there was one.</summary>
        public string? Kept { get; init; }
    }
}

/// <summary>A package as it came out of the chroot.</summary>
public sealed record BuiltPackage
{
    /// <summary>Its path in the output directory.</summary>
    public required string Path { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Its SHA-256, lower-case hex.</summary>
    public required string Sha256 { get; init; }
}

/// <summary>What a build cost.</summary>
public sealed record BuildCosts
{
    /// <summary>Each phase that was reached, in order.</summary>
    public required ImmutableArray<PhaseCost> Phases { get; init; }

    /// <summary>From the request to the outcome.</summary>
    public required TimeSpan Total { get; init; }

    /// <summary>The part of it that makepkg ran, both for the sources and for the packages. The rest is ours.</summary>
    public required TimeSpan Makepkg { get; init; }
}
