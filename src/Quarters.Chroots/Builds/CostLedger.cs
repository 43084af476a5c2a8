using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Chroots.Builds;

/// <summary>Writes down what each phase of a build cost. A phase that is entered twice is one.</summary>
internal sealed class CostLedger(TimeProvider time, Action<BuildPhase>? onPhase)
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<BuildPhase, PhaseCost> phases = [];
    private readonly long started = time.GetTimestamp();
    private long enteredAt = time.GetTimestamp();
    private TimeSpan cpuAtEntry;
    private bool inPhase;

    /// <summary>The phase that the build is in.</summary>
    internal BuildPhase Current { get; private set; }

    /// <summary>The time that makepkg ran so far.</summary>
    internal TimeSpan Makepkg { get; set; }

    /// <summary>Tells the processor time used so far.</summary>
    internal Func<TimeSpan> CpuTime { private get; set; } = () => TimeSpan.Zero;

    /// <summary>Gives the peak of memory since the last call, in bytes.</summary>
    internal Func<long> TakePeakMemory { private get; set; } = () => 0;

    /// <summary>Ends the current phase and begins another.</summary>
    internal void Enter(BuildPhase phase)
    {
        lock (gate)
        {
            if (inPhase && Current == phase)
                return;
            Close();
            Current = phase;
            inPhase = true;
        }

        onPhase?.Invoke(phase);
    }

    /// <summary>The sum of it all.</summary>
    internal BuildCosts Finish()
    {
        lock (gate)
        {
            Close();
            inPhase = false;
            return new BuildCosts
            {
                Phases = [.. phases.Values],
                Total = time.GetElapsedTime(started),
                Makepkg = Makepkg,
            };
        }
    }

    private void Close()
    {
        var cpu = CpuTime();
        if (inPhase)
        {
            var before = phases.GetValueOrDefault(Current);
            phases[Current] = new PhaseCost
            {
                Phase = Current.Name(),
                ElapsedSeconds = (before?.ElapsedSeconds ?? 0) + time.GetElapsedTime(enteredAt).TotalSeconds,
                CpuSeconds = (before?.CpuSeconds ?? 0) + Math.Max(0, (cpu - cpuAtEntry).TotalSeconds),
                PeakMemoryBytes = Math.Max(before?.PeakMemoryBytes ?? 0, TakePeakMemory()),
            };
        }

        enteredAt = time.GetTimestamp();
        cpuAtEntry = cpu;
    }
}
