namespace Quarters.Sources.Pkgbuilds;

/// <summary>How PKGBUILDs are read, and within which limits.</summary>
public sealed record PkgbuildReaderSettings
{
    /// <summary>Where trees lie while they are read; made if missing. Everything in it may be deleted.</summary>
    public required string WorkDirectory { get; init; }

    /// <summary>Processor time that reading one PKGBUILD may use, each of its processes for itself; whole
    /// seconds.</summary>
    public TimeSpan CpuTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long reading one PKGBUILD may last.</summary>
    public TimeSpan WallTime { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long one sandbox may live before the rest of its batch gets a new one.</summary>
    public TimeSpan BatchTime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How many sandboxes read at a time, each its share.</summary>
    public int SideBySide { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>How long sandboxes that have read nothing yet are kept for what comes next, so that nobody waits for
    /// their start; zero keeps none.</summary>
    public TimeSpan Waiting { get; init; }

    /// <summary>How many PKGBUILDs share a sandbox.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>How many processes may exist in a sandbox at a time.</summary>
    public int MaxProcesses { get; init; } = 48;

    /// <summary>Memory that one process may map, in bytes.</summary>
    public long MaxProcessMemoryBytes { get; init; } = 256L << 20;

    /// <summary>How large a file in the private <c>/tmp</c> may become, in bytes.</summary>
    public long MaxFileBytes { get; init; } = 4L << 20;

    /// <summary>How much the private <c>/tmp</c> may hold, in bytes.</summary>
    public long MaxTemporaryBytes { get; init; } = 32L << 20;

    /// <summary>How large a PKGBUILD may be, in bytes.</summary>
    public int MaxPkgbuildBytes { get; init; } = 1 << 20;
}
