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

    private readonly string _folder = Directory.CreateTempSubdirectory("quarters-gc-").FullName;
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly CancellationTokenSource _stopping = new();
    private readonly MasterFolders _folders;
    private readonly Journal<MasterEvent> _journal;
    private readonly Ledger _ledger;
    private readonly Publisher _publisher;
    private readonly Housekeeping _housekeeping;
    private readonly Task _running;
    private int _signals;

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
        _folders = new MasterFolders(_folder);
        foreach (var made in new[] { _folders.Repositories, _folders.Snapshots, _folders.Databases, _folders.Incoming,
            _folders.Logs, _folders.SourcePackages })
            Directory.CreateDirectory(made);
        _journal = new Journal<MasterEvent>(
            new JournalSettings { Directory = _folders.Root }, LinuxDisk.Instance, QuartersJson.Default.MasterEvent,
            _time, NullLogger.Instance);
        _publisher = new Publisher(_folders, LinuxDisk.Instance);
        _ledger = new Ledger(_journal, _publisher, NullLogger<Ledger>.Instance);
        _ledger.Recover(_ => PackageIndex.Empty, _time.GetUtcNow());
        _housekeeping =
            new Housekeeping(_folders, LinuxDisk.Instance, _ledger, _time, NullLogger<Housekeeping>.Instance);
        _running = _ledger.RunAsync(_stopping.Token);
    }

    private OwnRepositories Own => new(_folders, _time);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running.ContinueWith(_ => { }, TaskScheduler.Default);
        _journal.Dispose();
        _stopping.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_nothing_needs_is_told_of_and_deleted_and_the_rest_stays()
    {
        for (var i = 1; i <= 5; i++) await BuildAsync($"zlib 1.{i}-1");
        await BuildAsync("pigz 1-1");
        Assert.Equal(["0 files, 0 bytes"], await CollectAsync(dryRun: true));
        _time.Advance(TimeSpan.FromDays(3));
        var before = Files();

        var told = await CollectAsync(dryRun: true);
        Assert.Equal(before, Files());
        var done = await CollectAsync(dryRun: false);
        Assert.Equal(told, done);

        var gone = before.Except(Files()).ToList();
        Assert.Equal(
            ["zlib-1.1-1-x86_64.pkg.tar.zst", "zlib-1.2-1-x86_64.pkg.tar.zst", "zlib-1.3-1-x86_64.pkg.tar.zst"],
            gone.Where(path => path.Contains("/repo/")).Select(Path.GetFileName).Order());
        Assert.Equal(3, gone.Count(path => path.StartsWith(_folders.SourcePackages, StringComparison.Ordinal)));
        Assert.Equal(3, gone.Count(path => path.StartsWith(_folders.Logs, StringComparison.Ordinal)));
        Assert.Equal([.. Snapshots.Current(_ledger.State).Select(one => one.Snapshot.Id)],
            Directory.GetDirectories(_folders.Snapshots).Select(Path.GetFileName));
        var repository = _ledger.State.Repositories["quarters/x86_64"];
        Assert.True(_publisher.IsPublished(repository));
        Assert.All(
            repository.Packages.Values, package => Assert.True(File.Exists(_folders.Package(repository, package))));
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
        _time.Advance(TimeSpan.FromDays(500));
        await CollectAsync(dryRun: false);
        Assert.Equal(
            ["zlib-1.4-1-x86_64.pkg.tar.zst", "zlib-1.8-1-x86_64.pkg.tar.zst", "zlib-1.9-1-x86_64.pkg.tar.zst"],
            Directory.GetFiles(_folders.Repository("quarters", "x86_64"), "*.zst").Select(Path.GetFileName).Order());

        // None but the newest has an entry, and no snapshot holds the others any more.
        Assert.Empty(Verify());
        const string stray = "pigz-1-1-x86_64.pkg.tar.zst";
        File.Copy(InRepository("zlib-1.9-1-x86_64.pkg.tar.zst"), InRepository(stray));
        const string newer = "zlib-2-1-x86_64.pkg.tar.zst";
        File.Copy(InRepository("zlib-1.9-1-x86_64.pkg.tar.zst"), InRepository(newer));
        Assert.Equal(
            new[] { stray, newer }.Select(name => $"{name} is there, and has no entry in quarters.db"), Verify());
    }

    [Fact]
    public async Task A_database_that_is_not_what_the_farm_holds_is_told_of_and_written_anew()
    {
        Assert.Equal((null, 0), (Own.Check("stable", "x86_64", Cancel).Packages, Verify().Count));
        await BuildAsync("zlib 1-1");
        var older = await File.ReadAllBytesAsync(InRepository("quarters.db"), Cancel);
        await BuildAsync("pigz 1-1");
        Assert.Equal([("quarters", "x86_64")], Own.All());
        Assert.Empty(Verify());

        File.Delete(InRepository("quarters.db"));
        Assert.StartsWith("quarters.db is missing: start", Assert.Single(Verify()), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(InRepository("quarters.db"), older, Cancel);
        File.Delete(InRepository("quarters.files"));
        Assert.Equal(
            ["pigz-1-1-x86_64.pkg.tar.zst has no entry in quarters.db, and the farm holds it: `quarters gc` has the "
                + "database written anew"],
            Verify());
        await CollectAsync(dryRun: false);
        Assert.Empty(Verify());
    }

    [Fact]
    public async Task A_package_that_is_left_out_since_its_file_is_gone_is_told_of()
    {
        await BuildAsync("zlib 1-1");
        await BuildAsync("pigz 1-1");
        File.Delete(InRepository("pigz-1-1-x86_64.pkg.tar.zst"));
        Assert.Equal(
            "pigz-1-1-x86_64.pkg.tar.zst is missing: the database has pigz-1-1", Assert.Single(Verify()));
        File.Delete(InRepository("quarters.db"));
        File.Delete(InRepository("quarters.files"));
        await CollectAsync(dryRun: false);
        Assert.StartsWith(
            "pigz-1-1-x86_64.pkg.tar.zst has no entry in quarters.db, and the farm holds it: "
            + $"{InRepository("pigz-1-1-x86_64.pkg.tar.zst")} is gone; put back the file",
            Assert.Single(Verify()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_read_keeps_every_package()
    {
        for (var i = 1; i <= 5; i++) await BuildAsync($"zlib 1.{i}-1");
        _time.Advance(TimeSpan.FromDays(3));
        for (var i = 6; i <= 7; i++) await BuildAsync($"zlib 1.{i}-1");
        // One that is on offer would be made again.
        var kept = _ledger.State.Snapshots.Where(one => one.Value.Until is not null).MaxBy(one => one.Value.Until).Key;
        var database = Path.Combine(_folders.Snapshots, kept, "quarters", "os", "x86_64", "quarters.db");
        File.Delete(database);
        File.WriteAllText(database, "not a database");

        var signal = new CollectGarbage { Id = "gc", Time = default };
        await _housekeeping.SettleAsync(signal, null, Cancel);
        var refusal = _ledger.State.Signals["gc"].Refusal;
        Assert.StartsWith($"{database} is damaged: database", refusal, StringComparison.Ordinal);
        Assert.EndsWith($"delete {Path.Combine(_folders.Snapshots, kept)}", refusal, StringComparison.Ordinal);
        Assert.Equal(7, Directory.GetFiles(_folders.Repository("quarters", "x86_64"), "*.zst").Length);
    }

    private async Task<IReadOnlyList<string>> CollectAsync(bool dryRun)
    {
        var signal = new CollectGarbage { Id = $"gc-{++_signals}", Time = default, DryRun = dryRun };
        await _housekeeping.SettleAsync(signal, null, Cancel);
        var outcome = _ledger.State.Signals[signal.Id];
        Assert.Null(outcome.Refusal);
        return outcome.Details;
    }

    private async Task SettleAsync(Signal signal)
    {
        await _ledger.DecideAsync(state => Signalling.SignalDesk.Decide(state, signal, null, _publisher), Cancel);
        Assert.Null(_ledger.State.Signals[signal.Id].Refusal);
    }

    private async Task BuildAsync(string package)
    {
        if (_ledger.State.Settings is null) await _ledger.RecordAsync([new Configured(Settings)], Cancel);
        var source = TestSource.Read(package);
        File.WriteAllText(Path.Combine(_folders.SourcePackages, source.ArchiveSha256 + ".tar.zst"), package);
        await _ledger.RecordAsync(
            [new SourcePolled(new SourceReport { Source = "main", Cursor = package, Changed = [source], Total = 1 })],
            Cancel);
        var job = _ledger.State.Jobs[_ledger.State.Ready.Single()];
        File.WriteAllText(_folders.Log(job.Id, 1), package);
        await _ledger.RecordAsync([BuiltByHand.Accept(_folders, _publisher, _ledger.State, job)], Cancel);
        Directory.Delete(_folders.Incoming, recursive: true);
        Directory.CreateDirectory(_folders.Incoming);
    }

    private IReadOnlyList<string> Verify() => Own.Check("quarters", "x86_64", Cancel).Problems;

    private string InRepository(string name) => Path.Combine(_folders.Repository("quarters", "x86_64"), name);

    private string[] Files() => [.. Directory.GetFiles(_folder, "*", SearchOption.AllDirectories)
        .Where(path => !path.Contains("/journal/")).Order()];
}
