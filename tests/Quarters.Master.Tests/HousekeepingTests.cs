using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;
using Quarters.Linux.Files;
using Quarters.Master.Keeping;
using Quarters.Master.Repositories;
using Quarters.Node;

namespace Quarters.Master.Tests;

/// <summary>Which files are deleted when nothing needs them, and which are not.</summary>
[Collection(Forking.Name)]
public sealed class HousekeepingTests : IAsyncDisposable
{
    private static readonly MasterSettings Settings = Keeping(2);

    private readonly string folder = Directory.CreateTempSubdirectory("quarters-gc-").FullName;
    private readonly FakeTimeProvider time = new(TimeProvider.System.GetUtcNow());
    private readonly CancellationTokenSource stopping = new();
    private readonly MasterFolders folders;
    private readonly Journal<MasterEvent> journal;
    private readonly Ledger ledger;
    private readonly Publisher publisher;
    private readonly Housekeeping housekeeping;
    private readonly Task running;
    private int signals;

    /// <summary>A farm of one repository that keeps so many versions and builds, for a day.</summary>
    internal static MasterSettings Keeping(int count) => new()
    {
        Architectures = ["x86_64"],
        Repositories = ["quarters"],
        Sources = ["main"],
        Builders = [],
        BasePackages = [],
        Keep = new KeepPolicy { Versions = count, Builds = count, Seconds = 86400 },
    };

    public HousekeepingTests()
    {
        folders = new MasterFolders(folder);
        foreach (var made in new[] { folders.Repositories, folders.Snapshots, folders.Databases, folders.Incoming,
            folders.Logs, folders.SourcePackages })
            Directory.CreateDirectory(made);
        journal = new Journal<MasterEvent>(
            new JournalSettings { Directory = folders.Root }, LinuxDisk.Instance, QuartersJson.Default.MasterEvent,
            time, NullLogger.Instance);
        publisher = new Publisher(folders, LinuxDisk.Instance);
        ledger = new Ledger(journal, publisher, NullLogger<Ledger>.Instance);
        ledger.Recover(_ => PackageIndex.Empty, time.GetUtcNow());
        housekeeping =
            new Housekeeping(folders, LinuxDisk.Instance, ledger, time, NullLogger<Housekeeping>.Instance);
        running = ledger.RunAsync(stopping.Token);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
        journal.Dispose();
        stopping.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_nothing_needs_is_told_of_and_deleted_and_the_rest_stays()
    {
        for (var i = 1; i <= 5; i++) await BuildAsync($"zlib 1.{i}-1");
        await BuildAsync("pigz 1-1");
        Assert.Equal(["0 files, 0 bytes"], await CollectAsync(dryRun: true));
        time.Advance(TimeSpan.FromDays(3));
        var before = Files();

        var told = await CollectAsync(dryRun: true);
        Assert.Equal(before, Files());
        var done = await CollectAsync(dryRun: false);
        Assert.Equal(told, done);

        var gone = before.Except(Files()).ToList();
        Assert.Equal(
            ["zlib-1.1-1-x86_64.pkg.tar.zst", "zlib-1.2-1-x86_64.pkg.tar.zst", "zlib-1.3-1-x86_64.pkg.tar.zst"],
            gone.Where(path => path.Contains("/repo/")).Select(Path.GetFileName).Order());
        Assert.Equal(3, gone.Count(path => path.StartsWith(folders.SourcePackages, StringComparison.Ordinal)));
        Assert.Equal(3, gone.Count(path => path.StartsWith(folders.Logs, StringComparison.Ordinal)));
        Assert.Equal([.. Snapshots.Current(ledger.State).Select(one => one.Snapshot.Id)],
            Directory.GetDirectories(folders.Snapshots).Select(Path.GetFileName));
        var repository = ledger.State.Repositories["quarters/x86_64"];
        Assert.True(publisher.IsPublished(repository));
        Assert.All(
            repository.Packages.Values, package => Assert.True(File.Exists(folders.Package(repository, package))));
        Assert.Equal(["0 files, 0 bytes"], await CollectAsync(dryRun: false));
    }

    [Fact]
    public async Task What_can_be_taken_back_stays_whole_however_old_it_is()
    {
        for (var i = 1; i <= 4; i++) await BuildAsync($"zlib 1.{i}-1");
        await SettleAsync(new RemovePackages
        {
            Id = "remove",
            Time = default,
            Names = ["zlib"],
            From = "quarters",
        });
        for (var i = 5; i <= 9; i++) await BuildAsync($"zlib 1.{i}-1");
        time.Advance(TimeSpan.FromDays(500));
        await CollectAsync(dryRun: false);
        Assert.Equal(
            ["zlib-1.4-1-x86_64.pkg.tar.zst", "zlib-1.8-1-x86_64.pkg.tar.zst", "zlib-1.9-1-x86_64.pkg.tar.zst"],
            Directory.GetFiles(folders.Repository("quarters", "x86_64"), "*.zst").Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_read_keeps_every_package()
    {
        for (var i = 1; i <= 5; i++) await BuildAsync($"zlib 1.{i}-1");
        time.Advance(TimeSpan.FromDays(3));
        for (var i = 6; i <= 7; i++) await BuildAsync($"zlib 1.{i}-1");
        // One that is on offer would be made again.
        var kept = ledger.State.Snapshots.Where(one => one.Value.Until is not null).MaxBy(one => one.Value.Until).Key;
        var database = Path.Combine(folders.Snapshots, kept, "quarters", "os", "x86_64", "quarters.db");
        File.Delete(database);
        File.WriteAllText(database, "not a database");

        var signal = new CollectGarbage { Id = "gc", Time = default };
        await housekeeping.SettleAsync(signal, null, Cancel);
        Assert.Contains("database", ledger.State.Signals["gc"].Refusal, StringComparison.Ordinal);
        Assert.Equal(7, Directory.GetFiles(folders.Repository("quarters", "x86_64"), "*.zst").Length);
    }

    private async Task<IReadOnlyList<string>> CollectAsync(bool dryRun)
    {
        var signal = new CollectGarbage { Id = $"gc-{++signals}", Time = default, DryRun = dryRun };
        await housekeeping.SettleAsync(signal, null, Cancel);
        var outcome = ledger.State.Signals[signal.Id];
        Assert.Null(outcome.Refusal);
        return outcome.Details;
    }

    private async Task SettleAsync(Signal signal)
    {
        await ledger.DecideAsync(state => Signalling.SignalDesk.Decide(state, signal, null, publisher), Cancel);
        Assert.Null(ledger.State.Signals[signal.Id].Refusal);
    }

    private async Task BuildAsync(string package)
    {
        if (ledger.State.Settings is null) await ledger.RecordAsync([new Configured(Settings)], Cancel);
        var source = TestSource.Read(package);
        File.WriteAllText(Path.Combine(folders.SourcePackages, source.ArchiveSha256 + ".tar.zst"), package);
        await ledger.RecordAsync(
            [new SourcePolled(new SourceReport { Source = "main", Cursor = package, Changed = [source], Total = 1 })],
            Cancel);
        var job = ledger.State.Jobs[ledger.State.Ready.Single()];
        File.WriteAllText(folders.Log(job.Id, 1), package);
        await ledger.RecordAsync([BuiltByHand.Accept(folders, publisher, ledger.State, job)], Cancel);
        Directory.Delete(folders.Incoming, recursive: true);
        Directory.CreateDirectory(folders.Incoming);
    }

    private string[] Files() => [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .Where(path => !path.Contains("/journal/")).Order()];
}
