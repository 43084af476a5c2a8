using System.Diagnostics;
using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>A farm whose master, builders and operator are hosts of a <see cref="ShapedNetwork"/>, each set up by the
/// commands of docs/guides/farm.md.</summary>
internal sealed class SpreadFarm : IAsyncDisposable
{
    /// <summary>makepkg alone takes many seconds on a small machine that does other things too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly ShapedNetwork _network;
    private readonly NetworkHost _operator;
    private readonly Dictionary<string, NodeProcess> _builders = new(StringComparer.Ordinal);

    private SpreadFarm(
        string folder, ShapedNetwork network, NetworkHost operatorsHost, NodeProcess master, PackageTree packages)
    {
        (Folder, _network, _operator) = (folder, network, operatorsHost);
        (Master, Packages) = (master, packages);
    }

    public string Folder { get; }

    public PackageTree Packages { get; }

    public NodeProcess Master { get; }

    public IReadOnlyDictionary<string, NodeProcess> Builders => _builders;

    public string MasterUrl => $"https://{Master.Host.Address}:7373/";

    private string Configuration => Path.Combine(Master.Home, "quarters.toml");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A running master that has no builder and no package yet.</summary>
    /// <param name="configure">Changes what its configuration says.</param>
    public static async Task<SpreadFarm> CreateAsync(Func<string, string>? configure = null)
    {
        var folder = Directory.CreateTempSubdirectory("quarters-farm-").FullName;
        var packages = await PackageTree.CreateAsync(Path.Combine(folder, "packages"));
        var network = await ShapedNetwork.CreateAsync();
        var host = await network.AddAsync("master");
        var home = Path.Combine(folder, "master");
        var farm = new SpreadFarm(
            folder, network, await network.AddAsync("operator"),
            new NodeProcess(host, home, "master", "--config", Path.Combine(home, "quarters.toml")), packages);
        await farm.OperateAsync(
            "master", "init", home, "--listen", host.Address + ":7373", "--source", packages.Folder, "--repo",
            $"core=file://{RunningFarm.Distribution}");
        var text = await File.ReadAllTextAsync(farm.Configuration, Token);
        await File.WriteAllTextAsync(
            farm.Configuration,
            (configure?.Invoke(text) ?? text).Replace("poll = \"1 min\"", "poll = \"1 s\"", StringComparison.Ordinal)
                .Replace("memory = \"8 GiB\"", "memory = \"1 GiB\"", StringComparison.Ordinal),
            Token);
        farm.Master.Start();
        await farm.UntilAsync(_ => farm.Master.Key is not null, "the master runs");
        return farm;
    }

    /// <summary>A new builder, as its owner makes it and the operator adds it. It runs.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="rate">What passes through its cable, as in <see cref="ShapedNetwork.AddAsync"/>.</param>
    /// <param name="architecture">What its owner writes that it builds, if not what the machine is.</param>
    public async Task<NodeProcess> AddBuilderAsync(string name, string? rate = null, string? architecture = null)
    {
        var host = await _network.AddAsync(name, rate);
        var home = Path.Combine(Folder, name);
        var init = await OperateAsync(
            "builder", "init", home, "--name", name, "--url", $"https://{host.Address}:7374/", "--master", MasterUrl,
            "--master-key", Master.Key!);
        var configuration = Path.Combine(home, "builder.toml");
        var text = await File.ReadAllTextAsync(configuration, Token);
        if (architecture is not null)
            await File.WriteAllTextAsync(configuration, text.Replace("x86_64", architecture, StringComparison.Ordinal),
                Token);
        var builder = new NodeProcess(host, home, "builder", "--config", configuration);
        _builders.Add(name, builder);
        builder.Start();
        // The line that it printed is what the operator types, as it is.
        await OperateAsync(init.StandardOutput.Trim().Split(' ')[1..]);
        return builder;
    }

    /// <summary>A command of the operator, who sits beside the master's configuration but on a host of his
    /// own.</summary>
    public async Task<ProcessResult> OperateAsync(params string[] arguments)
    {
        var result = await TryOperateAsync(arguments);
        Assert.True(
            result.ExitCode == 0,
            $"quarters {string.Join(' ', arguments)}: {result.StandardOutput}{result.StandardError}");
        return result;
    }

