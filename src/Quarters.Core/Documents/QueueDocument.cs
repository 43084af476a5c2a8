using System.Collections.Immutable;

namespace Quarters.Core.Documents;

/// <summary>The jobs that are ready to build, best first: <c>/v1/queue.json</c>.</summary>
public sealed record QueueDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Queue;

    /// <summary>Grows with every change of the master's state.</summary>
    public required long Revision { get; init; }

    /// <summary>
    /// The master's clock when it wrote this; what is said in here about time is of that clock. It alone is no change:
    /// the document is not written anew for it.
    /// </summary>
    public DateTimeOffset Time { get; init; }

    /// <summary>What the farm has before it, by what is known of costs.</summary>
    public Outlook Outlook { get => field ?? new Outlook(0, 0); init; }

    /// <summary>The ready jobs, the most urgent first.</summary>
    public required ImmutableArray<QueueJob> Jobs { get; init; }
}

/// <summary>How much there is to do.</summary>
/// <param name="WorkSeconds">Expected seconds of all open jobs on a builder of weight 1.</param>
/// <param name="PathSeconds">The greatest <see cref="QueueJob.Priority"/> of all open jobs, those included that wait or
/// are being built: no number of builders is faster than this.</param>
public sealed record Outlook(double WorkSeconds, double PathSeconds);

/// <summary>One ready job with all that a builder needs to decide, to start and to be believed.</summary>
public sealed record QueueJob
{
    /// <summary>The job's name, safe as a file name: <c>PKGBASE-VERSION-ARCH-HASH</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The attempt to claim, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>The package base to build.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>The version that the results must have.</summary>
    public required string Version { get; init; }

    /// <summary>The architecture to build on; what is for any is built on the farm's first.</summary>
    public required string Architecture { get; init; }

    /// <summary>Further architectures whose packages may be installed into its root.</summary>
    public ImmutableArray<string> Accepts { get => field.IsDefault ? [] : field; init; }

    /// <summary>Lines that makepkg reads after the root's makepkg.conf.</summary>
    public ImmutableArray<string> Makepkg { get => field.IsDefault ? [] : field; init; }

    /// <summary>SHA-256 of the source package, at <c>/src/SHA256.tar.zst</c>.</summary>
    public required string SourceSha256 { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long SourceBytes { get; init; }

    /// <summary>The snapshot to install dependencies from, at <c>/snapshot/ID/snapshot.json</c>.</summary>
    public required string Snapshot { get; init; }

    /// <summary>Packages of the clean chroot before any dependency.</summary>
    public required ImmutableArray<string> BasePackages { get; init; }

    /// <summary>Relations that must be installed before makepkg starts.</summary>
    public required ImmutableArray<string> Dependencies { get; init; }

    /// <summary>The packages that the build must yield, name and architecture of each.</summary>
    public required ImmutableArray<WantedPackage> Packages { get; init; }

    /// <summary>Who <c>.PKGINFO</c> must name.</summary>
    public required string Packager { get; init; }

    /// <summary>Seconds since 1970 for <c>SOURCE_DATE_EPOCH</c>: when the source was committed.</summary>
    public required long SourceDateEpoch { get; init; }

    /// <summary>
    /// Larger is more urgent: the expected seconds, on a builder of weight 1, from the start of this job to the end of
    /// the longest chain of jobs that wait for it, this one included.
    /// </summary>
    public required double Priority { get; init; }

    /// <summary>How long the build is expected to take on a builder of weight 1, in seconds; from recorded
    /// costs.</summary>
    public double EstimatedSeconds { get; init; }

    /// <summary>The most memory that earlier builds used at once, in bytes; 0 where it is not known. Builders with less
    /// do not take it.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>How many builders shall build it independently.</summary>
    public int Wanted { get; init; } = 1;

    /// <summary>Keys of builders that shall not take it: it failed there, and another is to try.</summary>
    public ImmutableArray<string> Avoid { get => field.IsDefault ? [] : field; init; }

    /// <summary>When the job became ready.</summary>
    public required DateTimeOffset ReadyAt { get; init; }

    /// <summary>How much one build may use.</summary>
    public required BuildLimits Limits { get; init; }
}

/// <summary>One package that a job must yield.</summary>
public sealed record WantedPackage(string Name, string Architecture);

/// <summary>How much one build may use before it is stopped.</summary>
public sealed record BuildLimits
{
    /// <summary>Memory of all its processes, in bytes.</summary>
    public long MemoryBytes { get; init; } = 8L << 30;

    /// <summary>Processes and threads at once.</summary>
    public int Processes { get; init; } = 4096;

    /// <summary>What it may write, in bytes.</summary>
    public long DiskBytes { get; init; } = 40L << 30;

    /// <summary>Wall-clock time, in seconds.</summary>
    public int TimeSeconds { get; init; } = 12 * 3600;

    /// <summary>Time without output and without CPU use, in seconds.</summary>
    public int SilenceSeconds { get; init; } = 1800;
}
