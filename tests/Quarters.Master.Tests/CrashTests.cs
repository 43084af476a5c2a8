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
    /// <summary>After each so many-th death pacman installs what recovery left: to run it takes longer than all
    /// else.</summary>
    private const int InstallsEach = 12;

    private readonly string _folder = Directory.CreateTempSubdirectory("quarters-crash-").FullName;

    [Fact]
    public async Task A_master_may_die_at_any_operation()
    {
        var (operations, whole) = await LiveAsync(int.MaxValue, null);
        Assert.True(operations > 40, $"only {operations} operations were counted");
        Assert.Contains(
            Directory.GetFiles(Path.Combine(_folder, "journal")),
            path => path.EndsWith(".zst", StringComparison.Ordinal));
        for (var diesAt = 1; diesAt <= operations; diesAt++) await LiveAsync(diesAt, whole);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Builds two packages, moves and merges them, until the disk dies; then starts again and
    /// finishes.</summary>
    /// <param name="diesAt">The operation in which it dies.</param>
    /// <param name="whole">What there is after each step when none dies; null to find out.</param>
    private async Task<(int Operations, List<string> Steps)> LiveAsync(int diesAt, List<string>? whole)
    {
        Directory.Delete(_folder, recursive: true);
        var folders = new MasterFolders(_folder);
        foreach (var folder in new[] { folders.Repositories, folders.Snapshots, folders.Databases, folders.Incoming })
            Directory.CreateDirectory(folder);
        var disk = new DyingDisk(diesAt, new Random(diesAt));
        var installs = whole is null || diesAt % InstallsEach == 0;
        List<string> acknowledged = [], steps = [], again = [];
        try
        {
            await WorkAsync(folders, disk, acknowledged, steps, installs: false);
        }
        catch (DiskDiedException)
        {
            disk.Settle();
            CheckReadable(folders, Math.Min(2, acknowledged.Count));
        }

        whole ??= steps;
        var before = acknowledged.ToList();
        await WorkAsync(folders, LinuxDisk.Instance, acknowledged, again, installs);
        // What was done is there, and what was not may be: all of it or nothing.
        var reached = whole.IndexOf(steps.LastOrDefault() ?? whole[0]);
        Assert.Contains(again[0], whole.Skip(reached).Take(2));
        Assert.Equal(whole[^1], again[^1]);
        Assert.Equal(before.Concat(acknowledged.Except(before)).Distinct(), acknowledged.Distinct());
        CheckReadable(folders);
        Assert.Equal(
            ["pigz 2.7-1.1", "zlib 1.3-1.1"], Read(folders, "quarters").Select(e => $"{e.Name} {e.Version}").Order());
        Assert.False(Directory.Exists(Path.Combine(folders.Repositories, "side")), "the side repository is left");
        Assert.Equal(["pigz", "zlib"], Read(folders, "stable").Select(e => e.Name).Order());

        // What was compressed no start reads as long as there is a snapshot: the history must be there without it.
        File.Delete(Path.Combine(_folder, "snapshot.jsonl"));
        List<string> last = [];
        await WorkAsync(folders, LinuxDisk.Instance, acknowledged, last, installs);
        Assert.Equal([whole[^1]], last);
        return (disk.Operations, steps);
    }

    private static async Task WorkAsync(
        MasterFolders folders, IDisk disk, List<string> acknowledged, List<string> steps, bool installs)
    {
        using var stopping = new CancellationTokenSource();
        // So small that there are snapshots and compressed segments all the time.
        using var journal = new Journal<MasterEvent>(
            new JournalSettings { Directory = folders.Root, SnapshotEvents = 4, SegmentBytes = 2000 }, disk,
            QuartersJson.Default.MasterEvent, TimeProvider.System, NullLogger.Instance);
        var publisher = new Publisher(folders, disk);
        var ledger = new Ledger(journal, publisher, NullLogger<Ledger>.Instance);
        ledger.Recover(_ => PackageIndex.Empty, DateTimeOffset.UnixEpoch);
        CheckPublished(folders, ledger.State, installs);
        NoteStep();
        foreach (var known in acknowledged)
            Assert.Equal(JobStatus.Built, ledger.State.Jobs[known].Status);
        var running = ledger.RunAsync(stopping.Token);
        try
        {
            if (ledger.State.Settings is null) await RecordAsync(new Configured(Settings));
            if (ledger.State.Packages.IsEmpty) await RecordAsync(new SourcePolled(Report));
            await BuildAllAsync();

            var move = new MovePackages
            {
                Id = "move",
                Time = default,
                Closure = true,
                From = "quarters",
                To = "stable",
            };
            await SettleAsync(move);

            await SettleAsync(new BeginRebuild { Id = "begin", Time = default, Name = "side", All = true });
            foreach (var wish in Rebuilds.Pending(ledger.State))
                await RecordAsync(new RebuildBumped("side", wish.Source.Pkgbase, Bumped(wish)));
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
                await RecordAsync(BuiltByHand.Accept(folders, publisher, ledger.State, job));
                Assert.Equal(JobStatus.Built, ledger.State.Jobs[id].Status);
                acknowledged.Add(id);
            }
        }

        async Task SettleAsync(Signal signal)
        {
            await ledger.DecideAsync(state => SignalDesk.Decide(state, signal, null, publisher), default);
            Assert.Null(ledger.State.Signals[signal.Id].Refusal);
            NoteStep();
        }

        async Task RecordAsync(MasterEvent happened)
        {
            await ledger.RecordAsync([happened], default);
            NoteStep();
        }

        void NoteStep()
        {
            var now = Tell(ledger.State);
            if (steps.LastOrDefault() != now) steps.Add(now);
        }
    }

    /// <summary>What the repositories hold, and which signals were acted on. Without sums: the time at which a package
    /// was made, which is another in each life, is in it.</summary>
    private static string Tell(MasterState state) => string.Join("; ", state.Repositories
        .Select(pair => $"{pair.Key}: {string.Join(", ", pair.Value.Packages.Values.Select(NameOf).Order())}")
        .Append($"settled: {string.Join(", ", state.Signals.Keys.Order())}"));

    private static string NameOf(RepositoryPackage package) => $"{package.Name} {package.Version}";

    /// <summary>Recovery has mended what the crash left: each repository's databases name what the state says, no more
    /// and no less.</summary>
    private static void CheckPublished(MasterFolders folders, MasterState state, bool installs)
    {
        CheckReadable(folders);
        foreach (var name in new[] { "quarters", "stable", "side" })
        {
            var repository = state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(name, "x86_64"));
            foreach (var ending in new[] { "db", "files" })
            {
                Assert.Equal(
                    (repository?.Packages.Values ?? []).Select(p => $"{NameOf(p)} {p.Sha256}")
                        .Order(StringComparer.Ordinal),
                    Read(folders, name, ending).Select(entry => $"{entry.Name} {entry.Version} {entry.Sha256}")
                        .Order(StringComparer.Ordinal));
            }

            if (installs && repository is { Packages.IsEmpty: false })
                PacmanRoot.Install(folders, name, [.. repository.Packages.Keys]);
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

    private static List<SyncEntry> Read(MasterFolders folders, string repository, string ending = "db")
    {
        var path = Path.Combine(folders.Repository(repository, "x86_64"), $"{repository}.{ending}");
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
