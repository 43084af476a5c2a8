using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Linux.Processes;
using Quarters.Node.Tests;

namespace Quarters.EndToEnd;

/// <summary>
/// The protocol page is enough to write a node in another language: <c>foreign-builder</c> beside this file, which is
/// bash and was written from that page, works in a farm beside a builder of ours.
/// </summary>
public sealed partial class ForeignBuilderTests : IAsyncLifetime
{
    /// <summary>makepkg alone takes many seconds on a small machine that does other things too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly string _home = Directory.CreateTempSubdirectory("quarters-foreign-").FullName;
    private readonly List<Process> _running = [];
    private readonly StringBuilder _said = new();
    private readonly int _masterPort = FreePort.Take();
    private readonly int _ourPort = FreePort.Take();
    private readonly int _foreignPort = FreePort.Take();

    private string Farm => Path.Combine(_home, "farm");

    private string MasterUrl => Invariant($"https://localhost:{_masterPort}");

    private string MasterCertificate => Path.Combine(Farm, "state", "master", "identity", "cert.pem");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _running)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }

        Directory.Delete(_home, recursive: true);
    }

    [Fact]
    public async Task A_builder_written_from_the_protocol_page_alone_builds_beside_ours_and_nothing_is_built_twice()
    {
        await StartMasterAsync();
        await StartOursAsync();
        var foreignKey = await StartForeignAsync();
        await UntilAsync(
            async () => (await StatusAsync()).Builders is [{ LastSeen: not null }, { LastSeen: not null }],
            "the master has seen both");

        // While ours takes nothing new the first is the foreign one's; then they contend for what is left,
        await QuartersAsync("builders", "drain", "ours");
        await CommitAsync("amber", "birch", "cedar");
        await UntilAsync(async () => (await StatusAsync()).Counts.Building > 0, "the foreign builder builds");
        await QuartersAsync("builders", "drain", "ours", "--undo");
        await UntilBuiltAsync(3);
        // and when both are idle for the same.
        await CommitAsync("dogwood", "elder", "fir");
        await UntilBuiltAsync(6);

        List<Attempt> accepted = [];
        List<string> byForeign = [];
        foreach (var name in (string[])["amber", "birch", "cedar", "dogwood", "elder", "fir"])
        {
            var package = JsonSerializer.Deserialize(
                await CurlAsync($"/v1/packages/{name}.json"), QuartersJson.Default.PackageDocument)!;
            var job = JsonSerializer.Deserialize(
                await CurlAsync($"/v1/jobs/{Assert.Single(package.Jobs).Id}.json"), QuartersJson.Default.JobDocument)!;
            var attempt = Assert.Single(job.Job.Attempts);
            Assert.Equal((1, AttemptEnd.Accepted), (attempt.Number, attempt.End));
            accepted.Add(attempt);
            if (attempt.Builder == "foreign") byForeign.Add(name);
        }

        Assert.NotEmpty(byForeign);
        Assert.Contains(accepted, attempt => attempt.Builder == "ours");
        // No build was begun but those that were accepted.
        Assert.Equal(byForeign.Count, BuildBegun().Count(Said));
        Assert.Equal(
            accepted.Count - byForeign.Count,
            Directory.GetFiles(Path.Combine(_home, "ours", "state", "journal"), "*.jsonl")
                .Sum(segment => OurBuildBegun().Count(ReadShared(segment))));

        var root = Path.Combine(_home, "root");
        await PacmanAsync(root, ["-Sy", .. byForeign]);
        foreach (var name in byForeign)
        {
            var installed = Path.Combine(root, "usr", "share", name, "name");
            Assert.Equal(name + "\n", await File.ReadAllTextAsync(installed, Token));
        }

        // What was taken is forgotten.
        await UntilAsync(
            () => Task.FromResult(!Directory.EnumerateFileSystemEntries(
                Path.Combine(_home, "foreign", "tree", "out")).Any()),
            $"the foreign builder, {foreignKey}, has deleted what the master has");
    }

    private async Task StartMasterAsync()
    {
        var packages = Directory.CreateDirectory(Path.Combine(_home, "packages")).FullName;
        await RunAsync("git", packages, "init", "-q", "-b", "main");
        await CommitAsync();
        await RunAsync(
            Program, _home, "master", "init", "farm", "--listen", Invariant($"127.0.0.1:{_masterPort}"),
            "--source", "packages", "--repo", $"core=file://{RunningFarm.Distribution}");
        await EditAsync(Path.Combine(Farm, "quarters.toml"), "poll = \"1 min\"", "poll = \"1 s\"");
        Start(Program, "master", "--config", Path.Combine(Farm, "quarters.toml"));
        await UntilAsync(
            async () => (await Command.RunAsync(Farm, new Dictionary<string, string>(), "status")).ExitCode == 0,
            "the master answers");
    }

    private async Task StartOursAsync()
    {
        var line = await RunAsync(
            Program, _home, "builder", "init", "ours", "--name", "ours", "--url",
            Invariant($"https://127.0.0.1:{_ourPort}/"), "--master", MasterUrl, "--master-key", MasterKey());
        var configuration = Path.Combine(_home, "ours", "builder.toml");
        await EditAsync(configuration, "0.0.0.0:7374", Invariant($"127.0.0.1:{_ourPort}"));
        Start(Program, "builder", "--config", configuration);
        await QuartersAsync(line.Trim().Split(' ')[1..]);
    }

    private async Task<string> StartForeignAsync([CallerFilePath] string beside = "")
    {
        Start(
            Path.Combine(Path.GetDirectoryName(beside)!, "foreign-builder"), Path.Combine(_home, "foreign"), "foreign",
            Invariant($"{_foreignPort}"), MasterUrl, MasterKey());
        await UntilAsync(() => Task.FromResult(AddLine().IsMatch(Said)), "the foreign builder serves its documents");
        var line = AddLine().Match(Said).Value.Split(' ');
        await QuartersAsync(line[1..]);
        return line[^1];
    }

    private string MasterKey()
    {
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader
            .LoadCertificateFromFile(MasterCertificate);
        return Quarters.Node.NodeKey.Of(certificate).ToString();
    }

    /// <summary>Commits packages of one file each: so small that what takes time is makepkg itself.</summary>
    private async Task CommitAsync(params string[] names)
    {
        var packages = Path.Combine(_home, "packages");
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

    private Task<string> PacmanAsync(string root, string[] arguments)
    {
        Directory.CreateDirectory(Path.Combine(root, "var", "lib", "pacman"));
        var configuration = Path.Combine(_home, "pacman.conf");
        File.WriteAllText(configuration, $"""
            [options]
            Architecture = x86_64
            SigLevel = Never
            XferCommand = /usr/bin/curl -sSf --cacert {MasterCertificate} -o %o %u
            [quarters]
            Server = {MasterUrl}/repo/$repo/os/$arch
            """);
        return RunAsync(
            "pacman", _home,
            ["--config", configuration, "--root", root, "--dbpath", Path.Combine(root, "var", "lib", "pacman"),
                "--cachedir", Path.Combine(_home, "cache"), "--noconfirm", .. arguments]);
    }

    private Task UntilBuiltAsync(int count) => UntilAsync(
        async () => (await StatusAsync()).Counts is { } counts && counts.Built == count && counts.Packages == count,
        $"{count} packages are built");

    private async Task<MasterStateDocument> StatusAsync() => JsonSerializer.Deserialize(
        await QuartersAsync("status", "--json"), QuartersJson.Default.MasterStateDocument)!;

    private Task<string> CurlAsync(string path) =>
        RunAsync("curl", _home, "-sSf", "--cacert", MasterCertificate, MasterUrl + path);

    private Task<string> QuartersAsync(params string[] arguments) => RunAsync(Program, Farm, arguments);

    private static async Task<string> RunAsync(string program, string folder, params string[] arguments)
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

    private static async Task EditAsync(string path, string old, string replacement)
    {
        var text = await File.ReadAllTextAsync(path, Token);
        Assert.Contains(old, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, text.Replace(old, replacement, StringComparison.Ordinal), Token);
    }

    private void Start(string program, params string[] arguments)
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                WorkingDirectory = _home,
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

    private async Task UntilAsync(Func<Task<bool>> isSo, string what)
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

    private static string Program => Path.Combine(AppContext.BaseDirectory, "quarters");

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("^quarters builders add foreign .*$", RegexOptions.Multiline)]
    private static partial Regex AddLine();

    [GeneratedRegex("^[0-9:]+ builds ", RegexOptions.Multiline)]
    private static partial Regex BuildBegun();

    [GeneratedRegex("\"kind\":\"buildBegun\"")]
    private static partial Regex OurBuildBegun();
}
