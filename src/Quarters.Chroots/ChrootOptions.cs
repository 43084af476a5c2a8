namespace Quarters.Chroots;

/// <summary>How a store of chroots works on this machine.</summary>
public sealed record ChrootOptions
{
    /// <summary>The directory that holds golden roots, working copies and package files: large, on a local file system
    /// that overlayfs accepts as upper layer (ext4, xfs, btrfs, tmpfs; not NFS, not an overlay itself).</summary>
    public required string Directory { get; init; }

    /// <summary>Directories with sources that were fetched before, like makepkg's <c>SRCDEST</c>: looked into before
    /// the network is asked. They are only read.</summary>
    public IReadOnlyList<string> SourceDirectories { get; init; } = [];

    /// <summary>How many jobs <c>make</c> runs at once, unless the root's makepkg.conf says otherwise.</summary>
    public int MakeJobs { get; init; } = Environment.ProcessorCount;

    /// <summary>Builds are stopped before the file system has less than this left, in bytes.</summary>
    public long FreeBytesReserve { get; init; } = 1L << 30;

    /// <summary>How many golden roots stay; the least recently used beyond it are removed when a new one is
    /// made.</summary>
    public int GoldenRootsKept { get; init; } = 4;

    /// <summary>How much a build may print, in bytes, before it is stopped.</summary>
    public long MaxLogBytes { get; init; } = 256L << 20;

    /// <summary>How long a run of pacman may take: installing a base set on a slow disk needs minutes.</summary>
    public TimeSpan PacmanTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }
}
