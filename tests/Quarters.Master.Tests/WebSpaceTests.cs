using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Node;
using Quarters.Node.Tests;

namespace Quarters.Master.Tests;

/// <summary>A real master that reads a builder behind NAT from its web space, which the real nginx serves.</summary>
[Collection(Forking.Name)]
public sealed class WebSpaceTests : IAsyncLifetime
{
    private readonly CancellationTokenSource _stop = new();
    private TestFarm _farm = null!;
    private Nginx _nginx = null!;
    private FolderPublisher _publisher = null!;
    private Task _publishing = Task.CompletedTask;

    /// <summary>Where the owner's command copies to.</summary>
    private string Space => Path.Combine(_farm.Folder, "space");

    private string StateFile => Path.Combine(Space, "v1", "state.json");

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync();
        await _farm.StopMasterAsync();
        Directory.CreateDirectory(Space);
        _nginx = await Nginx.StartAsync("quarters-webspace.conf", "builder.example.org",
            Path.Combine(_farm.Folder, "nginx"), ("/srv/quarters/builder", Space));
        _publisher = new FolderPublisher(
            new PublishSettings
            {
                Folder = Path.Combine(_farm.Folder, "web"),
                Command = [Checkout.PathOf("contrib/publish/quarters-publish-rsync"), Space],
                Interval = TimeSpan.Zero,
            },
            _farm.Anna.Tree, _farm.Anna.Key, TimeProvider.System, () => 0.5);
        _publishing = _publisher.RunAsync(() => 1, Assert.Null, _stop.Token);
        await _publisher.UntilPublicAsync(1, TestFarm.Token);
        _farm.BuilderAddress = _nginx.Address;
        _farm.AuthoritiesFile = _nginx.AuthorityFile;
        await _farm.StartMasterAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _publishing);
        _publisher.Dispose();
        _stop.Dispose();
        await _nginx.DisposeAsync();
        await _farm.DisposeAsync();
    }

    [Fact]
    public async Task A_result_is_accepted_from_a_web_space()
    {
        _farm.Source.Commit("zlib 1.3-1");
        var zlib = await _farm.QueuedAsync("zlib");
        _farm.Anna.WriteLog(zlib, "a line\n");
        var file = _farm.Anna.Present(zlib, TestFarm.FileName(zlib), TestFarm.Package(zlib));
        await _publisher.CopyFilesAsync(Assert.Null, TestFarm.Token);
        _farm.Anna.Say(
            [], [TestFarm.Built(zlib, file) with
            {
                LogBytes = 7,
            }]);

        await _farm.JobAsync(zlib.Id, job => job.Status == JobStatus.Built, "zlib is built");

        Assert.Equal("a line\n", await File.ReadAllTextAsync(
            Path.Combine(_farm.State, "public", "logs", zlib.Id + ".1.log"), TestFarm.Token));
        Assert.Contains(_nginx.AccessLog, line => line.Contains("/out/" + zlib.Id + ".1/", StringComparison.Ordinal));
        Assert.Null((await _farm.StatusAsync()).Builders[0].Error);
    }

    [Fact]
    public async Task A_state_that_was_tampered_with_is_refused_by_name()
    {
        await ReadAsync();

        await File.WriteAllTextAsync(StateFile, (await File.ReadAllTextAsync(StateFile, TestFarm.Token))
            .Replace("\"slots\":1", "\"slots\":64", StringComparison.Ordinal), TestFarm.Token);

        await RefusedAsync("there is no signature at");
    }

    [Fact]
    public async Task A_state_without_its_signature_is_refused_by_name_and_believed_when_that_has_come()
    {
        await _farm.StopMasterAsync();
        Directory.Delete(Path.Combine(Space, "v1", "sig"), recursive: true);
        await _farm.StartMasterAsync();
        await RefusedAsync("there is no signature at");

        // The next copy brings what is missing.
        _farm.Anna.Say([], []);

        await TestFarm.UntilAsync(
            async () => (await _farm.StatusAsync()).Builders[0].Error is null ? "" : null, "the state is believed");
    }

    [Fact]
    public async Task A_state_of_yesterday_is_refused_by_name()
    {
        var old = await File.ReadAllBytesAsync(StateFile, TestFarm.Token);
        _farm.Source.Commit("zlib 1.3-1");
        var zlib = await _farm.QueuedAsync("zlib");
        _farm.Anna.Say(
            [new Claim { Job = zlib.Id, Attempt = 1, Phase = ClaimPhase.Building, Since = default }], []);
        await _farm.JobAsync(zlib.Id, job => job.Status == JobStatus.Building, "zlib is building");

        await File.WriteAllBytesAsync(StateFile, old, TestFarm.Token);

        await RefusedAsync("the revision may never go back", "was seen before");
        Assert.Equal(JobStatus.Building, (await _farm.JobAsync(zlib.Id)).Status);
    }

    private Task<string> ReadAsync() => TestFarm.UntilAsync(
        async () => (await _farm.StatusAsync()).Builders[0] is { LastSeen: not null, Error: null } ? "" : null,
        "the builder was read");

    private async Task RefusedAsync(params string[] anyOf)
    {
        var error = await TestFarm.UntilAsync(
            async () => (await _farm.StatusAsync()).Builders[0].Error, "the state is refused");
        Assert.Contains(anyOf, part => error.Contains(part, StringComparison.Ordinal));
    }
}
