using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Linux.Processes;
using Quarters.Node.Tests;

namespace Quarters.EndToEnd;

/// <summary>
/// A farm on this machine as its owner runs it: a git repository of packages, a quarters.toml, and <c>quarters up</c>
/// as a process that can be killed and started again.
/// </summary>
internal sealed class RunningFarm : IAsyncDisposable
{
    /// <summary>makepkg alone takes many seconds on a small machine that does other things too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly StringBuilder _said = new();
    private readonly int _port = FreePort.Take();
    private readonly int _builderPort = FreePort.Take();
    private readonly PackageTree _packages;
    private Process? _up;

    private RunningFarm(string folder, PackageTree packages) => (Folder, _packages) = (folder, packages);

    public string Folder { get; }

    public string Packages => _packages.Folder;

    public string Journal => string.Concat(
        Directory.GetFiles(Path.Combine(Folder, "state", "master", "journal"), "*.jsonl").Order(StringComparer.Ordinal)
            .Select(ReadShared));

    /// <summary>What <c>quarters up</c> printed, all runs together.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    /// <summary>The distribution that builds install from.</summary>
    public static string Distribution =>
        Environment.GetEnvironmentVariable("QUARTERS_TEST_REPO") is { Length: > 0 } folder
        ? folder
        : throw new InvalidOperationException(
            "QUARTERS_TEST_REPO names no folder with core.db and its packages: run eng/mini-distribution DIR and "
            + "set it to DIR/repo");

    public static async Task<RunningFarm> CreateAsync(
        string limits = "", string sources = "", string builder = "")
    {
        var folder = Directory.CreateTempSubdirectory("quarters-up-").FullName;
        var farm = new RunningFarm(folder, await PackageTree.CreateAsync(Path.Combine(folder, "packages")));
        var made = await farm.QuartersAsync("init", farm.Folder);
        Assert.True(made.ExitCode == 0, made.ToString());
        await File.WriteAllTextAsync(Path.Combine(farm.Folder, "quarters.toml"), $$"""
            name = "test"
            listen = "127.0.0.1:{{farm._port}}"
            architectures = ["x86_64"]
            attempts = 2
            base = ["base-devel"]
            [[repository]]
            name = "quarters"
            [[outside]]
            name = "core"
            servers = ["file://{{Distribution}}"]
            [[source]]
            name = "packages"
            kind = "git"
            url = "packages"
            poll = "1 s"
            {{sources}}
            [builder]
            listen = "127.0.0.1:{{farm._builderPort}}"
            slots = 2
            {{builder}}
            [limits]
            memory = "1 GiB"
            {{limits}}
            """);
        return farm;
    }

    /// <inheritdoc cref="PackageTree.Write(string, string)"/>
    public void Write(string pkgbase, string pkgbuild) => _packages.Write(pkgbase, pkgbuild);

    /// <inheritdoc cref="PackageTree.Write(string, string, string, string)"/>
    public void Write(string pkgbase, string version, string depends, string lines = "") =>
        _packages.Write(pkgbase, version, depends, lines);

    public Task CommitAsync(string message) => _packages.CommitAsync(message);

    public void Start()
    {
        _up = new Process
        {
            // Whoever ran the tests in the background of a shell had Ctrl-C ignored, for them and all that they start.
            StartInfo = new ProcessStartInfo(
                "env",
                [
                    "--default-signal=INT", BuiltProgram.Location, "up", "--config",
                    Path.Combine(Folder, "quarters.toml"),
                ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                WorkingDirectory = Folder,
            },
        };
        _up.OutputDataReceived += (_, line) => Hear(line.Data);
        _up.ErrorDataReceived += (_, line) => Hear(line.Data);
        _up.Start();
        _up.BeginOutputReadLine();
        _up.BeginErrorReadLine();
    }

    /// <summary>kill -9: nothing gets a chance to tidy up.</summary>
    public async Task KillAsync()
    {
        _up!.Kill();
        await _up.WaitForExitAsync(TestContext.Current.CancellationToken);
        _up.Dispose();
        _up = null;
    }

    /// <summary>Ctrl-C, and does not wait for what comes of it.</summary>
    public void PressInterrupt() => Assert.Equal(0, Kill(_up!.Id, Interrupt));

    /// <summary>Ctrl-C; returns the exit code.</summary>
    public async Task<int> InterruptAsync()
    {
        PressInterrupt();
        await _up!.WaitForExitAsync(TestContext.Current.CancellationToken)
            .WaitAsync(Patience, TestContext.Current.CancellationToken);
        return _up.ExitCode;
    }

    public Task<ProcessResult> QuartersAsync(params string[] arguments) =>
        RunAsync(BuiltProgram.Location, Folder, arguments);

    public async Task<MasterStateDocument?> StatusAsync() =>
        await ReadAsync(["status", "--json"], QuartersJson.Default.MasterStateDocument);

    /// <summary>Waits until the farm is so; what it printed and what it is comes with a time-out.</summary>
    public async Task<MasterStateDocument> UntilAsync(Func<MasterStateDocument, bool> isSo, string what)
    {
        MasterStateDocument? last = null;
        var deadline = Stopwatch.StartNew();
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (deadline.Elapsed < Patience && await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
            last = await StatusAsync() ?? last;
            if (last is not null && isSo(last)) return last;
            if (_up is { HasExited: true }) break;
        }

        var shown = last is null
            ? "no status"
            : JsonSerializer.Serialize(last, QuartersJson.Default.MasterStateDocument);
        throw new TimeoutException($"it is still not so that {what}:\n{shown}\n{Said}");
    }

    /// <summary>The real pacman, over HTTPS, into an empty root.</summary>
    public Task<ProcessResult> PacmanAsync(string root, params string[] arguments)
    {
        var database = Directory.CreateDirectory(Path.Combine(root, "var", "lib", "pacman")).FullName;
        var configuration = Path.Combine(Folder, "pacman.conf");
        var certificate = Path.Combine(Folder, "state", "master", "identity", "cert.pem");
        File.WriteAllText(configuration, $"""
            [options]
            Architecture = x86_64
            SigLevel = Never
            XferCommand = /usr/bin/curl -sSf --cacert {certificate} -o %o %u
            [quarters]
            Server = https://localhost:{_port}/repo/$repo/os/$arch
            [core]
            Server = file://{Distribution}
            """);
        return RunAsync(
            "pacman", Folder,
            ["--config", configuration, "--root", root, "--dbpath", database,
                "--cachedir", Path.Combine(Folder, "cache"),
                "--noconfirm", .. arguments]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_up is not null) await KillAsync();
        // Files of a rootless or root build may belong to others; the farm knows how to remove them at its next start,
        // a test that runs as root simply may.
        Directory.Delete(Folder, recursive: true);
    }

    private async Task<T?> ReadAsync<T>(string[] arguments, JsonTypeInfo<T> info)
        where T : class
    {
        var result = await QuartersAsync([.. arguments, "--config", Path.Combine(Folder, "quarters.toml")]);
        return result.ExitCode == 0 ? JsonSerializer.Deserialize(result.StandardOutput, info) : null;
    }

    private static Task<ProcessResult> RunAsync(string program, string folder, string[] arguments) =>
        ProcessRunner.RunAsync(
        new ProcessSpec { FileName = program, Arguments = arguments, WorkingDirectory = folder, Timeout = Patience },
        TestContext.Current.CancellationToken);

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (_said) _said.AppendLine(line);
    }

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private const int Interrupt = 2;

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
