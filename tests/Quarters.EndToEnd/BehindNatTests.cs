using System.Globalization;
using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Node.Tests;

namespace Quarters.EndToEnd;

/// <summary>
/// A builder that nobody can reach, as docs/guides/behind-nat.md says: its owner's command copies what it says to a web
/// space of the real nginx, which is all that the master knows of it.
/// </summary>
public sealed class BehindNatTests : IAsyncLifetime
{
    private readonly LoopbackFarm _farm = new();
    private readonly int _port = FreePort.Take();
    private Nginx? _nginx;

    /// <summary>Where the command copies to.</summary>
    private string Space => Path.Combine(_farm.Home, "space");

    private string Gate => Path.Combine(_farm.Home, "open");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Space);
        _nginx = await Nginx.StartAsync("quarters-webspace.conf", "builder.example.org",
            Path.Combine(_farm.Home, "nginx"), ("/srv/quarters/builder", Space));
    }

    public async ValueTask DisposeAsync()
    {
        if (_nginx is not null) await _nginx.DisposeAsync();
        await _farm.DisposeAsync();
    }

    [Fact]
    public async Task A_builder_that_nobody_can_reach_builds_and_shows_that_it_lives_while_its_packages_are_copied()
    {
        await _farm.StartMasterAsync($"authorities = \"{_nginx!.AuthorityFile}\"");
        await StartBuilderAsync();
        await _farm.UntilAsync(
            async () => (await _farm.StatusAsync()).Builders is [{ LastSeen: not null, Error: null }],
            "the master has seen the builder in its web space");

        await _farm.CommitAsync("amber");

        // The packages are on their way for as long as the gate is shut; the state moves on.
        await _farm.UntilAsync(
            () => Task.FromResult(Shown()?.Claims is [{ Phase: ClaimPhase.Building, Stage: "publish" }]),
            "the packages are being copied");
        var revision = Shown()!.Revision;
        await _farm.UntilAsync(
            () => Task.FromResult(Shown() is { Results.IsEmpty: true } state && state.Revision > revision),
            "the state is copied meanwhile");
        Assert.Equal(0, (await _farm.StatusAsync()).Counts.Built);
        await File.WriteAllTextAsync(Gate, "", Token);

        await _farm.UntilAsync(async () => (await _farm.StatusAsync()).Counts.Built == 1, "amber is built");
        var root = Path.Combine(_farm.Home, "root");
        await _farm.PacmanAsync(root, ["-Sy", "amber"]);
        Assert.Equal("amber\n", await File.ReadAllTextAsync(Path.Combine(root, "usr/share/amber/name"), Token));
        // What was taken is taken away.
        await _farm.UntilAsync(
            () => Task.FromResult(!Directory.EnumerateFiles(
                Path.Combine(Space, "out"), "*", SearchOption.AllDirectories).Any()),
            "the web space holds no package any more");
    }

    /// <summary>Its configuration is the one that <c>builder init</c> writes, with its lines on publishing filled
    /// in.</summary>
    private async Task StartBuilderAsync()
    {
        var line = await LoopbackFarm.RunAsync(
            BuiltProgram.Location, _farm.Home, "builder", "init", "hidden", "--name", "hidden", "--url",
            _nginx!.Address.ToString(), "--master", _farm.MasterUrl, "--master-key", _farm.MasterKey());
        var copy = Path.Combine(_farm.Home, "copy");
        await File.WriteAllTextAsync(
            copy,
            $"""
            #!/bin/bash
            # A slow line: packages do not come through before the gate is open.
            [[ $2 != files || -z $(ls "$3/out" 2> /dev/null) ]] || while [[ ! -e {Gate} ]]; do sleep 0.1; done
            exec {Checkout.PathOf("contrib/publish/quarters-publish-rsync")} "$@"

            """,
            Token);
        File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var configuration = Path.Combine(_farm.Home, "hidden", "builder.toml");
        var listen = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");
        await LoopbackFarm.EditAsync(configuration, "0.0.0.0:7374", listen);
        await LoopbackFarm.EditAsync(configuration, "#[publish]", "[publish]\ninterval = \"1 s\"");
        await LoopbackFarm.EditAsync(
            configuration,
            "#command = [\"/usr/lib/quarters/quarters-publish-rsync\", \"me@web.example.org:/srv/quarters/builder\"]",
            $"command = [\"{copy}\", \"{Space}\"]");
        _farm.Start(BuiltProgram.Location, "builder", "--config", configuration);
        await _farm.QuartersAsync(line.Trim().Split(' ')[1..]);
    }

    /// <summary>What the web space shows of the builder; null when there is nothing yet.</summary>
    private BuilderStateDocument? Shown() => Path.Combine(Space, "v1", "state.json") is var path && File.Exists(path)
        ? JsonSerializer.Deserialize(File.ReadAllText(path), QuartersJson.Default.BuilderStateDocument)
        : null;
}
