using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Quarters.Alpm;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;
using Quarters.Linux.Files;
using Quarters.Master.Repositories;
using Quarters.Master.Signalling;
using Quarters.Node;
using Quarters.Node.Tests;

namespace Quarters.Master.Tests;

/// <summary>
/// The promise: a master may die at any write, rename or fsync of journal and publisher. Nothing that was acknowledged
/// is lost, nothing is there twice, and a database that is there names only package files that are there.
/// </summary>
[Collection(Forking.Name)]
public sealed class CrashTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("quarters-crash-").FullName;

    [Fact]
    public async Task A_master_may_die_at_any_operation()
    {
        var operations = await LiveAsync(int.MaxValue, 0);
        Assert.True(operations > 40, $"only {operations} operations were counted");
        for (var diesAt = 1; diesAt <= operations; diesAt++) await LiveAsync(diesAt, diesAt);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Builds two packages, one after the other, until the disk dies; then starts again and
    /// finishes.</summary>
    private async Task<int> LiveAsync(int diesAt, int seed)
    {
        Directory.Delete(_folder, recursive: true);
        var folders = new MasterFolders(_folder);
        foreach (var folder in new[] { folders.Repositories, folders.Snapshots, folders.Databases, folders.Incoming })
            Directory.CreateDirectory(folder);
        var disk = new DyingDisk(diesAt, new Random(seed));
        var acknowledged = new List<string>();
        try
        {
            await WorkAsync(folders, disk, acknowledged);
        }
        catch (DiskDiedException)
        {
            disk.Settle();
            CheckReadable(folders, Math.Min(2, acknowledged.Count));
        }

        var before = acknowledged.ToList();
        await WorkAsync(folders, LinuxDisk.Instance, acknowledged);
        Assert.Equal(before.Concat(acknowledged.Except(before)).Distinct(), acknowledged.Distinct());
        CheckReadable(folders);
        Assert.Equal(
            ["pigz 2.7-1.1", "zlib 1.3-1.1"], Read(folders, "quarters").Select(e => $"{e.Name} {e.Version}").Order());
        Assert.False(Directory.Exists(Path.Combine(folders.Repositories, "side")), "the side repository is left");
        Assert.Equal(["pigz", "zlib"], Read(folders, "stable").Select(e => e.Name).Order());
        foreach (var repository in new[] { "quarters", "stable" })
            PacmanRoot.Install(folders, repository, "zlib", "pigz");
        return disk.Operations;
    }

    private static async Task WorkAsync(MasterFolders folders, IDisk disk, List<string> acknowledged)
    {
        using var stopping = new CancellationTokenSource();
        using var journal = new Journal<MasterEvent>(
            new JournalSettings { Directory = folders.Root }, disk, QuartersJson.Default.MasterEvent,
                TimeProvider.System, NullLogger.Instance);
        var publisher = new Publisher(folders, disk);
        var ledger = new Ledger(journal, publisher, NullLogger<Ledger>.Instance);
        ledger.Recover(_ => PackageIndex.Empty, DateTimeOffset.UnixEpoch);
        foreach (var known in acknowledged)
            Assert.Equal(JobStatus.Built, ledger.State.Jobs[known].Status);
        var running = ledger.RunAsync(stopping.Token);
        try
        {
            if (ledger.State.Settings is null) await ledger.RecordAsync([new Configured(Settings)], default);
            if (ledger.State.Packages.IsEmpty) await ledger.RecordAsync([new SourcePolled(Report)], default);
            await BuildAllAsync();

            // A move is done or not done, whenever the disk died.
            var moved = ledger.State.Repositories.GetValueOrDefault("stable/x86_64")?.Packages.Count ?? 0;
            Assert.True(moved is 0 or 2, $"{moved} packages moved");
            var move = new MovePackages
            {
                Id = "move",
                Time = default,
                Closure = true,
                From = "quarters",
                To = "stable",
            };
            await SettleAsync(move);

            // So is a merge, with all that it takes down.
            var merged = ledger.State.Repositories["quarters/x86_64"].Packages.Count;
            Assert.True(merged is 0 or 2, $"{merged} packages are merged");
            await SettleAsync(new BeginRebuild { Id = "begin", Time = default, Name = "side", All = true });
            foreach (var wish in Rebuilds.Pending(ledger.State))
                await ledger.RecordAsync([new RebuildBumped("side", wish.Source.Pkgbase, Bumped(wish))], default);
            await BuildAllAsync();
            await SettleAsync(new MergeRebuild { Id = "merge", Time = default, Name = "side" });
        }
        finally
        {
            await stopping.CancelAsync();
            await running.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        async Task BuildAllAsync()
        {
            while (ledger.State.Ready.FirstOrDefault() is { } id)
            {
                var job = ledger.State.Jobs[id];
                await ledger.RecordAsync([BuiltByHand.Accept(folders, publisher, ledger.State, job)], default);
                Assert.Equal(JobStatus.Built, ledger.State.Jobs[id].Status);
                acknowledged.Add(id);
            }
        }

        async Task SettleAsync(Signal signal)
        {
            await ledger.DecideAsync(state => SignalDesk.Decide(state, signal, null, publisher), default);
            Assert.Null(ledger.State.Signals[signal.Id].Refusal);
        }
    }

    /// <summary>The source package with another release, as the shell would make it.</summary>
    private static RebuildMember Bumped(BumpWish wish) => new()
    {
        Of = wish.Source.ArchiveSha256,
        Source = wish.Source with
        {
            Version = Release.With(wish.Source.Version, wish.Release!),
            ArchiveSha256 = new string('f', 64),
        },
    };

    /// <summary>What pacman would need at this instant: whoever has both repositories never misses a
    /// package.</summary>
    private static void CheckReadable(MasterFolders folders, int atLeast = 0)
    {
        var names = Read(folders, "quarters").Concat(Read(folders, "stable")).Select(entry => entry.Name).Distinct();
        Assert.True(names.Count() >= atLeast, "a package is in neither repository");
        foreach (var repository in new[] { "quarters", "stable", "side" })
        {
            foreach (var entry in Read(folders, repository))
            {
                var path = Path.Combine(folders.Repository(repository, "x86_64"), entry.FileName);
                Assert.True(File.Exists(path), $"{entry.FileName} is in the database, and not there");
                Assert.Equal(entry.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
            }
        }
    }

    private static List<SyncEntry> Read(MasterFolders folders, string repository)
    {
        var path = Path.Combine(folders.Repository(repository, "x86_64"), repository + ".db");
        if (!File.Exists(path)) return [];
        using var stream = File.OpenRead(path);
        return [.. SyncDatabase.Read(stream, new SyncReadLimits())];
    }

    private static MasterSettings Settings { get; } = new()
    {
        Architectures = ["x86_64"],
        Repositories = ["quarters", "stable"],
        Sources = ["main"],
        Builders = [],
        BasePackages = [],
    };

    private static SourceReport Report { get; } = new()
    {
        Source = "main",
        Cursor = "1",
        Changed = [TestSource.Read("zlib 1.3-1"), TestSource.Read("pigz 2.7-1 zlib")],
        Total = 2,
    };
}
