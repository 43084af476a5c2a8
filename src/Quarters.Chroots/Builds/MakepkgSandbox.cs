using System.Globalization;
using Quarters.Chroots.Isolation;
using Quarters.Chroots.Limits;
using Quarters.Chroots.Roots;

namespace Quarters.Chroots.Builds;

/// <summary>
/// The two sandboxes that makepkg runs in: one with the network and the host's programs that fetches and verifies, and
/// one without network in the clean chroot that builds. All paths in them are constant, because they end up in
/// packages.
/// </summary>
internal static class MakepkgSandbox
{
    private const long SharedMemoryBytes = 1L << 30;
    private const long FetchTemporaryBytes = 1L << 30;
    /// <summary>What makepkg itself reads when it is not told another file.</summary>
    private const string ReadHost = """
        source /etc/makepkg.conf
        for part in /etc/makepkg.conf.d/*.conf; do if [[ -r $part ]]; then source "$part"; fi; done; unset part

        """;

    private const string ConfigurationFile = "makepkg.conf";
    private const string FetchConfigurationFile = "makepkg-fetch.conf";
    private const string DownloadFile = "download";
    private const string PasswordFile = "passwd";

    /// <summary>Takes a file from the directories of sources fetched before, else from the network.</summary>
    private const string DownloadScript = """
        part=$1 url=$2
        name=${part%.part}; name=${name##*/}
        for directory in /fetched/*/; do
          if [ -f "$directory$name" ]; then exec cp -- "$directory$name" "$part"; fi
        done
        exec curl -gqb '' -fL --retry 3 --retry-delay 3 --connect-timeout 30 -C - -o "$part" -- "$url"
        """;

    /// <summary>Imports the package's keys into an empty key ring, then lets makepkg fetch and verify.</summary>
    private const string FetchScript = """
        set -eu
        mkdir -m 700 -p "$GNUPGHOME"
        for key in /startdir/keys/pgp/*.asc; do
          if [ -f "$key" ]; then gpg --batch --quiet --import "$key"; fi
        done
        echo "$1"; shift
        exec "$@"
        """;

    private static readonly string[] DownloadedProtocols = ["ftp", "http", "https"];

    /// <summary>Where sources are, below the store, seen from a working copy.</summary>
    private const string Sources = "/srcdest";

    /// <summary>Writes the files that both sandboxes are given.</summary>
    internal static void WriteConfiguration(WorkingCopy copy, BuildRequest request, int makeJobs)
    {
        var jobs = string.Create(CultureInfo.InvariantCulture, $": \"${{MAKEFLAGS:=-j{makeJobs}}}\"\n");
        var lines = string.Concat(request.MakepkgLines.Select(line => line + "\n"));
        File.WriteAllText(copy[ConfigurationFile], ReadHost + jobs + lines);
        var agents = string.Concat(DownloadedProtocols.Select(
            protocol => $"'{protocol}::/usr/bin/bash /etc/quarters/{DownloadFile} %o %u' "));
        File.WriteAllText(
            copy[FetchConfigurationFile],
            $"{ReadHost}DLAGENTS=({agents} 'file::/usr/bin/curl -gqC - -o %o %u' "
            + "'rsync::/usr/bin/rsync --no-motd -z %u %o' 'scp::/usr/bin/scp -C %u %o')\n");
        File.WriteAllText(copy[DownloadFile], DownloadScript);
        File.WriteAllText(copy[PasswordFile], string.Create(CultureInfo.InvariantCulture,
            $"root:x:0:0::/root:/bin/sh\nbuilder:x:{Confinement.BuilderId}:{Confinement.BuilderId}::/build:/bin/sh\n"));
    }

