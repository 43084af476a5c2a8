using System.Globalization;

namespace Quarters.Chroots.Isolation;

/// <summary>The arguments of a <c>bwrap</c> call, in the order in which it acts on them.</summary>
internal sealed class Bubble
{
    private const long RunBytes = 64L << 20;
    private static readonly string[] TopLevelLinks = ["bin", "sbin", "lib", "lib64", "lib32", "libx32"];

    // What programs of the host need from /etc; nothing in it is secret.
    private static readonly string[] HostConfiguration =
    [
        "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "makepkg.conf", "makepkg.conf.d",
        "pacman.conf",
    ];

    private static readonly string[] HostNetworkConfiguration =
    [
        "resolv.conf", "nsswitch.conf", "hosts", "services", "protocols", "gai.conf", "ssl", "ca-certificates", "pki",
    ];

    private readonly List<string> _arguments =
    [
        "bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent",
        "--hostname", "quarters-build", "--cap-drop", "ALL", "--clearenv",
    ];

    /// <param name="ownSession">False leaves the caller's terminal to what runs inside: only for a person at it, for
    /// whoever has a terminal can type into it.</param>
    internal Bubble(bool ownSession = true)
    {
        if (ownSession)
            Add("--new-session");
    }

    internal Bubble WithoutNetwork() => Add("--unshare-net");

    internal Bubble Capabilities(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            Add("--cap-add", name);
        return this;
    }

    internal Bubble Bind(string source, string target) => Add("--bind", source, target);

    internal Bubble BindReadOnly(string source, string target) => Add("--ro-bind", source, target);

    internal Bubble Tmpfs(string target, string mode, long bytes) =>
        Add("--perms", mode, "--size", bytes.ToString(CultureInfo.InvariantCulture), "--tmpfs", target);

    /// <summary>Makes a directory that everyone may look into; bwrap's own, made on the way, are for root
    /// only.</summary>
    internal Bubble Folder(string path) => Add("--perms", "0755", "--dir", path);

    internal Bubble Variable(string name, string value) => Add("--setenv", name, value);

    internal Bubble ChangeDirectory(string path) => Add("--chdir", path);

    /// <summary>/proc of the new PID namespace, /dev with the harmless devices, and small /dev/shm and /run.</summary>
    internal Bubble KernelFileSystems(long sharedMemoryBytes) =>
        Add("--proc", "/proc", "--dev", "/dev").Tmpfs("/dev/shm", "1777", sharedMemoryBytes)
            .Tmpfs("/run", "0755", RunBytes);

    /// <summary>The same for a root below another path, for programs that are chrooted there.</summary>
    internal Bubble TargetFileSystems(string target) =>
        Add("--proc", target + "/proc", "--dev", target + "/dev").Tmpfs(target + "/run", "0755", RunBytes)
            .Tmpfs(target + "/tmp", "1777", RunBytes);

    /// <summary>The host's programs, read-only, and so much of /etc as they need.</summary>
    internal Bubble HostPrograms(bool withNetwork)
    {
        BindReadOnly("/usr", "/usr");
        foreach (var name in TopLevelLinks)
        {
            var path = "/" + name;
            if (new DirectoryInfo(path).LinkTarget is { } target)
                Add("--symlink", target, path);
            else if (Directory.Exists(path))
                BindReadOnly(path, path);
        }

        Folder("/etc");
        foreach (var name in HostConfiguration.Concat(withNetwork ? HostNetworkConfiguration : []))
            Add("--ro-bind-try", "/etc/" + name, "/etc/" + name);
        return Variable("PATH", "/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin").Variable("LANG", "C.UTF-8")
            .Variable("TERM", "dumb");
    }

    /// <summary>Runs the command as root of the sandbox.</summary>
    internal IEnumerable<string> Run(IEnumerable<string> command) => [.. _arguments, "--", .. command];

    /// <summary>Runs the command as the user that builds, who can never become anyone else.</summary>
    internal IEnumerable<string> RunAsBuilder(IEnumerable<string> command)
    {
        var id = Confinement.BuilderId.ToString(CultureInfo.InvariantCulture);
        Capabilities("cap_setuid", "cap_setgid", "cap_setpcap");
        return
        [
            .. _arguments, "--", "setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all", "--no-new-privs", "--", .. command,
        ];
    }

    private Bubble Add(params ReadOnlySpan<string> words)
    {
        _arguments.AddRange(words);
        return this;
    }
}
