using Quarters.Linux;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Isolation;

/// <summary>
/// How this process gets the rights to mount: as root by a private mount namespace; as anyone else by a user namespace
/// in which it is root over its subordinate ids. Either way mounts live in a namespace that ends with its last process,
/// so that no exit whatsoever leaves one behind.
/// </summary>
internal sealed class Confinement
{
    /// <summary>The user that builds, inside. The number lies in the range that systemd's list of uids leaves unused
    /// (60706 to 61183), because as root it is also the number outside, where it must be nobody.</summary>
    internal const int BuilderId = 60900;

    /// <summary>Runs in the new namespaces: enters the cgroups, mounts, gives away, and becomes the command.
    /// Paths of overlays are relative to the directory, for their option string has no way to write every
    /// path.</summary>
    private const string EntryScript = """
        set -eu
        umask 022
        ulimit -c 0
        cd "$1"; shift
        while true; do
          case $1 in
            --group) echo 0 > "$2/cgroup.procs"; shift 2 ;;
            --overlay) mount -t overlay overlay -o "$2" "$3"; shift 3 ;;
            --own) chown -h "$2" "$3"; shift 3 ;;
            --own-all) chown -R -h "$2" "$3"; shift 3 ;;
            --) shift; break ;;
            *) echo "unknown step $1" >&2; exit 125 ;;
          esac
        done
        exec "$@"
        """;

    private Confinement(bool rootless) => Rootless = rootless;

    /// <summary>True when this process is not root.</summary>
    internal bool Rootless { get; }

    internal static Confinement OfThisProcess() => new(LibC.EffectiveUserId != 0);

    /// <summary>The command inside fresh namespaces, dying with this process.</summary>
    internal ProcessSpec Enter(string directory, IEnumerable<Step> steps, IEnumerable<string> command) => new()
    {
        FileName = "unshare",
        Arguments =
        [
            .. Namespaces,
            "--", "bash", "-c", EntryScript, "enter", directory,
            .. steps.SelectMany(step => step.Arguments(Rootless)), "--", .. command,
        ],
        ParentDeathSignal = true,
        // The sandboxes set their own environment; the programs on the way need only to be found.
        Environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["LANG"] = "C.UTF-8",
            ["TERM"] = "dumb",
        },
    };

    /// <summary>Removes a tree, whoever owns the files in it.</summary>
    internal async Task RemoveAsync(string path, CancellationToken cancellationToken)
    {
        var result = await ProcessRunner.RunAsync(
            Enter("/", [], ["rm", "-rf", "--one-file-system", path]), cancellationToken);
        if (!result.Succeeded)
            throw new IOException($"{path} could not be removed: rm {result.Ending}. {result.StandardError.Trim()}");
    }

    private string[] Namespaces => Rootless
        ? ["--user", "--map-auto", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
        : ["--mount", "--propagation", "private"];
}

/// <summary>One thing to do in the namespaces before the command.</summary>
internal abstract record Step
{
    internal abstract IEnumerable<string> Arguments(bool rootless);

    /// <summary>Puts everything that follows into a cgroup.</summary>
    internal sealed record Group(string Directory) : Step
    {
        internal override IEnumerable<string> Arguments(bool rootless) => ["--group", Directory];
    }

    /// <summary>Mounts an overlay; all paths relative to the directory of the entry.</summary>
    internal sealed record Overlay(string Lower, string Upper, string Scratch, string Target) : Step
    {
        internal override IEnumerable<string> Arguments(bool rootless)
        {
            // In a user namespace overlayfs may only keep its notes in user.* attributes.
            var notes = rootless ? ",userxattr" : "";
            return ["--overlay", $"lowerdir={Lower},upperdir={Upper},workdir={Scratch}{notes}", Target];
        }
    }

    /// <summary>Gives a directory, or all that is in it too, to the user that builds.</summary>
    internal sealed record Own(string Path, bool All) : Step
    {
        internal override IEnumerable<string> Arguments(bool rootless) =>
            [All ? "--own-all" : "--own", $"{Confinement.BuilderId}:{Confinement.BuilderId}", Path];
    }
}
