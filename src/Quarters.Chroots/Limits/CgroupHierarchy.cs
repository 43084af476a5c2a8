using Quarters.Linux;

namespace Quarters.Chroots.Limits;

/// <summary>
/// Where this process may make cgroups: version 2 (one tree, <c>/sys/fs/cgroup/cgroup.controllers</c>) or version 1 (a
/// tree for each controller). Every build gets a directory <c>quarters/NAME</c> below the cgroup that we run in, or
/// below the top when that is not visible here, as in a container.
/// </summary>
internal sealed class CgroupHierarchy
{
    private const string Mount = "/sys/fs/cgroup";
    private const string Folder = "quarters";
    private static readonly string[] VersionOneControllers = ["memory", "pids", "cpuacct"];

    private CgroupHierarchy(bool unified, IReadOnlyDictionary<string, string> parents) =>
        (Unified, Parents) = (unified, parents);

    /// <summary>True for version 2.</summary>
    internal bool Unified { get; }

    /// <summary>By controller, the directory in which builds get theirs; in version 2 all are the same.</summary>
    internal IReadOnlyDictionary<string, string> Parents { get; }

    /// <summary>Finds or makes the directories.</summary>
    /// <returns>Null when this user may make no cgroups.</returns>
    internal static CgroupHierarchy? Find() => Find(Mount, File.ReadLines("/proc/self/cgroup"));

    /// <summary>Finds or makes them below a mount point.</summary>
    /// <param name="mount">Where cgroups are mounted.</param>
    /// <param name="self">What <c>/proc/self/cgroup</c> says.</param>
    internal static CgroupHierarchy? Find(string mount, IEnumerable<string> self)
    {
        var own = OwnGroups(self);
        if (File.Exists(Path.Combine(mount, "cgroup.controllers")))
            return FindUnified(mount, own.GetValueOrDefault("", "/"));
        var parents = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var controller in VersionOneControllers)
        {
            var tree = Path.Combine(mount, controller);
            var parent = Candidates(tree, own.GetValueOrDefault(controller, "/"))
                .Select(candidate => Path.Combine(candidate, Folder)).FirstOrDefault(TryMake);
            if (parent is not null)
                parents[controller] = parent;
        }

        return parents.Count == 0 ? null : new CgroupHierarchy(unified: false, parents);
    }

    private static CgroupHierarchy? FindUnified(string mount, string own)
    {
        foreach (var candidate in Candidates(mount, own))
        {
            if (TryDelegate(candidate) is not { Count: > 0 } controllers)
                continue;
            var parent = Path.Combine(candidate, Folder);
            if (!TryMake(parent) || TryEnable(parent, controllers) is not { Count: > 0 } enabled)
                continue;
            // cpu.stat is there in every group, whatever is enabled.
            return new CgroupHierarchy(
                unified: true, enabled.Append("cpuacct")
                    .ToDictionary(name => name, _ => parent, StringComparer.Ordinal));
        }

        return null;
    }

    /// <summary>
    /// Lets the children of a group have controllers. A group with processes of its own may not (the top excepted), so
    /// where this process is alone in its group, as a service with <c>Delegate=yes</c> is, it moves to a leaf first.
    /// </summary>
    private static List<string> TryDelegate(string group)
    {
        if (TryEnable(group, ["memory", "pids"]) is { Count: > 0 } enabled)
            return enabled;
        var leaf = Path.Combine(group, "quarters-main");
        return TryMake(leaf) && TryWrite(Path.Combine(leaf, "cgroup.procs"), "0")
            ? TryEnable(group, ["memory", "pids"])
            : [];
    }

    private static List<string> TryEnable(string group, IReadOnlyList<string> controllers)
    {
        var control = Path.Combine(group, "cgroup.subtree_control");
        return [.. controllers.Where(name =>
            Words(control).Contains(name, StringComparer.Ordinal) || TryWrite(control, "+" + name))];
    }

    private static IEnumerable<string> Candidates(string tree, string own)
    {
        var here = own == "/" ? tree : tree + own;
        if (Directory.Exists(here))
            yield return here;
        if (here != tree && LibC.EffectiveUserId == 0 && Directory.Exists(tree))
            yield return tree;
    }

    /// <summary>By controller, the group of this process; version 2's has the empty name.</summary>
    private static Dictionary<string, string> OwnGroups(IEnumerable<string> self)
    {
        var groups = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in self)
        {
            // "4:memory:/user.slice"; several controllers may share a tree: "3:cpu,cpuacct:/".
            if (line.Split(':', 3) is [_, var controllers, var path])
                foreach (var controller in controllers.Split(','))
                    groups[controller] = path;
        }

        return groups;
    }

    private static string[] Words(string file) =>
        File.Exists(file) ? File.ReadAllText(file).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries) : [];

    private static bool TryMake(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            // It may be another user's from before: then it exists, but nothing can be made in it.
            var probe = Path.Combine(directory, "probe");
            Directory.CreateDirectory(probe);
            Directory.Delete(probe);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool TryWrite(string file, string text)
    {
        try
        {
            File.WriteAllText(file, text);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
