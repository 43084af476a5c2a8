using System.Globalization;
using Quarters.Chroots.Builds;
using Quarters.Chroots.Isolation;
using Quarters.Core.Documents;
using Quarters.Linux.Files;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Limits;

/// <summary>
/// Watches a running build and says when it must stop. The kernel holds it to memory and processes where there are
/// cgroups; disk, time and silence are looked at several times a second.
/// </summary>
/// <remarks>
/// Summing up what a build has written means walking its tree, so it is done only when the file system has lost half of
/// what the build may still write, or now and then. The space left on the file system is a single call and read each
/// time.
/// </remarks>
internal sealed class LimitWatch(
    BuildLimits limits, IResourceMeter meter, BuildLog log, Confinement confinement, ChrootOptions options)
{
    private const double BusyShare = 0.02; // of one processor; a shell that polls uses less
    private const long FreeFilesReserve = 20_000;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BusyWindow = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestUnmeasured = TimeSpan.FromSeconds(15);

    private long _freeAtMeasure;
    private long _measuredBytes;
    private long _measuredAt;
    private long _busyAt;
    private long _windowStart;
    private TimeSpan _windowCpu;

    /// <summary>The most memory seen at once since it was last taken, in bytes.</summary>
    internal long PeakMemoryBytes { get; private set; }

    /// <summary>Gives the peak since it was last taken, and begins anew.</summary>
    internal long TakePeak()
    {
        var peak = PeakMemoryBytes;
        PeakMemoryBytes = 0;
        return peak;
    }

    /// <summary>Watches until the build breaks a limit or the token says that it has ended.</summary>
    /// <param name="written">The trees that the build writes to.</param>
    /// <param name="ended">The end of the build.</param>
    /// <returns>The broken limit; null when there was none.</returns>
    internal async Task<Breach?> WatchAsync(IReadOnlyList<string> written, CancellationToken ended)
    {
        var time = options.Time;
        _busyAt = _windowStart = _measuredAt = time.GetTimestamp();
        _windowCpu = meter.Read().CpuTime;
        _freeAtMeasure = FileSystemSpace.Of(options.Directory).AvailableBytes;
        _measuredBytes = 0;
        try
        {
            while (true)
            {
                if (LookAtProcesses() is { } breach)
                    return breach;
                if (await LookAtDiskAsync(written, ended) is { } full)
                    return full;
                await Task.Delay(Tick, time, ended);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // It may have ended of what it broke, or of a disk that others filled, between two looks.
            return Hit(meter.Read()) ?? NearlyFull(FileSystemSpace.Of(options.Directory));
        }
    }

    private Breach? LookAtProcesses()
    {
        var use = meter.Read();
        PeakMemoryBytes = Math.Max(PeakMemoryBytes, use.MemoryBytes);
        if (Hit(use) is { } hit)
            return hit;
        if (!meter.LimitsMemory && use.MemoryBytes > limits.MemoryBytes)
            return OutOfMemory();
        var window = options.Time.GetElapsedTime(_windowStart);
        if (window >= BusyWindow)
        {
            if ((use.CpuTime - _windowCpu) / window > BusyShare)
                _busyAt = options.Time.GetTimestamp();
            (_windowStart, _windowCpu) = (options.Time.GetTimestamp(), use.CpuTime);
        }

        var silence = TimeSpan.FromSeconds(limits.SilenceSeconds);
        if (log.Silence < silence || options.Time.GetElapsedTime(_busyAt) < silence)
            return null;
        return new Breach(
            FailureKind.Timeout,
            $"It printed nothing and used no processor for {limits.SilenceSeconds} s, so it hangs.");
    }

    private Breach? Hit(ResourceUse use)
    {
        if (use.KilledByMachine)
            return new Breach(
                FailureKind.Environment, "This machine ran out of memory, and killed one of its processes.");
        if (use.OutOfMemory)
            return OutOfMemory();
        return !use.OutOfProcesses ? null : new Breach(
            FailureKind.Package,
                $"It started more than the {limits.Processes} processes that it may have at once.");
    }

    /// <summary>The limits are the farm's: what needs more here needs more everywhere.</summary>
    private Breach OutOfMemory() => new(
        FailureKind.Package, $"It used more than the {Megabytes(limits.MemoryBytes)} of memory that it may use.");

    private async Task<Breach?> LookAtDiskAsync(IReadOnlyList<string> written, CancellationToken ended)
    {
        var space = FileSystemSpace.Of(options.Directory);
        if (NearlyFull(space) is { } full)
            return full;
        var lost = _freeAtMeasure - space.AvailableBytes;
        if (lost < (limits.DiskBytes - _measuredBytes) / 2
            && options.Time.GetElapsedTime(_measuredAt) < LongestUnmeasured)
            return null;
        _measuredBytes = await MeasureAsync(written, ended);
        _freeAtMeasure = space.AvailableBytes;
        _measuredAt = options.Time.GetTimestamp();
        return _measuredBytes <= limits.DiskBytes ? null : new Breach(
            FailureKind.Package, $"It wrote more than the {Megabytes(limits.DiskBytes)} that it may write.");
    }

    private Breach? NearlyFull(FileSystemSpace space) =>
        space.AvailableBytes >= options.FreeBytesReserve && space.AvailableFiles >= FreeFilesReserve
            ? null
            : new Breach(
                FailureKind.Environment,
                $"The file system of {options.Directory} is nearly full: {Megabytes(space.AvailableBytes)} are left.");

    /// <summary>Sums up blocks, not lengths: a sparse file takes what it holds. Runs where every file may be
    /// seen.</summary>
    private async Task<long> MeasureAsync(IReadOnlyList<string> written, CancellationToken ended)
    {
        var spec = confinement.Enter(
            "/", [], ["du", "--summarize", "--one-file-system", "--total", "--block-size=1", "--", .. written]);
        var result = await ProcessRunner.RunAsync(spec, ended);
        // du complains of files that vanish while it looks, and still sums up the rest.
        var total = result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault("");
        if (total.Split('\t') is [var bytes, "total"] && long.TryParse(
            bytes, CultureInfo.InvariantCulture, out var sum))
            return sum;
        throw new IOException(
            $"What a build wrote could not be summed up: du {result.Ending}. {result.StandardError.Trim()}");
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MiB");
}
