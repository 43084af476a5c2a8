using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Linux.Processes;
using Quarters.Node.Tests;

namespace Quarters.EndToEnd;

/// <summary>A master on this machine and whatever a test starts beside it, each a process of its own, with packages so
/// small that what takes time is makepkg itself.</summary>
internal sealed class LoopbackFarm : IAsyncDisposable
{
    /// <summary>makepkg alone takes many seconds on a small machine that does other things too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly List<Process> _running = [];
    private readonly StringBuilder _said = new();
    private readonly int _masterPort = FreePort.Take();

    /// <summary>The folder of everything.</summary>
    public string Home { get; } = Directory.CreateTempSubdirectory("quarters-farm-").FullName;

    /// <summary>The folder of the master's configuration.</summary>
    public string Folder => Path.Combine(Home, "farm");

    public string MasterUrl => string.Create(CultureInfo.InvariantCulture, $"https://localhost:{_masterPort}");

    public string MasterCertificate => Path.Combine(Folder, "state", "master", "identity", "cert.pem");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What all that was started printed.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    /// <summary>Makes the master and starts it.</summary>
    /// <param name="configured">What stands at the top of its quarters.toml.</param>
    public async Task StartMasterAsync(string configured = "")
    {
        var packages = Directory.CreateDirectory(Path.Combine(Home, "packages")).FullName;
        await RunAsync("git", packages, "init", "-q", "-b", "main");
        await CommitAsync();
        await RunAsync(
            BuiltProgram.Location, Home, "master", "init", "farm", "--listen", new Uri(MasterUrl).Authority.Replace(
                "localhost", "127.0.0.1", StringComparison.Ordinal), "--source", "packages", "--repo",
            $"core=file://{RunningFarm.Distribution}");
        var configuration = Path.Combine(Folder, "quarters.toml");
        await EditAsync(configuration, "poll = \"1 min\"", "poll = \"1 s\"");
        await File.WriteAllTextAsync(
            configuration, configured + "\n" + await File.ReadAllTextAsync(configuration, Token), Token);
        Start(BuiltProgram.Location, "master", "--config", configuration);
        await UntilAsync(
            async () => (await Command.RunAsync(Folder, new Dictionary<string, string>(), "status")).ExitCode == 0,
            "the master answers");
    }

    public string MasterKey()
    {
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader
            .LoadCertificateFromFile(MasterCertificate);
        return Quarters.Node.NodeKey.Of(certificate).ToString();
    }

    /// <summary>Commits packages of one file each: so small that what takes time is makepkg itself.</summary>
    public async Task CommitAsync(params string[] names)
    {
        var packages = Path.Combine(Home, "packages");
        foreach (var name in names)
        {
            Directory.CreateDirectory(Path.Combine(packages, name));
            await File.WriteAllTextAsync(
                Path.Combine(packages, name, "PKGBUILD"),
                $$"""
                pkgname={{name}}
                pkgver=1.0
                pkgrel=1
                pkgdesc='A package of the tests'
                arch=(any)
                license=(MIT)
                package() {
                  mkdir -p "$pkgdir/usr/share/$pkgname"
                  echo "$pkgname" > "$pkgdir/usr/share/$pkgname/name"
                }

                """,
                Token);
        }

        await RunAsync("git", packages, "add", "-A");
        await RunAsync(
            "git", packages, "-c", "user.name=Jane Dev", "-c", "user.email=jane@example.org", "commit", "-q",
            "--allow-empty", "-m", "more");
    }

    public async Task<MasterStateDocument> StatusAsync() => JsonSerializer.Deserialize(
        await QuartersAsync("status", "--json"), QuartersJson.Default.MasterStateDocument)!;

    public Task<string> CurlAsync(string path) =>
        RunAsync("curl", Home, "-sSf", "--cacert", MasterCertificate, MasterUrl + path);

    public Task<string> QuartersAsync(params string[] arguments) => RunAsync(BuiltProgram.Location, Folder, arguments);

    /// <summary>The real pacman, over HTTPS, into a root of its own.</summary>
    public Task<string> PacmanAsync(string root, string[] arguments)
    {
        Directory.CreateDirectory(Path.Combine(root, "var", "lib", "pacman"));
        var configuration = Path.Combine(Home, "pacman.conf");
        File.WriteAllText(configuration, $"""
            [options]
            Architecture = x86_64
            SigLevel = Never
            XferCommand = /usr/bin/curl -sSf --cacert {MasterCertificate} -o %o %u
            [quarters]
            Server = {MasterUrl}/repo/$repo/os/$arch
            """);
        return RunAsync(
            "pacman", Home,
            ["--config", configuration, "--root", root, "--dbpath", Path.Combine(root, "var", "lib", "pacman"),
                "--cachedir", Path.Combine(Home, "cache"), "--noconfirm", .. arguments]);
    }

    public static async Task<string> RunAsync(string program, string folder, params string[] arguments)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = program,
                Arguments = arguments,
                WorkingDirectory = folder,
                Timeout = Patience,
            },
            Token);
        Assert.True(
            result.ExitCode == 0,
            $"{program} {string.Join(' ', arguments)}\n{result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }

    public static async Task EditAsync(string path, string old, string replacement)
    {
        var text = await File.ReadAllTextAsync(path, Token);
        Assert.Contains(old, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, text.Replace(old, replacement, StringComparison.Ordinal), Token);
    }

    public void Start(string program, params string[] arguments)
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                WorkingDirectory = Home,
            },
        };
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.Start();
        _running.Add(process);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (_said) _said.AppendLine(line);
    }

    public async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        var started = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(started.Elapsed < Patience, $"it is still not so that {what}:\n{Said}");
            Assert.True(_running.TrueForAll(process => !process.HasExited), $"before {what}, one has ended:\n{Said}");
            await tick.WaitForNextTickAsync(Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _running)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }

        Directory.Delete(Home, recursive: true);
    }
}
