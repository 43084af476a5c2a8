using System.Globalization;
using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>
/// A network of its own on this machine: a switch, and hosts that reach each other through it and nobody else. Each is
/// a network namespace with one cable to the switch, which can be narrow, and can be pulled out. Nothing of it is seen
/// outside. Needs root.
/// </summary>
internal sealed class ShapedNetwork : IAsyncDisposable
{
    /// <summary>Addresses exist inside only, so it does not matter who else uses them.</summary>
    private const string Prefix = "10.73.0.";

    private const string NamePrefix = "quarters-test-";
    private const string Namespaces = "/run/netns";
    private static int _made;

    private readonly string _name = string.Create(
        CultureInfo.InvariantCulture, $"{NamePrefix}{Environment.ProcessId}-{Interlocked.Increment(ref _made)}-");

    private readonly List<NetworkHost> _hosts = [];

    private ShapedNetwork()
    {
    }

    private string Switch => _name + "switch";

    public static async Task<ShapedNetwork> CreateAsync()
    {
        await RemoveLeftoversAsync();
        var network = new ShapedNetwork();
        await RunAsync("ip", "netns", "add", network.Switch);
        await RunAsync("ip", "-n", network.Switch, "link", "add", "switch", "type", "bridge");
        await RunAsync("ip", "-n", network.Switch, "link", "set", "switch", "up");
        return network;
    }

    /// <summary>A new host, its cable plugged in.</summary>
    /// <param name="name">Short, of letters: it names the cable's end at the switch, too.</param>
    /// <param name="rate">How much passes in each direction, as tc says it (<c>1mbit</c>); null is as it comes.</param>
    public async Task<NetworkHost> AddAsync(string name, string? rate = null)
    {
        var host = new NetworkHost(
            _name + name, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{_hosts.Count + 1}"), "to-" + name);
        await RunAsync("ip", "netns", "add", host.Namespace);
        _hosts.Add(host);
        await RunAsync(
            "ip", "-n", Switch, "link", "add", host.Cable, "type", "veth", "peer", "name", "eth0", "netns",
            host.Namespace);
        await RunAsync("ip", "-n", Switch, "link", "set", host.Cable, "master", "switch", "up");
        await RunAsync("ip", "-n", host.Namespace, "address", "add", host.Address + "/24", "dev", "eth0");
        await RunAsync("ip", "-n", host.Namespace, "link", "set", "lo", "up");
        await RunAsync("ip", "-n", host.Namespace, "link", "set", "eth0", "up");
        if (rate is not null)
        {
            string[] shape = ["root", "tbf", "rate", rate, "burst", "32kb", "latency", "400ms"];
            await RunAsync("tc", ["-n", host.Namespace, "qdisc", "add", "dev", "eth0", .. shape]);
            await RunAsync("tc", ["-n", Switch, "qdisc", "add", "dev", host.Cable, .. shape]);
        }

        return host;
    }

    /// <summary>Pulls a host's cable out: connections hang, and nobody is told.</summary>
    public Task CutAsync(NetworkHost host) => RunAsync("ip", "-n", Switch, "link", "set", host.Cable, "down");

    /// <summary>Plugs it in again.</summary>
    public Task MendAsync(NetworkHost host) => RunAsync("ip", "-n", Switch, "link", "set", host.Cable, "up");

    /// <summary>Whoever still runs on a host.</summary>
    public static async Task<string> ProcessesOnAsync(NetworkHost host) =>
        (await RunAsync("ip", "netns", "pids", host.Namespace)).Trim();

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _hosts.Select(host => host.Namespace).Append(Switch))
            await RunAsync("ip", "netns", "delete", name);
    }

    /// <summary>What a run left behind that was killed: the names tell whose process it was.</summary>
    private static async Task RemoveLeftoversAsync()
    {
        if (!Directory.Exists(Namespaces)) return;
        foreach (var name in Directory.GetFiles(Namespaces, NamePrefix + "*").Select(Path.GetFileName))
        {
            var owner = name![NamePrefix.Length..].Split('-')[0];
            if (Directory.Exists(Path.Combine("/proc", owner))) continue;
            foreach (var process in (await RunAsync("ip", "netns", "pids", name)).Split(
                '\n', StringSplitOptions.RemoveEmptyEntries))
                await RunAsync("kill", "-9", process);
            await RunAsync("ip", "netns", "delete", name);
        }
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        // Not cancelled with the test: what was made must be taken down then, too.
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec { FileName = program, Arguments = arguments, Timeout = TimeSpan.FromMinutes(1) },
            CancellationToken.None);
        Assert.True(
            result.ExitCode == 0,
            $"{program} {string.Join(' ', arguments)}: {result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }
}

/// <summary>One host of a <see cref="ShapedNetwork"/>.</summary>
/// <param name="Namespace">Its network namespace.</param>
/// <param name="Address">Its address there.</param>
/// <param name="Cable">The end of its cable at the switch.</param>
internal sealed record NetworkHost(string Namespace, string Address, string Cable)
{
    /// <summary>The command that runs a program on this host. Unlike <c>ip netns exec</c> it leaves the mounts alone:
    /// control groups stay in sight, and what a builder forgets to unmount is seen by everybody.</summary>
    public string[] Command(params string[] command) =>
        ["nsenter", "--net=" + Path.Combine("/run/netns", Namespace), "--", .. command];
}
