using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Quarters.Alpm;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;
using Quarters.Linux.Files;
using Quarters.Master.Keeping;
using Quarters.Master.Repositories;
using Quarters.Node;
using Quarters.Node.Tests;

namespace Quarters.Master.Tests;

/// <summary>A master may die at any operation of `gc`: what is needed is never gone, and what is not goes in the
/// end.</summary>
[Collection(Forking.Name)]
public sealed class GarbageCrashTests : IDisposable
{
    private static readonly MasterSettings Settings = HousekeepingTests.Keeping(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("quarters-gc-crash-").FullName;
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    [Fact]
    public async Task A_master_may_die_at_any_operation_of_a_collection()
    {
        var before = new MasterFolders(Path.Combine(_folder, "before"));
        await BuildAsync(before);
        _time.Advance(TimeSpan.FromDays(3));
        var (operations, expected) = await LiveAsync(before, int.MaxValue, null);
        Assert.True(operations > 25, $"only {operations} operations were counted");
        // Of the older ones that is left which the running build may install.
        Assert.Equal(
            ["zlib-1.3-1-x86_64.pkg.tar.zst", "zlib-1.5-1-x86_64.pkg.tar.zst"],
            expected.Select(Path.GetFileName).Where(name => name!.StartsWith("zlib", StringComparison.Ordinal)
                && name.EndsWith(".zst", StringComparison.Ordinal)));
        for (var diesAt = 1; diesAt <= operations; diesAt++) await LiveAsync(before, diesAt, expected);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Collects until the disk dies, starts again, and collects to the end.</summary>
    private async Task<(int Operations, string[] Left)> LiveAsync(MasterFolders before, int diesAt, string[]? expected)
    {
        var folders = new MasterFolders(Path.Combine(_folder, "now"));
        if (Directory.Exists(folders.Root)) Directory.Delete(folders.Root, recursive: true);
        // With the times and the names of one file.
        MasterNodeTests.Run("cp", ["-a", before.Root, folders.Root]);
        var disk = new DyingDisk(diesAt, new Random(diesAt));
        try
        {
            await WorkAsync(folders, disk, (ledger, _) => CollectAsync(folders, disk, ledger));
        }
        catch (DiskDiedException)
        {
            disk.Settle();
            CheckNeeded(folders, null);
        }

        await WorkAsync(folders, LinuxDisk.Instance, async (ledger, publisher) =>
        {
            CheckNeeded(folders, ledger.State);
            var repository = ledger.State.Repositories["quarters/x86_64"];
            Assert.True(publisher.IsPublished(repository));
            await CollectAsync(folders, LinuxDisk.Instance, ledger);
            CheckNeeded(folders, ledger.State);
        });
        PacmanRoot.Install(folders, "quarters", "zlib", "pigz");
        string[] left =
        [
            .. Directory.GetFiles(folders.Root, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(folders.Root, path))
                .Where(path => !path.StartsWith("journal", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
        ];
        if (expected is not null) Assert.Equal(expected, left);
        return (disk.Operations, left);
    }

    private async Task CollectAsync(MasterFolders folders, IDisk disk, Ledger ledger)
    {
        var housekeeping = new Housekeeping(folders, disk, ledger, _time, NullLogger<Housekeeping>.Instance);
        var id = $"gc-{ledger.State.Signals.Count + 1}";
        await housekeeping.SettleAsync(new CollectGarbage { Id = id, Time = default }, null, default);
        if (disk is LinuxDisk) Assert.Null(ledger.State.Signals[id].Refusal);
    }

    private async Task BuildAsync(MasterFolders folders)
    {
        foreach (var made in new[] { folders.Repositories, folders.Snapshots, folders.Databases, folders.Logs,
            folders.SourcePackages })
            Directory.CreateDirectory(made);
        await WorkAsync(folders, LinuxDisk.Instance, async (ledger, publisher) =>
        {
            await ledger.RecordAsync([new Configured(Settings)], default);
            foreach (var package in new[] { "zlib 1.1-1", "zlib 1.2-1", "pigz 1-1", "zlib 1.3-1" })
            {
                Directory.CreateDirectory(folders.Incoming);
                var job = await CommitAsync(folders, ledger, package);
                await ledger.RecordAsync([BuiltByHand.Accept(folders, publisher, ledger.State, job)], default);
                Directory.Delete(folders.Incoming, recursive: true);
            }

            // A build that runs keeps its snapshot, and that the packages in it, whatever is built meanwhile.
            var slow = await CommitAsync(folders, ledger, "slow 1-1");
            await ledger.RecordAsync(
                [new ClaimSeen(slow.Id, 1, "anna", Snapshots.Of(ledger.State, "x86_64")!.Id)], default);
            foreach (var package in new[] { "zlib 1.4-1", "zlib 1.5-1" })
            {
                Directory.CreateDirectory(folders.Incoming);
                var job = await CommitAsync(folders, ledger, package);
                await ledger.RecordAsync([BuiltByHand.Accept(folders, publisher, ledger.State, job)], default);
                Directory.Delete(folders.Incoming, recursive: true);
            }
        });
    }

    private static async Task<Job> CommitAsync(MasterFolders folders, Ledger ledger, string package)
    {
        var source = TestSource.Read(package);
        File.WriteAllText(Path.Combine(folders.SourcePackages, source.ArchiveSha256 + ".tar.zst"), package);
        await ledger.RecordAsync(
            [new SourcePolled(new SourceReport { Source = "main", Cursor = package, Changed = [source], Total = 1 })],
            default);
        var job = ledger.State.Jobs[ledger.State.Ready.Single()];
        File.WriteAllText(folders.Log(job.Id, 1), package);
        return job;
    }

    private async Task WorkAsync(MasterFolders folders, IDisk disk, Func<Ledger, Publisher, Task> work)
    {
        using var stopping = new CancellationTokenSource();
        using var journal = new Journal<MasterEvent>(
            new JournalSettings { Directory = folders.Root }, disk, QuartersJson.Default.MasterEvent, _time,
            NullLogger.Instance);
        var publisher = new Publisher(folders, disk);
        var ledger = new Ledger(journal, publisher, NullLogger<Ledger>.Instance);
        ledger.Recover(_ => PackageIndex.Empty, _time.GetUtcNow());
        var running = ledger.RunAsync(stopping.Token);
        try
        {
            await work(ledger, publisher);
        }
        finally
        {
            await stopping.CancelAsync();
            await running.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    /// <summary>The database of the repository, and those of each snapshot that a state knows, name package files that
    /// are there.</summary>
    private static void CheckNeeded(MasterFolders folders, MasterState? state)
    {
        var repository = folders.Repository("quarters", "x86_64");
        CheckDatabase(Path.Combine(repository, "quarters.db"), repository);
        foreach (var id in state?.Snapshots.Keys ?? [])
        {
            var folder = Path.Combine(folders.Snapshots, id);
            var document = Path.Combine(folder, "snapshot.json");
            Assert.True(File.Exists(document), $"the snapshot {id} is not whole");
            // The first of all has no repository yet.
            if (JsonSerializer.Deserialize(
                File.ReadAllBytes(document), QuartersJson.Default.SnapshotDocument)!.Repositories.IsEmpty) continue;
            CheckDatabase(Path.Combine(folder, "quarters", "os", "x86_64", "quarters.db"), repository);
        }

        foreach (var digest in state is null ? [] : Retention.SourcePackagesOf(state))
            Assert.True(File.Exists(Path.Combine(folders.SourcePackages, digest + ".tar.zst")), $"{digest} is gone");
    }

    private static void CheckDatabase(string database, string repository)
    {
        using var stream = File.OpenRead(database);
        foreach (var entry in SyncDatabase.Read(stream, new SyncReadLimits()))
            Assert.True(File.Exists(Path.Combine(repository, entry.FileName)), $"{entry.FileName} is gone");
    }
}
