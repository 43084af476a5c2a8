using System.Globalization;

namespace Quarters.Chroots.Limits;

/// <summary>
/// The processes of a build where no cgroup can be had, found by their parents: inside a PID namespace orphans go to
/// its first process, so the tree is complete. The kernel does not hold it to any limit of memory; who watches it must.
/// </summary>
internal sealed class ProcessTree(TimeProvider time) : IResourceMeter
{
    private const long TicksPerSecond = 100; // USER_HZ, the same on every architecture that pacman runs on
    private static readonly TimeSpan EmptyTimeout = TimeSpan.FromSeconds(20);

    private readonly HashSet<(int Process, long Born)> _known = [];
    private long _cpuTicks;
    private int _root;

    /// <inheritdoc/>
    public IReadOnlyList<string> Groups => [];

    /// <inheritdoc/>
    public bool LimitsMemory => false;

    /// <inheritdoc/>
    public bool LimitsProcesses => false;

    /// <inheritdoc/>
    public void Started(int process) => _root = process;

    /// <inheritdoc/>
    public ResourceUse Read()
    {
        lock (_known)
        {
            var members = Members();
            foreach (var member in members)
                _known.Add((member.Process, member.Born));
            // What ended last takes its account along: the sum must not fall for that.
            _cpuTicks = Math.Max(_cpuTicks, members.Sum(member => member.CpuTicks));
            return new ResourceUse(
                TimeSpan.FromSeconds((double)_cpuTicks / TicksPerSecond),
                members.Sum(member => member.ResidentPages) * Environment.SystemPageSize,
                OutOfMemory: false,
                KilledByMachine: false,
                OutOfProcesses: false);
        }
    }

    /// <inheritdoc/>
    public async Task EmptyAsync(CancellationToken cancellationToken)
    {
        // The namespace's first process has died with our child, and the kernel kills the rest: it is only to be
        // awaited.
        var started = time.GetTimestamp();
        while (StillThere())
        {
            if (time.GetElapsedTime(started) > EmptyTimeout)
                throw new TimeoutException("Processes of a build do not end. They hang in the kernel.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), time, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private bool StillThere()
    {
        lock (_known)
            return _known.Any(one => ReadStat(one.Process) is { } stat && stat.Born == one.Born && !stat.Ended);
    }

    private List<Stat> Members()
    {
        if (_root == 0)
            return [];
        var all = Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id != 0).Select(ReadStat).OfType<Stat>().ToLookup(stat => stat.Parent);
        var members = new List<Stat>();
        var open = new Queue<int>([_root]);
        while (open.TryDequeue(out var parent))
        {
            foreach (var child in all[parent])
            {
                members.Add(child);
                open.Enqueue(child.Process);
            }
        }

        return members;
    }

    /// <summary>Reads <c>/proc/PID/stat</c> (proc(5)); null when the process has gone.</summary>
    private static Stat? ReadStat(int process)
    {
        string text;
        try
        {
            text = File.ReadAllText($"/proc/{process}/stat");
        }
        catch (IOException)
        {
            return null;
        }

        // The second field, the name in brackets, may hold blanks and brackets; after its last one all is regular.
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return new Stat(
            process, (int)Number(1), fields[0] is "Z" or "X", Number(11) + Number(12) + Number(13) + Number(14),
            Number(19), Number(21));

        long Number(int index) => long.Parse(fields[index], CultureInfo.InvariantCulture);
    }

    private sealed record Stat(int Process, int Parent, bool Ended, long CpuTicks, long Born, long ResidentPages);
}
