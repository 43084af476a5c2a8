using System.Globalization;
using Quarters.Core.Sources;
using Quarters.Linux;
using Quarters.Linux.Files;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>
/// The place where package code runs while it is read: no network, nothing to write to but a small <c>/tmp</c>, no
/// process of the host in sight, an unprivileged user without a single capability.
/// </summary>
internal sealed class ReadingSandbox
{
    /// <summary>What a PKGBUILD says.</summary>
    internal const string AskFacts = "facts";

    /// <summary>What its <c>pkgver()</c> says of the sources in <c>src/</c>.</summary>
    internal const string AskVersion = "version";

    private const long MaxOutputBytes = 64L << 20;
    private const long KeptOutputBytes = 16 << 10;

    // Between the ranges that systemd and container tools give out: nobody else's processes have these. Each sandbox
    // has its own, so that the limit on processes, which the kernel counts by user, counts those of one sandbox only.
    private const long FirstUnusedId = 2_147_418_112;
    private const int UnusedIds = 65_536;

    private const UnixFileMode ExecuteOnly =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private const UnixFileMode PlainFile =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly string[] Shells = ["/usr/bin/bash", "/bin/bash"];
    private static readonly string Script = ReadScript();

    /// <summary>Several processes may read on one machine: each begins elsewhere.</summary>
    private static int _lastId = Environment.ProcessId * 251;

    private readonly PkgbuildReaderSettings _settings;
    private readonly TimeProvider _time;

    internal ReadingSandbox(PkgbuildReaderSettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
    }

    /// <summary>Puts a tree where a sandbox finds it.</summary>
    internal static void Stage(SourceTree tree, string directory) =>
        FileTree.Write(directory, tree.Entries.Select(entry => new FileToWrite(
            entry.Path,
            entry.Kind switch
            {
                TreeEntryKind.Symlink => null,
                TreeEntryKind.Executable => PlainFile | ExecuteOnly,
                _ => PlainFile,
            },
            entry.Content)));

    /// <summary>
    /// Copies bash so that it can be run but not read. Of a process that runs such a file the kernel lets nobody see
    /// memory or descriptors, not even its own user: so what is being read cannot speak for its neighbours.
    /// </summary>
    internal static void StageShell(string path)
    {
        var bash = Shells.FirstOrDefault(File.Exists)
            ?? throw new ReadingSandboxException("bash is not installed; PKGBUILDs cannot be read without it.");
        File.Copy(bash, path);
        File.SetUnixFileMode(path, ExecuteOnly);
    }

    /// <summary>Starts a sandbox that sees what lies in <paramref name="trees"/>, or will lie there.</summary>
    internal StandingSandbox Start(string shell, string trees, string ask = AskFacts) => new(
        new ProcessSpec
        {
            FileName = "bwrap",
            Arguments = Arguments(shell, trees, ask),
            Environment = new Dictionary<string, string>(
                StringComparer.Ordinal)
            { ["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin" },
            MaxOutputBytes = MaxOutputBytes,
            KeepOutputBytes = KeptOutputBytes,
        },
        _settings,
        _time);

    private List<string> Arguments(string shell, string trees, string ask)
    {
        var root = LibC.EffectiveUserId == 0;
        var user = Number(FirstUnusedId + ((uint)Interlocked.Increment(ref _lastId) % UnusedIds));
        List<string> arguments =
        [
            "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
            "--die-with-parent", "--new-session",
        ];
        // Root gives up its rights by setpriv inside; a user has a namespace in which no further one can be made. There
        // bwrap's own process 1 would belong to the same user and hold our pipe: so the shell itself is process 1.
        if (!root)
            arguments.AddRange(
                ["--unshare-user", "--disable-userns", "--uid", user, "--gid", user, "--as-pid-1"]);
        arguments.AddRange(["--ro-bind", "/usr", "/usr"]);
        foreach (var name in new[] { "/bin", "/sbin", "/lib", "/lib64" })
        {
            if (new DirectoryInfo(name).LinkTarget is { } target)
                arguments.AddRange(["--symlink", target, name]);
            else if (Directory.Exists(name))
                arguments.AddRange(["--ro-bind", name, name]);
        }

        foreach (var name in new[] { "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives" })
            arguments.AddRange(["--ro-bind-try", name, name]);
        arguments.AddRange(
        [
            "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev",
            "--size", Number(_settings.MaxTemporaryBytes), "--perms", "1777", "--tmpfs", "/tmp",
            "--ro-bind", shell, "/shell", "--ro-bind", trees, "/trees", "--remount-ro", "/",
            "--cap-drop", "ALL", "--chdir", "/tmp", "--clearenv",
            "--setenv", "PATH", "/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin:/usr/bin/core_perl",
            "--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp", "--setenv", "TZ", "UTC",
            "--setenv", "USER", "build", "--setenv", "LOGNAME", "build", "--setenv", "TERM", "dumb",
        ]);
        if (root)
            arguments.AddRange(
            [
                "--cap-add", "cap_setuid", "--cap-add", "cap_setgid", "--cap-add", "cap_setpcap", "--",
                "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps=-all",
                "--bounding-set=-all", "--no-new-privs",
            ]);
        else
            arguments.Add("--");
        arguments.AddRange(
        [
            "/shell", "-c", Script, "bash",
            Number((long)Math.Ceiling(_settings.CpuTime.TotalSeconds)), Number(_settings.MaxFileBytes / 1024),
            Number(_settings.MaxProcesses), Number(_settings.MaxProcessMemoryBytes / 1024),
            ask,
        ]);
        return arguments;
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string ReadScript()
    {
        using var stream = typeof(ReadingSandbox).Assembly.GetManifestResourceStream("read-pkgbuilds.bash")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

/// <summary>PKGBUILDs cannot be read on this machine; the message says what is missing.</summary>
public sealed class ReadingSandboxException(string message) : IOException(message);
