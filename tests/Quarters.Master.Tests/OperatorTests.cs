using System.Security.Cryptography;
using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Master.Signalling;
using Quarters.Node;
using Quarters.Node.Tests;

namespace Quarters.Master.Tests;

/// <summary>A real master that obeys an operator whose signed signals the real nginx serves; and one that reads its
/// configuration again.</summary>
[Collection(Forking.Name)]
public sealed class OperatorTests : IAsyncLifetime
{
    private TestFarm _farm = null!;
    private Nginx _nginx = null!;
    private Identity _operator = null!;
    private long _revision;

    private string Space => Path.Combine(_farm.Folder, "space");

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync();
        await _farm.StopMasterAsync();
        Directory.CreateDirectory(Space);
        _nginx = await Nginx.StartAsync("quarters-webspace.conf", "builder.example.org",
            Path.Combine(_farm.Folder, "nginx"), ("/srv/quarters/builder", Space));
        _operator = Identity.Create(Path.Combine(_farm.Folder, "operator"), "olga", [], TimeProvider.System);
        _farm.AuthoritiesFile = _nginx.AuthorityFile;
        _farm.Operators = [new PolledOperator("olga", _nginx.Address.ToString(), _operator.PublicKey.ToString())
        {
            Interval = TimeSpan.FromMilliseconds(100),
        }];
        await _farm.StartMasterAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _operator.Dispose();
        await _nginx.DisposeAsync();
        await _farm.DisposeAsync();
    }

    [Fact]
    public async Task What_an_operator_signs_is_done_once_and_what_somebody_else_wrote_is_not()
    {
        _farm.Source.Commit("zlib 1.3-1", "pigz 1.3-1");
        await _farm.QueuedAsync("zlib");
        var now = DateTimeOffset.UtcNow;
        var hold = new HoldPackage { Id = "hold-zlib", Time = now, Name = "zlib" };
        Publish(signed: true, hold);
        Assert.Equal(SignalEnd.Done, (await _farm.OutcomeAsync("hold-zlib")).Outcome);
        await QueueIsAsync("pigz");

        // An old one beside a new one is not done again; and what is not signed is not believed.
        await _farm.SignalAsync(new ReleasePackage { Id = "release", Time = now, Name = "zlib" });
        Publish(signed: false, hold, new HoldPackage { Id = "forged", Time = now.AddSeconds(1), Name = "zlib" });
        Publish(signed: true, hold, new HoldPackage { Id = "hold-pigz", Time = now.AddSeconds(2), Name = "pigz" });
        await _farm.OutcomeAsync("hold-pigz");
        await QueueIsAsync("zlib");
        Assert.Null(await _farm.FindOutcomeAsync("forged"));

        // The same after a restart.
        await _farm.StopMasterAsync();
        await _farm.StartMasterAsync();
        Publish(signed: true, hold, new CancelJob { Id = "last", Time = now.AddSeconds(3), Name = "nothing" });
        Assert.Contains("no job", (await _farm.OutcomeAsync("last")).Reason, StringComparison.Ordinal);
        await QueueIsAsync("zlib");
    }

    [Fact]
    public async Task What_is_dated_too_far_in_the_future_is_done_when_its_time_has_come()
    {
        _farm.Source.Commit("zlib 1.3-1");
        await _farm.QueuedAsync("zlib");
        var soon = DateTimeOffset.UtcNow + Signals.ClockTolerance + TimeSpan.FromSeconds(3);
        Publish(
            signed: true, new HoldPackage { Id = "late", Time = soon, Name = "zlib" },
            new CancelJob { Id = "now", Time = DateTimeOffset.UtcNow, Name = "nothing" });
        await _farm.OutcomeAsync("now");
        var late = await _farm.OutcomeAsync("late");
        Assert.Equal(SignalEnd.Done, late.Outcome);
        Assert.True(late.Settled >= soon - Signals.ClockTolerance, $"{late.Settled} is too early");
    }

    [Fact]
    public async Task A_reload_takes_what_the_configuration_says_now_and_refuses_one_that_is_wrong()
    {
        _farm.Source.Commit("zlib 1.3-1");
        var before = await _farm.QueuedAsync("zlib");
        await _farm.StopMasterAsync();
        Func<MasterSetup> reading = () => throw new MasterException("quarters.toml, line 3: lease must be a duration");
        _farm.Reread = () => reading();
        await _farm.StartMasterAsync();
        var refused = await _farm.SignalAsync(new ReloadConfiguration { Id = "r1", Time = default });
        Assert.Contains("line 3", refused.Reason, StringComparison.Ordinal);

        // From afar it is not read at all: that is only for who works on the master's machine.
        Publish(signed: true, new ReloadConfiguration { Id = "afar", Time = DateTimeOffset.UtcNow });
        Assert.Contains("machine", (await _farm.OutcomeAsync("afar")).Reason, StringComparison.Ordinal);

        reading = () => new MasterSetup(
            _farm.NewSettings() with { BasePackages = ["base", "gcc"] },
            [_farm.NewSource()], []);
        Assert.Equal(
            SignalEnd.Done, (await _farm.SignalAsync(new ReloadConfiguration { Id = "r2", Time = default })).Outcome);
        await TestFarm.UntilAsync(
            async () => (await _farm.QueueAsync()).Jobs is [{ BasePackages: ["base", "gcc"] }] ? "" : null,
            "the queue says what the configuration says");
        Assert.Equal(["base-devel"], before.BasePackages);

        // The sources are polled on.
        _farm.Source.Commit("pigz 1.3-1");
        await _farm.QueuedAsync("pigz");
    }

    private Task<string> QueueIsAsync(string pkgbase) => TestFarm.UntilAsync(
        async () => (await _farm.QueueAsync()).Jobs is [var one] && one.Pkgbase == pkgbase ? "" : null,
        $"{pkgbase} alone is in the queue");

    private void Publish(bool signed, params Signal[] signals)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(
            new SignalsDocument { Revision = ++_revision, Signals = [.. signals] },
            QuartersJson.Default.SignalsDocument);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var signatures = Directory.CreateDirectory(Path.Combine(Space, "v1", "sig")).FullName;
        if (signed)
            File.WriteAllBytes(Path.Combine(signatures, sha256), _operator.SignDocument(sha256, bytes.Length));
        File.WriteAllBytes(Path.Combine(Space, "v1", "signals.json.new"), bytes);
        File.Move(
            Path.Combine(Space, "v1", "signals.json.new"), Path.Combine(Space, "v1", "signals.json"), overwrite: true);
    }
}
