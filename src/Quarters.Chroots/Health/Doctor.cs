using System.Collections.Immutable;
using System.Globalization;
using Quarters.Chroots.Isolation;
using Quarters.Chroots.Limits;
using Quarters.Linux;
using Quarters.Linux.Files;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Health;

/// <summary>One thing that a machine needs to build, and whether it has it.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Ok">True when it is as it should be.</param>
/// <param name="Needed">True when nothing can be built without it; false when builds are only less well
/// guarded.</param>
/// <param name="Meaning">What was found, and what it means for builds.</param>
/// <param name="Mend">The command that mends it; null when all is well or no command does.</param>
public sealed record HealthCheck(string Name, bool Ok, bool Needed, string Meaning, string? Mend);

/// <summary>Says what this machine lacks to build packages.</summary>
public static class Doctor
{
    private const long EnoughBytes = 10L << 30;

    private static readonly Tool[] Tools =
    [
        new("bwrap", "bubblewrap", "bubblewrap", "makes the sandbox that builds run in"),
        new("unshare", "util-linux", "util-linux", "makes the namespaces that mounts live in"),
        new("setpriv", "util-linux", "util-linux", "gives up rights before a build"),
        new("pacman", "pacman-package-manager", "pacman", "installs dependencies into the chroot"),
        new("makepkg", "makepkg", "pacman", "fetches and verifies sources"),
        new("bsdtar", "libarchive-tools", "libarchive", "is what makepkg unpacks sources with"),
        new("git", "git", "git", "fetches sources that are git repositories"),
        new("gpg", "gpg", "gnupg", "verifies the signatures of sources"),
        new("curl", "curl", "curl", "downloads sources"),
        new("zstd", "zstd", "zstd", "reads and writes packages"),
    ];

    /// <summary>Examines the machine for this user.</summary>
    /// <param name="store">Where chroots will be; it need not exist yet.</param>
    /// <param name="cancellationToken">Stops the trials.</param>
    public static async Task<ImmutableArray<HealthCheck>> ExamineAsync(
        string store, CancellationToken cancellationToken)
    {
        var distribution = Distribution.OfThisMachine();
        var rootless = LibC.EffectiveUserId != 0;
        var checks = ImmutableArray.CreateBuilder<HealthCheck>();
        checks.AddRange(Tools.Select(tool => Look(tool, distribution)));
        if (rootless)
        {
            checks.Add(Look(
                new Tool("newuidmap", "uidmap", "shadow", "lets an ordinary user use its subordinate ids"),
                    distribution));
            checks.Add(SubordinateIds.Check());
        }

        checks.Add(await TryNamespacesAsync(rootless, cancellationToken));
        checks.Add(await TryOverlayAsync(store, cancellationToken));
        checks.Add(LookAtCgroups(rootless));
        checks.Add(LookAtSpace(store));
        return checks.ToImmutable();
    }

    private static HealthCheck Look(Tool tool, Distribution distribution)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Any(directory => directory.Length > 0 && File.Exists(Path.Combine(directory, tool.Program)));
        return new HealthCheck(
            tool.Program,
            found,
            Needed: true,
            found ? $"{tool.Program} {tool.Purpose}." : $"{tool.Program} is missing; it {tool.Purpose}.",
            found ? null : distribution.Install(tool.DebianPackage, tool.ArchPackage));
    }

    private static async Task<HealthCheck> TryNamespacesAsync(bool rootless, CancellationToken cancellationToken)
    {
        var problem = await TryAsync("/", [], cancellationToken);
        if (problem is null)
            return new HealthCheck("namespaces", true, true, "Builds can have mounts of their own.", null);
        var mend = !rootless ? null
            : IsSetTo("/proc/sys/kernel/unprivileged_userns_clone", "0")
                ? "sudo sysctl -w kernel.unprivileged_userns_clone=1"
            : IsSetTo("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")
                ? "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
            : IsSetTo("/proc/sys/user/max_user_namespaces", "0") ? "sudo sysctl -w user.max_user_namespaces=15000"
            : null;
        return new HealthCheck(
            "namespaces", false, true, $"Builds cannot have mounts of their own: {problem}", mend);
    }

    private static async Task<HealthCheck> TryOverlayAsync(string store, CancellationToken cancellationToken)
    {
        const string Name = "overlay";
        string? problem;
        try
        {
            Directory.CreateDirectory(store);
            var trial = Directory.CreateDirectory(Path.Combine(store, "doctor-" + Environment.ProcessId)).FullName;
            foreach (var part in new[] { "lower", "upper", "scratch", "root" })
                Directory.CreateDirectory(Path.Combine(trial, part));
            problem = await TryAsync(
                trial, [new Step.Overlay("lower", "upper", "scratch", "root")], cancellationToken);
            await Confinement.OfThisProcess().RemoveAsync(trial, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problem = exception.Message;
        }

        return problem is null
            ? new HealthCheck(Name, true, true, $"Working copies can be made in {store}.", null)
            : new HealthCheck(
                Name, false, true,
                $"Working copies cannot be made in {store}: {problem} Use a local ext4, xfs or btrfs file system.",
                    null);
    }

    private static HealthCheck LookAtCgroups(bool rootless)
    {
        const string Name = "cgroups";
        var hierarchy = CgroupHierarchy.Find();
        var missing = new[] { ("memory", "memory"), ("pids", "the number of processes") }
            .Where(pair => hierarchy is null || !hierarchy.Parents.ContainsKey(pair.Item1))
            .Select(pair => pair.Item2).ToList();
        if (missing.Count == 0)
            return new HealthCheck(Name, true, false, "The kernel holds builds to their limits.", null);
        return new HealthCheck(
            Name,
            false,
            Needed: false,
            $"The kernel does not hold builds to their limit of {string.Join(" and of ", missing)}. "
            + "They are watched several times a second instead, and the number of processes is limited for the "
            + "user as a whole.",
            rootless ? "systemd-run --user --scope -p Delegate=yes quarters builder" : null);
    }

    private static HealthCheck LookAtSpace(string store)
    {
        var existing = Path.GetFullPath(store);
        while (!Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing)!;
        var left = FileSystemSpace.Of(existing).AvailableBytes;
        var amount = string.Create(CultureInfo.InvariantCulture, $"{(double)left / (1L << 30):0.0} GiB");
        return new HealthCheck(
            "disk space",
            left >= EnoughBytes,
            Needed: false,
            left >= EnoughBytes
                ? $"{amount} are left in {store}."
                : $"Only {amount} are left in {store}; large builds need {EnoughBytes >> 30} GiB and more.",
            null);
    }

    /// <returns>What went wrong; null when nothing did.</returns>
    private static async Task<string?> TryAsync(string directory, IEnumerable<Step> steps, CancellationToken cancel)
    {
        try
        {
            var result = await ProcessRunner.RunAsync(
                Confinement.OfThisProcess()
                    .Enter(directory, steps, ["true"]) with
                { Timeout = TimeSpan.FromMinutes(1) },
                cancel);
            return result.Succeeded ? null : $"unshare {result.Ending}: {result.StandardError.Trim()}.";
        }
        catch (ProcessStartException exception)
        {
            return exception.Message;
        }
    }

    private static bool IsSetTo(string setting, string value) =>
        File.Exists(setting) && File.ReadAllText(setting).Trim() == value;

    private sealed record Tool(string Program, string DebianPackage, string ArchPackage, string Purpose);
}
