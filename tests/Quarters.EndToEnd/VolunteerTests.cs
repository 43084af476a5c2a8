using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Linux.Processes;
using Quarters.Node.Tests;

namespace Quarters.EndToEnd;

/// <summary>A builder joins a farm as docs/guides/volunteer.md says: its commands are run as they are written there,
/// with other addresses.</summary>
public sealed partial class VolunteerTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string _home = Directory.CreateTempSubdirectory("quarters-volunteer-").FullName;
    private readonly List<Process> _running = [];
    private readonly int _masterPort = FreePort.Take();
    private readonly int _builderPort = FreePort.Take();
    private string _masterKey = "";

    private string Farm => Path.Combine(_home, "farm");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _running)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }

        Directory.Delete(_home, recursive: true);
    }

    [Fact]
    public async Task A_builder_joins_drains_dies_comes_back_and_leaves_and_the_master_is_never_restarted()
    {
        await StartMasterAsync();
        Assert.True(Blocks() is [_, _, _, _], "the guide has another number of blocks of commands than this test");
        var (doctor, init, run, look) = (Blocks()[0], Blocks()[1], Blocks()[2], Blocks()[3]);
        await BashAsync(_home, doctor);
        var line = (await BashAsync(_home, init)).Trim();
        Assert.Matches("^quarters builders add anna https://127.0.0.1:[0-9]+/ sha256:[0-9a-f]{64}$", line);
        var configuration = Path.Combine(_home, "quarters-builder", "builder.toml");
        var text = await File.ReadAllTextAsync(configuration, Token);
        await File.WriteAllTextAsync(
            configuration, text.Replace("0.0.0.0:7374", $"127.0.0.1:{_builderPort}", StringComparison.Ordinal), Token);

        // Before the operator knows of it, as the guide allows.
        var builder = Start(run);
        await BashAsync(Farm, line);
        await UntilAsync(
            async () => (await StatusAsync()).Builders is [{ Name: "anna", LastSeen: not null, Error: null }],
            "the master has seen anna");
        Assert.Contains("anna", await BashAsync(Farm, "quarters builders list"), StringComparison.Ordinal);
        Assert.Matches("anna +yes", await BashAsync(_home, look));

        await BashAsync(Farm, "quarters builders drain anna");
        Assert.True(Assert.Single((await ListAsync()).Builders).Draining);
        await BashAsync(Farm, "quarters builders drain anna --undo");
        Assert.False(Assert.Single((await ListAsync()).Builders).Draining);

        builder.Kill();
        await builder.WaitForExitAsync(Token);
        await UntilAsync(async () => (await StatusAsync()).Builders[0].Error is not null, "the master misses anna");
        Assert.Matches("anna +no", await BashAsync(_home, look));
        Start(run);
        await UntilAsync(async () => (await StatusAsync()).Builders[0].Error is null, "anna is back");
        Assert.Matches("anna +yes", await BashAsync(_home, look));

        await BashAsync(Farm, "quarters builders remove anna");
        Assert.Empty((await ListAsync()).Builders);
        Assert.DoesNotContain("anna", await BashAsync(Farm, "quarters status --farm"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_master_refuses_is_said_with_the_reason_and_the_exit_code()
    {
        await StartMasterAsync();
        var refused = await RunAsync(Farm, "quarters builders remove nobody");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("no builder of that name", refused.StandardError, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(Farm, "quarters retry nothing")).ExitCode);
    }

    private async Task StartMasterAsync()
    {
        Directory.CreateDirectory(Path.Combine(_home, "packages"));
        await BashAsync(
            _home,
            $"quarters master init farm --listen 127.0.0.1:{_masterPort} --source packages "
                + $"--repo 'core=file://{_home}/none'");
        Start($"quarters master --config {Farm}/quarters.toml");
        await UntilAsync(
            async () => (await RunAsync(Farm, "quarters status --json")).ExitCode == 0, "the master answers");
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader
            .LoadCertificateFromFile(Path.Combine(Farm, "state", "master", "identity", "cert.pem"));
        _masterKey = Quarters.Node.NodeKey.Of(certificate).ToString();
    }

    /// <summary>The guide's blocks of commands, in order, with the addresses of this test.</summary>
    private List<string> Blocks() =>
    [
        .. Block().Matches(File.ReadAllText(Checkout.PathOf("docs/guides/volunteer.md")))
            .Select(match => match.Groups["text"].Value
                .Replace(
                    "https://farm.example.org:7373",
                    string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{_masterPort}"),
                    StringComparison.Ordinal)
                .Replace(
                    "https://anna.example.org:7374/",
                    string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{_builderPort}/"),
                    StringComparison.Ordinal)
                .Replace(
                    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", _masterKey,
                    StringComparison.Ordinal)),
    ];

    private async Task<MasterStateDocument> StatusAsync() => JsonSerializer.Deserialize(
        await BashAsync(Farm, "quarters status --json"), QuartersJson.Default.MasterStateDocument)!;

    private async Task<BuildersDocument> ListAsync() => JsonSerializer.Deserialize(
        await BashAsync(Farm, "quarters builders list --json"), QuartersJson.Default.BuildersDocument)!;

    private async Task<string> BashAsync(string folder, string commands)
    {
        var result = await RunAsync(folder, commands);
        Assert.True(result.ExitCode == 0, $"{commands}\n{result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }

    private Task<ProcessResult> RunAsync(string folder, string commands) => ProcessRunner.RunAsync(
        new ProcessSpec
        {
            FileName = "bash",
            Arguments = ["-euc", commands],
            WorkingDirectory = folder,
            Environment = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
                .ToDictionary(
                    one => (string)one.Key,
                    one => (string)one.Key switch
                    {
                        "HOME" => _home,
                        "PATH" => SearchPath,
                        _ => (string?)one.Value ?? "",
                    },
                    StringComparer.Ordinal),
            Timeout = Patience,
        },
        Token);

    /// <summary>Starts what runs until it is stopped: bash becomes it, so that killing it kills it.</summary>
    private Process Start(string command)
    {
        var start = new ProcessStartInfo("bash", ["-euc", "exec " + command.Trim()]) { WorkingDirectory = _home };
        start.Environment["HOME"] = _home;
        start.Environment["PATH"] = SearchPath;
        var process = Process.Start(start)!;
        _running.Add(process);
        return process;
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(300));
        var started = Stopwatch.StartNew();
        while (!await isSo())
        {
            if (started.Elapsed > Patience) throw new TimeoutException($"it is still not so that {what}");
            await tick.WaitForNextTickAsync(Token);
        }
    }

    private static string SearchPath =>
        Path.GetDirectoryName(BuiltProgram.Location) + ":" + Environment.GetEnvironmentVariable("PATH");

    [GeneratedRegex("```sh\n(?<text>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
