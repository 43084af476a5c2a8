using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Quarters.Alpm;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Linux.Files;
using Quarters.Master.Repositories;
using Quarters.Master.Signalling;
using Quarters.Node;
using Quarters.Node.Tests;

namespace Quarters.Master.Tests;

/// <summary>Repositories that repo-add made: looked into, and taken into a farm.</summary>
[Collection(Forking.Name)]
public sealed class AdoptionTests : IDisposable
{
    private static readonly HashSet<string> Nothing = [];

    private readonly string _folder = Directory.CreateTempSubdirectory("quarters-adopt-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Verify_finds_each_kind_of_damage_and_says_where()
    {
        await MakeAsync("zlib 1-1 x86_64", "pigz 2-1 x86_64", "docs 3-1 any");
        var repository = RepositoryFolder.Find(_folder);
        Assert.Equal(("mine", 3), (repository.Name, repository.Read().Count));
        Assert.Empty(Problems(repository));

        var zlib = Path.Combine(_folder, "zlib-1-1-x86_64.pkg.tar.zst");
        var good = await File.ReadAllBytesAsync(zlib, TestFarm.Token);
        var bad = good.ToArray();
        bad[^20] ^= 1;
        await File.WriteAllBytesAsync(zlib, bad, TestFarm.Token);
        Assert.StartsWith(
            "zlib-1-1-x86_64.pkg.tar.zst is damaged: its SHA-256 sum is", Assert.Single(Problems(repository)));
        await File.WriteAllBytesAsync(zlib, good[..^1], TestFarm.Token);
        Assert.StartsWith("zlib-1-1-x86_64.pkg.tar.zst is damaged: it has", Assert.Single(Problems(repository)));
        File.Delete(zlib);
        Assert.Equal(
            "zlib-1-1-x86_64.pkg.tar.zst is missing: the database has zlib-1-1", Assert.Single(Problems(repository)));
        await File.WriteAllBytesAsync(zlib, good, TestFarm.Token);

        const string stray = "stray-1-1-any.pkg.tar.zst";
        await File.WriteAllBytesAsync(Path.Combine(_folder, stray), good, TestFarm.Token);
        Assert.Equal($"{stray} is there, and has no entry in mine.db", Assert.Single(Problems(repository)));
        Assert.Empty(RepositoryCheck.Read(repository, new HashSet<string> { stray }, TestFarm.Token).Problems);
        File.Delete(Path.Combine(_folder, stray));

        var database = await File.ReadAllBytesAsync(repository.Database, TestFarm.Token);
        File.Delete(repository.Database);
        await File.WriteAllBytesAsync(repository.Database, database[..^60], TestFarm.Token);
        Assert.StartsWith($"{repository.Database} is damaged", Assert.Single(Problems(repository)));
    }

    [Fact]
    public async Task What_is_no_plain_file_is_not_waited_for_and_what_has_no_good_entry_is_not_read()
    {
        await MakeAsync("zlib 1-1 x86_64", "pigz 2-1 x86_64", "docs 3-1 any");
        var repository = RepositoryFolder.Find(_folder);
        // A pool of packages: what is behind the link counts.
        var pigz = Path.Combine(_folder, "pigz-2-1-x86_64.pkg.tar.zst");
        Directory.CreateDirectory(Path.Combine(_folder, "pool"));
        File.Move(pigz, Path.Combine(_folder, "pool", "pigz"));
        File.CreateSymbolicLink(pigz, Path.Combine("pool", "pigz"));
        Assert.Empty(Problems(repository));

        var zlib = Path.Combine(_folder, "zlib-1-1-x86_64.pkg.tar.zst");
        File.Delete(zlib);
        using (var pipe = Process.Start("mkfifo", zlib)!) await pipe.WaitForExitAsync(TestFarm.Token);
        File.Delete(pigz);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(pigz));
        Assert.Equal(
            ["pigz-2-1-x86_64.pkg.tar.zst cannot be read", "zlib-1-1-x86_64.pkg.tar.zst cannot be read"],
            Problems(repository).Select(problem => problem[..problem.IndexOf(':', StringComparison.Ordinal)]));

        var entry = repository.Read().Single(e => e.Name == "docs");
        Rewrite(repository, entry with { FileName = "docs.tar" });
        Assert.Equal("docs.tar is not the name of a package file", Assert.Single(Problems(repository, null)));
        Rewrite(repository, entry with { Sha256 = null, Md5 = new string('0', 32) });
        Assert.StartsWith(
            "the database has no SHA-256 sum of docs-3-1-any.pkg.tar.zst", Assert.Single(Problems(repository, null)));
    }

