using Quarters.Chroots.Limits;
using Quarters.Core.Documents;

namespace Quarters.Chroots.Tests;

/// <summary>
/// Version 2 of cgroups, on a folder that looks like it: which files are written with what, and what is read. The
/// machines that build Quarters may have version 1, where the other tests see the kernel keep the limits.
/// </summary>
public sealed class UnifiedCgroupTests : IDisposable
{
    private static readonly BuildLimits Limits = new() { MemoryBytes = 1 << 30, Processes = 77 };

    private readonly string _mount = Directory.CreateTempSubdirectory("quarters-cgroup-").FullName;

    public UnifiedCgroupTests() => Write(_mount, "cgroup.controllers", "cpu memory pids\n");

    public void Dispose() => Directory.Delete(_mount, recursive: true);

    [Fact]
    public void A_build_gets_a_group_below_ours_with_its_limits()
    {
        var ours = Directory.CreateDirectory(Path.Combine(_mount, "system.slice", "quarters.service")).FullName;
        Write(ours, "cgroup.subtree_control", "");
        var hierarchy = CgroupHierarchy.Find(_mount, ["0::/system.slice/quarters.service"])!;
        Assert.True(hierarchy.Unified);
        var group = Assert.Single(Cgroup.Create(hierarchy, "x-hello.1", Limits, TimeProvider.System).Groups);
        Assert.Equal(Path.Combine(ours, "quarters", "x-hello.1"), group);
        Assert.Equal("1073741824", File.ReadAllText(Path.Combine(group, "memory.max")));
        Assert.Equal("77", File.ReadAllText(Path.Combine(group, "pids.max")));
        Assert.True(File.Exists(Path.Combine(ours, "cgroup.subtree_control")));
    }

    [Fact]
    public void Use_and_breaches_are_read_from_the_files_of_version_2()
    {
        var hierarchy = CgroupHierarchy.Find(_mount, ["0::/"])!;
        var cgroup = Cgroup.Create(hierarchy, "x-hello.1", Limits, TimeProvider.System);
        var group = Assert.Single(cgroup.Groups);
        Write(group, "cpu.stat", "usage_usec 1500000\nuser_usec 1000000\n");
        Write(group, "memory.stat", "anon 4096\nfile 8192\nkernel 1\nshmem 1024\n");
        Write(group, "memory.events", "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n");
        Write(group, "pids.events", "max 0\n");
        var use = cgroup.Read();
        Assert.Equal((TimeSpan.FromSeconds(1.5), 5120L), (use.CpuTime, use.MemoryBytes));
        Assert.True(use is { OutOfMemory: true, OutOfProcesses: false });
        Write(group, "memory.events", "oom_kill 0\n");
        Write(group, "pids.events", "max 3\n");
        Assert.True(cgroup.Read() is { OutOfMemory: false, OutOfProcesses: true });
    }

    [Fact]
    public void A_mount_that_has_no_controllers_for_us_limits_nothing()
    {
        Directory.CreateDirectory(Path.Combine(_mount, "cgroup.subtree_control"));
        Directory.CreateDirectory(Path.Combine(_mount, "quarters-main", "cgroup.procs"));
        Assert.Null(CgroupHierarchy.Find(_mount, ["0::/"]));
    }

    private static void Write(string directory, string file, string text) =>
        File.WriteAllText(Path.Combine(directory, file), text);
}
