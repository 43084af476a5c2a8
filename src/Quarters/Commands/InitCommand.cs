using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Quarters.Configuring;
using Quarters.Node;

namespace Quarters.Commands;

/// <summary><c>quarters init [DIR]</c>: a configuration that explains itself, and the keys of master and
/// builder.</summary>
internal static class InitCommand
{
    private const string ArchMirrorlist = "/etc/pacman.d/mirrorlist";
    private const string ArchMirror = "https://geo.mirror.pkgbuild.com/$repo/os/$arch";
    private const string PackagesDirectory = "packages";
    private const int MaxMirrors = 3;

    internal static Command Create() => Create(
        withBuilder: true, "Write a commented quarters.toml, and the keys by which master and builder know each other.",
        """
        quarters init                                    packages come from ./packages
        quarters init ~/farm --source https://example.org/pkgbuilds.git
        quarters init --repo 'core=file:///srv/mirror/$repo/os/$arch'
        """);

    /// <summary><c>quarters master init</c>: the same without a builder.</summary>
    internal static Command CreateForMaster() => Create(
        withBuilder: false, "Write a commented quarters.toml and the master's key; builders are listed later.",
        "quarters master init ~/farm --source https://example.org/pkgbuilds.git --listen 0.0.0.0:7373");

    private static Command Create(bool withBuilder, string description, string example)
    {
        var directory = new Argument<string>("DIR")
        {
            Description = "where the farm lives; the current directory if not given",
            DefaultValueFactory = _ => ".",
        };
        var source = new Option<string[]>("--source")
        {
            Description = "where PKGBUILDs come from: a git URL or a directory; may be given again",
            HelpName = "URL|DIR",
        };
        var repo = new Option<string[]>("--repo")
        {
            Description = "a repository that builds install from; may be given again; else Arch Linux's core and extra",
            HelpName = "NAME=URL",
        };
        var name = new Option<string>("--name")
        {
            Description = "the farm's name",
            HelpName = "NAME",
            DefaultValueFactory = _ => "home",
        };
        var listen = new Option<string>("--listen")
        {
            Description = "address and port of the master; the builder takes the next port",
            HelpName = "ADDRESS:PORT",
            DefaultValueFactory = _ => "127.0.0.1:7373",
        };
        var command = new Command(
            "init", description)
        {
            directory, source, repo, name, listen,
        };
        command.SetAction(parsed =>
        {
            var wish = new Wish(
                Path.GetFullPath(parsed.GetRequiredValue(directory)),
                parsed.GetRequiredValue(name),
                parsed.GetRequiredValue(listen),
                parsed.GetValue(source) ?? [],
                parsed.GetValue(repo) ?? [],
                withBuilder);
            Run(wish, parsed.InvocationConfiguration.Output);
            return ExitCode.Done;
        });
        return command.WithExample(example);
    }

    private sealed record Wish(
        string Directory, string Name, string Listen, string[] Sources, string[] Repositories, bool WithBuilder);

