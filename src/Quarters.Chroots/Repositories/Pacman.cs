using System.Globalization;
using System.Text;
using Quarters.Chroots.Builds;
using Quarters.Chroots.Isolation;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Repositories;

/// <summary>
/// Runs the host's pacman on a root. It runs in a sandbox: the install scripts and hooks of packages run as root,
/// chrooted into a root that is not ours to trust, so they have no network, no capability beyond what unpacking needs,
/// and nothing of the host that could be written.
/// </summary>
internal sealed class Pacman(Confinement confinement, TimeSpan timeout)
{
    private const string Target = "/target";
    private const string PackageSeparator = "\t";
    private const long TemporaryBytes = 256L << 20;

    /// <summary>What unpacking packages and chrooting into the root for their scripts takes.</summary>
    private static readonly string[] Capabilities =
    [
        "cap_chown", "cap_dac_override", "cap_fowner", "cap_fsetid", "cap_setuid", "cap_setgid", "cap_setfcap",
        "cap_sys_chroot",
    ];

    /// <summary>Puts the snapshot's databases and a pacman.conf that names them into a directory of the
    /// caller.</summary>
    internal static void WriteConfiguration(RepositorySnapshot snapshot, string directory)
    {
        var databases = Path.Combine(directory, "sync");
        Directory.CreateDirectory(databases);
        var text = new StringBuilder("[options]\n")
            .Append("Architecture = ").AppendJoin(' ', snapshot.Accepts.Insert(0, snapshot.Architecture))
            .Append("\nSigLevel = Never\n");
        foreach (var repository in snapshot.Repositories)
        {
            File.Copy(repository.DatabasePath, Path.Combine(databases, repository.Name + ".db"), overwrite: true);
            text.Append('[').Append(repository.Name).Append("]\n");
            foreach (var server in repository.Servers)
                text.Append("Server = ").Append(server).Append('\n');
        }

        File.WriteAllText(Path.Combine(directory, "pacman.conf"), text.ToString());
    }

    /// <summary>Asks pacman what it would install into a root, which is only read.</summary>
    /// <exception cref="PacmanException">It finds no way to.</exception>
    internal async Task<IReadOnlyList<ResolvedPackage>> ResolveAsync(
        PacmanRoot root, RepositorySnapshot snapshot, IEnumerable<string> wanted, CancellationToken cancellationToken)
    {
        string[] format = ["--print", "--print-format", string.Join(PackageSeparator, "%r", "%n", "%v")];
        var command = Command(root.Bubble(writable: false), snapshot, [], [.. format, "--needed", "-S"], wanted);
        var result = await RunAsync(root, command, null, cancellationToken);
        var chosen = result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(PackageSeparator)).Where(words => words.Length == 3)
            .ToDictionary(words => (words[0], words[1]), words => words[2]);
        return PinnedDatabases.Find(snapshot, chosen);
    }

    /// <summary>Installs into a root, offline.</summary>
    /// <param name="root">The root.</param>
    /// <param name="snapshot">What to install from.</param>
    /// <param name="packageDirectory">Package files besides those in the snapshot's folders.</param>
    /// <param name="wanted">What to install.</param>
    /// <param name="afterwards">A script for the sandbox's shell, run when pacman has succeeded; its output is
    /// returned.
    /// </param>
    /// <param name="onOutput">Takes pacman's words.</param>
    /// <param name="cancellationToken">Stops it, leaving the root half done.</param>
    /// <exception cref="PacmanException">It did not work.</exception>
    internal async Task<string> InstallAsync(
        PacmanRoot root,
        RepositorySnapshot snapshot,
        string packageDirectory,
        IEnumerable<string> wanted,
        string afterwards,
        OutputSink? onOutput,
        CancellationToken cancellationToken)
    {
        var arguments = root.Explicit ? new[] { "--needed", "-S" } : ["--needed", "--asdeps", "-S"];
        var bubble = root.Bubble(writable: true);
        var command = Command(bubble, snapshot, [packageDirectory], arguments, wanted, afterwards);
        return (await RunAsync(root, command, onOutput, cancellationToken)).StandardOutput;
    }

    private static IEnumerable<string> Command(
        Bubble bubble,
        RepositorySnapshot snapshot,
        IEnumerable<string> packageDirectories,
        IEnumerable<string> arguments,
        IEnumerable<string> wanted,
        string? afterwards = null)
    {
        List<string> pacman =
            ["pacman", "--root", Target, "--config", "/etc/quarters/pacman.conf", "--noconfirm", "--noprogressbar",
             "--color", "never"];
        foreach (var (index, folder) in snapshot.LocalFolders().Concat(packageDirectories).Index())
        {
            var cache = string.Create(CultureInfo.InvariantCulture, $"/packages/{index}");
            bubble.BindReadOnly(folder, cache);
            pacman.AddRange(["--cachedir", cache]);
        }

        bubble.Capabilities(Capabilities);
        var words = pacman.Concat(arguments).Append("--").Concat(wanted);
        return afterwards is null
            ? bubble.Run(words)
            : bubble.Run(["bash", "-c", "set -eu; \"$@\" >&2; " + afterwards, "pacman", .. words]);
    }

    private async Task<ProcessResult> RunAsync(
        PacmanRoot root, IEnumerable<string> command, OutputSink? onOutput, CancellationToken cancellationToken)
    {
        var spec = confinement.Enter(root.Directory, root.Steps, command) with
        {
            Timeout = timeout,
            OnOutput = onOutput,
        };
        var result = await ProcessRunner.RunAsync(spec, cancellationToken);
        if (result.Succeeded)
            return result;
        var errors = (result.StandardError + "\n" + result.StandardOutput).Split('\n')
            .Where(line => line.StartsWith("error: ", StringComparison.Ordinal) || line.StartsWith(
                ":: ", StringComparison.Ordinal))
            .Select(line => line.Replace("error: ", "", StringComparison.Ordinal).Replace(
                ":: ", "", StringComparison.Ordinal))
            .ToList();
        var reason = errors.Count > 0 ? string.Join("; ", errors) : result.StandardError.Trim();
        throw new PacmanException(
            $"pacman {result.Ending}: {reason}",
            ofMachine: result.TimedOut || FailureSigns.OfKilling(result) || FailureSigns.OfMachine(reason));
    }

    /// <summary>A root for pacman to work on, and the namespaces in which it is there.</summary>
    /// <param name="Directory">Where the steps and the paths below begin.</param>
    /// <param name="Steps">What makes the root appear.</param>
    /// <param name="Root">The root's path.</param>
    /// <param name="Configuration">The directory of <see cref="WriteConfiguration"/>.</param>
    /// <param name="Explicit">True when what is installed is wanted for itself, not as a dependency.</param>
    internal sealed record PacmanRoot(
        string Directory, IReadOnlyList<Step> Steps, string Root, string Configuration, bool Explicit)
    {
        internal Bubble Bubble(bool writable)
        {
            var bubble = new Bubble().WithoutNetwork().HostPrograms(withNetwork: false)
                .KernelFileSystems(TemporaryBytes)
                .Tmpfs("/tmp", "1777", TemporaryBytes)
                .BindReadOnly(Path.Combine(Configuration, "pacman.conf"), "/etc/quarters/pacman.conf");
            if (writable)
                bubble.Bind(Root, Target).TargetFileSystems(Target);
            else
                bubble.BindReadOnly(Root, Target);
            return bubble.BindReadOnly(Path.Combine(Configuration, "sync"), Target + "/var/lib/pacman/sync");
        }
    }
}