    [Fact]
    public async Task An_adoption_that_fails_or_is_refused_leaves_nothing_behind()
    {
        await MakeAsync("zlib 1-1 x86_64", "pigz 2-1 x86_64");
        var folders = new MasterFolders(Path.Combine(_folder, "state"));
        foreach (var folder in new[] { folders.Repositories, folders.Snapshots, folders.Databases, folders.Incoming })
            Directory.CreateDirectory(folder);
        using var journal = new Journal<MasterEvent>(
            new JournalSettings { Directory = folders.Root }, LinuxDisk.Instance, QuartersJson.Default.MasterEvent,
            TimeProvider.System, NullLogger.Instance);
        var publisher = new Publisher(folders, LinuxDisk.Instance);
        var ledger = new Ledger(journal, publisher, NullLogger<Ledger>.Instance);
        ledger.Recover(_ => PackageIndex.Empty, DateTimeOffset.UnixEpoch);
        using var stopping = new CancellationTokenSource();
        var running = ledger.RunAsync(stopping.Token);
        await ledger.RecordAsync([new Configured(new MasterSettings
        {
            Architectures = ["x86_64"],
            Repositories = ["quarters"],
            Sources = ["main"],
            Builders = [],
            BasePackages = [],
        })], TestFarm.Token);

        // It dies in the second copy, after its directory and the first.
        var full = new Adopting(folders, new DyingDisk(3, new Random(1)), ledger, publisher);
        await full.SettleAsync(Adopt("full", "quarters"), TestFarm.Token);
        Assert.Equal($"{_folder} is not in order", ledger.State.Signals["full"].Refusal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folders.Incoming));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folders.Repositories));

        // What a crash left of the same signal is no harm.
        Directory.CreateDirectory(Path.Combine(folders.Incoming, "adopted-good"));
        var adopting = new Adopting(folders, LinuxDisk.Instance, ledger, publisher);
        await adopting.SettleAsync(Adopt("good", "quarters"), TestFarm.Token);
        Assert.Null(ledger.State.Signals["good"].Refusal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folders.Incoming));
        Assert.Empty(Problems(RepositoryFolder.At(folders.Repository("quarters", "x86_64"), "quarters")));
        await stopping.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task A_repository_made_by_repo_add_is_adopted_with_its_packages()
    {
        await MakeAsync("zlib 1-1 x86_64", "docs 3-1 any");
        await using var farm = await TestFarm.StartAsync();
        var outcome = await farm.SignalAsync(Adopt("one", "quarters"));
        Assert.Equal((SignalEnd.Done, null), (outcome.Outcome, outcome.Reason));
        var ours = RepositoryFolder.At(
            new MasterFolders(farm.State).Repository("quarters", "x86_64"), "quarters");
        Assert.Equal(["docs", "zlib"], ours.Read().Select(e => e.Name));
        Assert.Empty(Problems(ours));

        // What is there already, the same, is no news.
        Assert.Equal(SignalEnd.Done, (await farm.SignalAsync(Adopt("two", "quarters"))).Outcome);
        // A version that is as old as what was adopted need not be built.
        farm.Source.Commit("zlib 1-1", "pigz 2.7-1 zlib");
        var job = await farm.QueuedAsync("pigz");
        Assert.DoesNotContain((await farm.QueueAsync()).Jobs, queued => queued.Pkgbase == "zlib");
        Assert.Equal("pigz", job.Pkgbase);
    }

    [Fact]
    public async Task What_cannot_be_adopted_whole_is_refused_whole()
    {
        await MakeAsync("zlib 1-1 x86_64", "other 1-1 riscv64");
        await using var farm = await TestFarm.StartAsync();
        var refused = await farm.SignalAsync(Adopt("nowhere", "nowhere"));
        Assert.StartsWith("there is no repository nowhere here", refused.Reason);
        refused = await farm.SignalAsync(Adopt("foreign", "quarters"));
        Assert.Equal("some packages have no place here", refused.Reason);
        Assert.Equal(
            ["other-1-1-riscv64.pkg.tar.zst is for riscv64, which is not built here"], refused.Details);
        File.Delete(Path.Combine(_folder, "zlib-1-1-x86_64.pkg.tar.zst"));
        refused = await farm.SignalAsync(Adopt("broken", "quarters"));
        Assert.Equal($"{_folder} is not in order", refused.Reason);
        Assert.Contains("is missing", refused.Details[0], StringComparison.Ordinal);
        refused = await farm.SignalAsync(Adopt("gone", "quarters") with { Path = "/nonexistent" });
        Assert.Equal(SignalEnd.Refused, refused.Outcome);
        Assert.False(File.Exists(
            Path.Combine(new MasterFolders(farm.State).Repository("quarters", "x86_64"), "quarters.db")));
    }

    private AdoptRepository Adopt(string id, string into) =>
        new() { Id = id, Time = DateTimeOffset.UnixEpoch, Path = _folder, Into = into };

    private static IReadOnlyList<string> Problems(RepositoryFolder repository) => Problems(repository, Nothing);

    private static IReadOnlyList<string> Problems(RepositoryFolder repository, HashSet<string>? kept) =>
        RepositoryCheck.Read(repository, kept, TestFarm.Token).Problems;

    private static void Rewrite(RepositoryFolder repository, SyncEntry only)
    {
        File.Delete(repository.Files);
        File.Delete(repository.Database);
        using var file = File.Create(repository.Database);
        using var writer = new SyncDatabaseWriter(file, CompressionFormat.Gzip, withFiles: false);
        writer.Write(only);
        writer.Finish();
    }

    private async Task MakeAsync(params string[] packages)
    {
        var names = new List<string>();
        foreach (var words in packages.Select(line => line.Split(' ')))
        {
            var name = $"{words[0]}-{words[1]}-{words[2]}.pkg.tar.zst";
            names.Add(name);
            await using var file = File.Create(Path.Combine(_folder, name));
            await using var compressed = Compression.OpenWrite(file, CompressionFormat.Zstandard);
            await using var tar = new System.Formats.Tar.TarWriter(compressed);
            Add(tar, ".PKGINFO", $"pkgname = {words[0]}\npkgbase = {words[0]}\npkgver = {words[1]}\n"
                + $"pkgdesc = a package\nurl = https://example.org\nbuilddate = 1\npackager = Jane Doe <j@d>\n"
                + $"size = 1\narch = {words[2]}\n");
            Add(tar, $"usr/share/{words[0]}/readme", "content\n");
        }

        var start = new ProcessStartInfo("repo-add", ["-q", "mine.db.tar.gz", .. names])
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var ran = Process.Start(start)!;
        var said = await ran.StandardError.ReadToEndAsync(TestFarm.Token);
        await ran.WaitForExitAsync(TestFarm.Token);
        Assert.True(ran.ExitCode == 0, said);
    }

    private static void Add(System.Formats.Tar.TarWriter tar, string path, string text) => tar.WriteEntry(
        new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, path)
        {
            DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
        });
}