    private static void Run(Wish wish, TextWriter output)
    {
        var path = Path.Combine(wish.Directory, Farm.FileName);
        if (File.Exists(path))
            throw new MistakeException($"{path} exists already; change it with an editor, or choose another directory");
        var outside = wish.Repositories.Length > 0 ? wish.Repositories.Select(Outside).ToList() : ArchRepositories();
        var sources = wish.Sources.Length > 0
            ? wish.Sources.Select(Source).ToList()
            : [new SourceSection { Name = PackagesDirectory, Kind = SourceKind.Directory, Path = PackagesDirectory }];
        if (!IPEndPoint.TryParse(wish.Listen, out var master) || master.Port is 0 or IPEndPoint.MaxPort)
            throw new MistakeException($"--listen {wish.Listen} must be an address and a port, such as 127.0.0.1:7373");

        Directory.CreateDirectory(wish.Directory);
        var builder = new IPEndPoint(IPAddress.Loopback, master.Port + 1);
        var text = FarmTemplate.Text(
            wish.Name, wish.Listen, wish.WithBuilder ? builder.ToString() : null, HostArchitecture(), outside, sources);
        var checkedPath = path + ".new";
        File.WriteAllText(checkedPath, text);
        var farm = Farm.Load(checkedPath);
        if (wish.Sources.Length == 0)
            Directory.CreateDirectory(Path.Combine(wish.Directory, PackagesDirectory));
        MakeIdentity(Farm.IdentityIn(farm.MasterDirectory), farm.File.Name, master.Address.ToString());
        if (wish.WithBuilder)
            MakeIdentity(Farm.IdentityIn(farm.BuilderDirectory), farm.BuilderName, builder.Address.ToString());
        File.Move(checkedPath, path, overwrite: false);

        output.WriteLine($"{path}: what is built, from where; it explains itself");
        output.WriteLine($"{farm.Absolute(farm.File.State)}: keys; later all that is known here");
        if (wish.Sources.Length == 0)
            output.WriteLine($"{Path.Combine(wish.Directory, PackagesDirectory)}: put directories with PKGBUILDs here");
        output.WriteLine(wish.WithBuilder
            ? "Next: `quarters doctor` says whether this machine can build, `quarters up` begins."
            : "Next: `quarters master` begins, `quarters builders add` lists who builds.");
    }

    // A key that is there stays: another one would make this node a stranger to whoever knows it.
    internal static void MakeIdentity(string directory, string name, string host)
    {
        if (Identity.Exists(directory))
            return;
        IEnumerable<string> hosts = [Dns.GetHostName()];
        if (!IPAddress.TryParse(host, out var address)
            || (!address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)))
            hosts = hosts.Append(host);
        Identity.Create(directory, name, hosts, TimeProvider.System).Dispose();
    }

    private static (string Name, IEnumerable<string> Servers) Outside(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? (text[..equals], [text[(equals + 1)..]])
            : throw new MistakeException(
                $"--repo {text} must be NAME=URL, such as core=https://mirror.example.org/$repo/os/$arch");
    }

    private static List<(string Name, IEnumerable<string> Servers)> ArchRepositories()
    {
        var servers = File.Exists(ArchMirrorlist)
            ? File.ReadLines(ArchMirrorlist)
                .Select(line => line.Split('=', 2, StringSplitOptions.TrimEntries))
                .Where(parts => parts is ["Server", _])
                .Select(parts => parts[1])
                .Take(MaxMirrors)
                .ToList()
            : [];
        if (servers.Count == 0)
            servers.Add(ArchMirror);
        return [("core", servers), ("extra", servers)];
    }

    private static SourceSection Source(string text, int number)
    {
        var name = number == 0
            ? PackagesDirectory
            : string.Create(CultureInfo.InvariantCulture, $"{PackagesDirectory}-{number + 1}");
        if (Directory.Exists(text))
        {
            var path = Path.GetFullPath(text);
            var isGit = Path.Exists(Path.Combine(path, ".git")) || File.Exists(Path.Combine(path, "HEAD"));
            var single = File.Exists(Path.Combine(path, "PKGBUILD"));
            return new SourceSection
            {
                Name = name,
                Kind = isGit ? SourceKind.Git : SourceKind.Directory,
                Url = isGit ? path : null,
                Path = isGit ? null : path,
                Layout = single ? SourceLayout.Single : SourceLayout.Directories,
            };
        }

        // What git takes: a URL, or user@host:path.
        if (text.Contains("://", StringComparison.Ordinal) || (text.Contains('@') && text.Contains(':')))
            return new SourceSection { Name = name, Kind = SourceKind.Git, Url = text };
        throw new MistakeException($"--source {text} is neither a directory nor a URL");
    }

    internal static string HostArchitecture() => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "x86_64",
        Architecture.Arm64 => "aarch64",
        Architecture.RiscV64 => "riscv64",
        Architecture.X86 => "i686",
        Architecture.Arm or Architecture.Armv6 => "armv7h",
        Architecture.LoongArch64 => "loong64",
        var other => other.ToString().ToLowerInvariant(),
    };
}
