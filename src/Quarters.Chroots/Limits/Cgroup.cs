using System.Globalization;
using Quarters.Core.Documents;
using Quarters.Linux;

namespace Quarters.Chroots.Limits;

/// <summary>The cgroups of one build.</summary>
internal sealed class Cgroup : IResourceMeter
{
    private static readonly TimeSpan EmptyTimeout = TimeSpan.FromSeconds(20);

    /// <summary>The kernel accounts for memory in batches: a peak may fall short of the limit by so much.</summary>
    private const long ChargedAtOnce = 4 << 20;

    private readonly bool _unified;
    private readonly IReadOnlyDictionary<string, string> _directories;
    private readonly TimeProvider _time;

    private Cgroup(CgroupHierarchy hierarchy, string name, TimeProvider time)
    {
        _unified = hierarchy.Unified;
        _time = time;
        _directories = hierarchy.Parents.ToDictionary(
            pair => pair.Key, pair => Path.Combine(pair.Value, name), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Groups => [.. _directories.Values.Distinct(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public bool LimitsMemory => _directories.ContainsKey("memory");

    /// <inheritdoc/>
    public bool LimitsProcesses => _directories.ContainsKey("pids");

    /// <summary>Makes the groups of a build and sets its limits.</summary>
    internal static Cgroup Create(CgroupHierarchy hierarchy, string name, BuildLimits limits, TimeProvider time)
    {
        var group = new Cgroup(hierarchy, name, time);
        foreach (var directory in group.Groups)
            Directory.CreateDirectory(directory);
        var memory = limits.MemoryBytes.ToString(CultureInfo.InvariantCulture);
        var processes = limits.Processes.ToString(CultureInfo.InvariantCulture);
        if (group.LimitsMemory)
        {
            group.Write("memory", group._unified ? "memory.max" : "memory.limit_in_bytes", memory);
            // Swap would only make an over-large build slow before it dies; kernels without swap accounting lack these.
            group.WriteIfThere("memory", "memory.swap.max", "0");
            group.WriteIfThere("memory", "memory.memsw.limit_in_bytes", memory);
        }

        if (group.LimitsProcesses)
            group.Write("pids", "pids.max", processes);
        return group;
    }

    /// <summary>Kills and removes what a killed run of ours left: groups with this prefix, the living
    /// excepted.</summary>
    internal static async Task RemoveLeftoversAsync(
        CgroupHierarchy hierarchy, string prefix, Func<string, bool> isAlive, TimeProvider time,
            CancellationToken cancel)
    {
        var names = hierarchy.Parents.Values.Distinct(StringComparer.Ordinal)
            .SelectMany(Directory.EnumerateDirectories)
            .Select(directory => Path.GetFileName(directory)!)
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && !isAlive(name[prefix.Length..]))
            .Distinct(StringComparer.Ordinal).ToList();
        foreach (var name in names)
        {
            var group = new Cgroup(hierarchy, name, time);
            await group.EmptyAsync(cancel);
            await group.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public void Started(int process)
    {
        // The kernel keeps the account; no need to know who is in it.
    }

    /// <inheritdoc/>
    public ResourceUse Read()
    {
        var killed = LimitsMemory && Value("memory", _unified ? "memory.events" : "memory.oom_control", "oom_kill") > 0;
        var reached = killed && LimitReached();
        return new ResourceUse(
            CpuTime(),
            LimitsMemory ? MemoryBytes() : 0,
            OutOfMemory: reached,
            KilledByMachine: killed && !reached,
            OutOfProcesses: LimitsProcesses && Value("pids", "pids.events", "max") > 0);
    }

    /// <inheritdoc/>
    public async Task EmptyAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        while (Members() is { Count: > 0 } members)
        {
            if (_time.GetElapsedTime(started) > EmptyTimeout)
                throw new TimeoutException(
                    $"Processes of a build do not end: {string.Join(", ", members)}. They hang in the kernel.");
            WriteIfThere(_directories.Keys.First(), "cgroup.kill", "1");
            foreach (var member in members)
                LibC.Kill(member, LibC.SignalKill);
            await Task.Delay(TimeSpan.FromMilliseconds(5), _time, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        foreach (var directory in Groups.Where(Directory.Exists))
            Directory.Delete(directory);
        return ValueTask.CompletedTask;
    }

    private List<int> Members() => [.. Groups
        .Select(directory => Path.Combine(directory, "cgroup.procs")).Where(File.Exists)
        .SelectMany(File.ReadLines).Select(line => int.Parse(line, CultureInfo.InvariantCulture))
        // 0 is a process of another PID namespace than ours, which cannot be one of ours.
        .Where(process => process != 0).Distinct()];

    private TimeSpan CpuTime() => !_directories.ContainsKey("cpuacct") ? TimeSpan.Zero
        : _unified ? TimeSpan.FromMicroseconds(Value("cpuacct", "cpu.stat", "usage_usec"))
        : TimeSpan.FromMicroseconds(
            long.Parse(File.ReadAllText(FileOf("cpuacct", "cpuacct.usage")), CultureInfo.InvariantCulture) / 1000);

    /// <summary>Whether the group ever came to its own limit. The kernel counts processes that it killed for want of
    /// memory elsewhere, too. Version 1 counts failures only where there is no limit for swap, so its peak is looked
    /// at.</summary>
    private bool LimitReached() => _unified
        ? Value("memory", "memory.events", "oom") > 0
        : Number("memory.max_usage_in_bytes") >= Number("memory.limit_in_bytes") - ChargedAtOnce;

    private long Number(string file) =>
        long.Parse(File.ReadAllText(FileOf("memory", file)), CultureInfo.InvariantCulture);

    private long MemoryBytes() => _unified
        ? Value("memory", "memory.stat", "anon") + Value("memory", "memory.stat", "shmem")
        : Value("memory", "memory.stat", "rss") + Value("memory", "memory.stat", "shmem");

    /// <summary>The number after a word in a file of "word number" lines; 0 when the kernel does not know the
    /// word.</summary>
    private long Value(string controller, string file, string word)
    {
        foreach (var line in File.ReadLines(FileOf(controller, file)))
        {
            if (line.StartsWith(
                word, StringComparison.Ordinal) && line.Length > word.Length && line[word.Length] == ' ')
                return long.Parse(line.AsSpan(word.Length + 1), CultureInfo.InvariantCulture);
        }

        return 0;
    }

    private string FileOf(string controller, string file) => Path.Combine(_directories[controller], file);

    private void Write(string controller, string file, string text) =>
        File.WriteAllText(FileOf(controller, file), text);

    private void WriteIfThere(string controller, string file, string text)
    {
        if (File.Exists(FileOf(controller, file)))
            Write(controller, file, text);
    }
}
