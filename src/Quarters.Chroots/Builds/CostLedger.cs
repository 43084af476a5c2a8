using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Chroots.Builds;

/// <summary>Writes down what each phase of a build cost. A phase that is entered twice is one.</summary>
internal sealed class CostLedger(TimeProvider time, Action<BuildPhase>? onPhase)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<BuildPhase, PhaseCost> _phases = [];
    private readonly long _started = time.GetTimestamp();
    private long _enteredAt = time.GetTimestamp();
    private TimeSpan _cpuAtEntry;
    private bool _inPhase;

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
        lock (_gate)
        {
            if (_inPhase && Current == phase)
                return;
            Close();
            Current = phase;
            _inPhase = true;
        }

        onPhase?.Invoke(phase);
    }

    /// <summary>The sum of it all.</summary>
    internal BuildCosts Finish()
    {
        lock (_gate)
        {
            Close();
            _inPhase = false;
            return new BuildCosts
            {
                Phases = [.. _phases.Values],
                Total = time.GetElapsedTime(_started),
                Makepkg = Makepkg,
            };
        }
    }

    private void Close()
    {
        var cpu = CpuTime();
        if (_inPhase)
        {
            var before = _phases.GetValueOrDefault(Current);
            _phases[Current] = new PhaseCost
            {
                Phase = Current.Name(),
                ElapsedSeconds = (before?.ElapsedSeconds ?? 0) + time.GetElapsedTime(_enteredAt).TotalSeconds,
                CpuSeconds = (before?.CpuSeconds ?? 0) + Math.Max(0, (cpu - _cpuAtEntry).TotalSeconds),
                PeakMemoryBytes = Math.Max(before?.PeakMemoryBytes ?? 0, TakePeakMemory()),
            };
        }

        _enteredAt = time.GetTimestamp();
        _cpuAtEntry = cpu;
    }
}
