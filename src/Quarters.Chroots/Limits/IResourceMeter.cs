namespace Quarters.Chroots.Limits;

/// <summary>What the processes of one build use, and the end of them. Two kinds: a cgroup, and the process tree where
/// there is none.</summary>
internal interface IResourceMeter : IAsyncDisposable
{
    /// <summary>The cgroups to enter; empty where there are none.</summary>
    IReadOnlyList<string> Groups { get; }

    /// <summary>True when the kernel itself holds the processes to the limit of memory.</summary>
    bool LimitsMemory { get; }

    /// <summary>True when the kernel itself holds the processes to the limit of their number.</summary>
    bool LimitsProcesses { get; }

    /// <summary>Tells the first process of the tree, once it runs.</summary>
    void Started(int process);

    /// <summary>What is used now.</summary>
    ResourceUse Read();

    /// <summary>Waits until no process is left, killing those that are.</summary>
    /// <exception cref="TimeoutException">Some did not go: they hang in the kernel.</exception>
    Task EmptyAsync(CancellationToken cancellationToken);
}

/// <summary>A reading of a meter.</summary>
/// <param name="CpuTime">User and system time so far.</param>
/// <param name="MemoryBytes">Memory in use that cannot simply be dropped (no file cache).</param>
/// <param name="OutOfMemory">True once the kernel killed a process for the memory limit.</param>
/// <param name="KilledByMachine">True once the kernel killed a process although the build was within its memory
/// limit: the machine itself had none left.</param>
/// <param name="OutOfProcesses">True once the kernel refused a process for the limit of their number.</param>
internal sealed record ResourceUse(TimeSpan CpuTime, long MemoryBytes, bool OutOfMemory, bool KilledByMachine,
    bool OutOfProcesses);
