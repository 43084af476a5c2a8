using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Node;

namespace Quarters.Builder;

/// <summary>What a builder is started with.</summary>
public sealed record BuilderOptions
{
    /// <summary>The name that its owner gave it.</summary>
    public required string Name { get; init; }

    /// <summary>Where it keeps everything: key, journal, logs, results and, unless told otherwise, chroots.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Where it listens; port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>The base URL under which others reach it; null is where it listens.</summary>
    public Uri? PublicAddress { get; init; }

    /// <summary>How it publishes what it says when nobody can reach it, at <see cref="PublicAddress"/>; null when it is
    /// read where it listens.</summary>
    public PublishSettings? Publish { get; init; }

    /// <summary>How patiently it reads others, and whose certificates it trusts beside the system's.</summary>
    public PullerSettings Pulling { get; init; } = new();

    /// <summary>The master's base URL.</summary>
    public required Uri MasterUrl { get; init; }

    /// <summary>The key that the master must prove to have.</summary>
    public required NodeKey MasterKey { get; init; }

    /// <summary>What it builds.</summary>
    public required ImmutableArray<string> Architectures { get; init; }

    /// <summary>How many builds run at once.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>How fast it is, as its owner says: 1 is a builder on which a job takes what it is estimated
    /// to.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>The most memory that one build may use, in bytes; 0 where it is not known.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Directories with upstream sources that were fetched before, like makepkg's <c>SRCDEST</c>.</summary>
    public IReadOnlyList<string> SourceDirectories { get; init; } = [];

    /// <summary>Where the chroots are; null is inside the state directory. See
    /// <see cref="Chroots.ChrootOptions.Directory"/> for what its file system must be able to do.</summary>
    public string? ChrootDirectory { get; init; }

    /// <summary>How many jobs <c>make</c> runs at once; null is as many as there are processors.</summary>
    public int? MakeJobs { get; init; }

    /// <summary>What the owner allows one build at most; a job may ask for less.</summary>
    public BuildLimits LimitsAtMost { get; init; } = new()
    {
        MemoryBytes = long.MaxValue,
        Processes = int.MaxValue,
        DiskBytes = long.MaxValue,
        TimeSeconds = 7 * 24 * 3600,
        SilenceSeconds = 24 * 3600,
    };

    /// <summary>Nothing new is taken while the disks of state and chroots have less than this left, in bytes.</summary>
    public long FreeBytesReserve { get; init; } = 2L << 30;

    /// <summary>How fast claims go.</summary>
    public ClaimPace Pace { get; init; } = new();

    /// <summary>The software's version, for <c>/v1/node.json</c>.</summary>
    public required string Version { get; init; }

    /// <summary>Where it logs.</summary>
    public required ILoggerFactory LoggerFactory { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>A number from 0 to 1, for the jitter of pauses.</summary>
    public Func<double> Random { get; init; } = new Random().NextDouble;
}