    /// <summary>Fetches and verifies: the host's programs, the network, and nothing to write to but the
    /// sources.</summary>
    internal static IEnumerable<string> Fetch(
        WorkingCopy copy, BuildRequest request, string sources, IReadOnlyList<string> fetchedBefore)
    {
        var bubble = new Bubble().HostPrograms(withNetwork: true).KernelFileSystems(SharedMemoryBytes)
            .Tmpfs("/tmp", "1777", FetchTemporaryBytes).Tmpfs("/build", "1777", FetchTemporaryBytes)
            // makepkg wants it even when it builds nothing.
            .Tmpfs("/pkgdest", "1777", 1 << 20)
            .BindReadOnly(copy["start"], "/startdir").Bind(sources, Sources)
            .Folder("/etc/quarters").Folder("/fetched")
            .BindReadOnly(copy[FetchConfigurationFile], "/etc/quarters/makepkg.conf")
            .BindReadOnly(copy[DownloadFile], "/etc/quarters/" + DownloadFile)
            .BindReadOnly(copy[PasswordFile], "/etc/passwd");
        foreach (var (index, directory) in fetchedBefore.Where(Directory.Exists).Index())
            bubble.BindReadOnly(directory, string.Create(CultureInfo.InvariantCulture, $"/fetched/{index}"));
        Environment(bubble, request).Variable("GNUPGHOME", "/build/gnupg").ChangeDirectory("/startdir");
        return bubble.RunAsBuilder(
        [
            "bash", "-c", FetchScript, "fetch", BuildLog.Marker,
            "makepkg", "--verifysource", "--nodeps", "--noconfirm", "--nocolor",
        ]);
    }

    /// <summary>Builds: the working copy as root, no network, no capability.</summary>
    internal static IEnumerable<string> Build(
        WorkingCopy copy, BuildRequest request, IResourceMeter meter)
    {
        var limits = meter.LimitsProcesses
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"ulimit -u {request.Limits.Processes}; ");
        var bubble = Chroot(copy.Path, forPerson: false).Folder("/etc/quarters")
            .BindReadOnly(copy[ConfigurationFile], "/etc/quarters/makepkg.conf");
        Environment(bubble, request).Variable("PATH", "/usr/local/bin:/usr/bin").ChangeDirectory("/startdir");
        return bubble.RunAsBuilder(
        [
            "bash", "-c", limits + "echo \"$1\"; shift; exec \"$@\"", "build", BuildLog.Marker,
            // Signatures were verified when the sources were fetched, where the keys are; checksums are checked again.
            "makepkg", "--noconfirm", "--nocolor", "--skippgpcheck",
            // Without network there is nothing to update version-controlled sources from.
            "--holdver",
            .. request.MakepkgArguments,
        ]);
    }

    /// <summary>A shell for a person in a working copy that was kept, as the user that builds.</summary>
    internal static IEnumerable<string> Shell(string copy) =>
        Chroot(copy, forPerson: true).Variable("PATH", "/usr/local/bin:/usr/bin").Variable("HOME", "/build")
            .Variable("LANG", "C.UTF-8").Variable("TERM", System.Environment.GetEnvironmentVariable("TERM") ?? "dumb")
            .ChangeDirectory("/build").RunAsBuilder(["bash"]);

    /// <summary>What the namespaces of a build hold before the sandbox starts.</summary>
    internal static IEnumerable<Step> Mounts(string rootId, string? sources)
    {
        yield return WorkingCopy.Overlay(rootId);
        if (sources is not null)
            yield return new Step.Overlay(sources, "source-upper", "source-scratch", "root" + Sources);
    }

    private static Bubble Chroot(string copy, bool forPerson) =>
        new Bubble(ownSession: !forPerson).WithoutNetwork().Bind(Path.Combine(copy, "root"), "/")
            .KernelFileSystems(SharedMemoryBytes).Bind(Path.Combine(copy, "start"), "/startdir")
            .BindReadOnly(Path.Combine(copy, "configuration", "sync"), "/var/lib/pacman/sync");

    private static Bubble Environment(Bubble bubble, BuildRequest request) => bubble
        .Variable("HOME", "/build").Variable("USER", "builder").Variable("LOGNAME", "builder")
        .Variable("SHELL", "/bin/bash").Variable("LANG", "C.UTF-8").Variable("TERM", "dumb").Variable("TZ", "UTC")
        .Variable("PACKAGER", request.Packager)
        .Variable("SOURCE_DATE_EPOCH", request.SourceDate.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture))
        .Variable("MAKEPKG_CONF", "/etc/quarters/makepkg.conf").Variable("BUILDDIR", "/build")
        .Variable("PKGDEST", "/pkgdest").Variable("SRCDEST", Sources).Variable("PKGEXT", ".pkg.tar.zst")
        .Variable("CARCH", request.Snapshot.Architecture).Variable("BUILDTOOL", "quarters")
        .Variable("BUILDTOOLVER", typeof(MakepkgSandbox).Assembly.GetName().Version!.ToString(3));
}