    public Task CutAsync(NodeProcess node) => _network.CutAsync(node.Host);

    public Task MendAsync(NodeProcess node) => _network.MendAsync(node.Host);

    /// <summary>What the master says; null when it does not answer.</summary>
    public async Task<MasterStateDocument?> StatusAsync() =>
        await TryOperateAsync("status", "--json") is { ExitCode: 0 } result
            ? JsonSerializer.Deserialize(result.StandardOutput, QuartersJson.Default.MasterStateDocument)
            : null;

    /// <summary>What the master and every builder say themselves.</summary>
    public async Task<JsonElement> FarmAsync() =>
        JsonDocument.Parse((await OperateAsync("status", "--farm", "--json")).StandardOutput).RootElement;

    /// <summary>Waits until the master says that it is so.</summary>
    public Task<MasterStateDocument> UntilAsync(Func<MasterStateDocument, bool> isSo, string what) =>
        UntilAsync(StatusAsync, last => last is not null && isSo(last), what)!;

    /// <summary>Waits until it is so; with a time-out comes what everybody printed.</summary>
    public async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> isSo, string what)
    {
        T? last = default;
        var waited = Stopwatch.StartNew();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (waited.Elapsed < Patience && await tick.WaitForNextTickAsync(Token))
        {
            last = await look();
            if (isSo(last)) return last;
            if (_builders.Values.Append(Master).Any(node => node.HasExited)) break;
        }

        var shown = last is MasterStateDocument status
            ? JsonSerializer.Serialize(status, QuartersJson.Default.MasterStateDocument)
            : last?.ToString();
        throw new TimeoutException($"it is still not so that {what}:\n{shown}\n{Story()}");
    }

    /// <summary>What everybody printed.</summary>
    public string Story() => string.Concat(
        _builders.Prepend(KeyValuePair.Create("master", Master)).Select(node => $"-- {node.Key}\n{node.Value.Said}"));

    /// <summary>The real pacman, on the operator's host, over HTTPS, into a root of its own.</summary>
    public Task<string> PacmanAsync(string root, params string[] arguments) =>
        PacmanForAsync("x86_64", root, arguments);

    /// <summary>The same on a machine of other architectures, as in pacman.conf.</summary>
    public async Task<string> PacmanForAsync(string architectures, string root, params string[] arguments)
    {
        var database = Directory.CreateDirectory(Path.Combine(root, "var", "lib", "pacman")).FullName;
        var configuration = Path.Combine(Folder, "pacman.conf");
        var certificate = Path.Combine(Master.Home, "state", "master", "identity", "cert.pem");
        await File.WriteAllTextAsync(configuration, $"""
            [options]
            Architecture = {architectures}
            SigLevel = Never
            XferCommand = /usr/bin/curl -sSf --cacert {certificate} -o %o %u
            [quarters]
            Server = {MasterUrl}repo/$repo/os/$arch
            """, Token);
        var result = await RunAsync(_operator.Command(
        [
            "pacman", "--config", configuration, "--root", root, "--dbpath", database, "--cachedir",
            Path.Combine(Folder, "cache"), "--noconfirm", .. arguments,
        ]));
        Assert.True(result.ExitCode == 0, result.StandardOutput + result.StandardError);
        return result.StandardOutput;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _builders.Values.Append(Master))
            await node.DisposeAsync();
        await _network.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private Task<ProcessResult> TryOperateAsync(params string[] arguments)
    {
        // What is made anew has no configuration yet to be asked with.
        string[] asked = arguments.Contains("init") ? [] : ["--config", Configuration];
        return RunAsync(_operator.Command([BuiltProgram.Location, .. arguments, .. asked]));
    }

    private Task<ProcessResult> RunAsync(string[] command) => ProcessRunner.RunAsync(
        new ProcessSpec
        {
            FileName = command[0],
            Arguments = command[1..],
            WorkingDirectory = Folder,
            Timeout = Patience,
        },
        Token);
}
