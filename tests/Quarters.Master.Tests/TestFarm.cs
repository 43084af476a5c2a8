using System.Formats.Tar;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Quarters.Alpm;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;
using Quarters.Master.Polling;
using Quarters.Master.Signalling;
using Quarters.Node;
using Quarters.Sources;

namespace Quarters.Master.Tests;

/// <summary>A real master over HTTPS, a source that a test fills, and a builder that says whatever a test has it
/// say.</summary>
internal sealed class TestFarm : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private TestFarm(string directory, TestBuilder anna)
    {
        Folder = directory;
        Anna = anna;
    }

    public string Folder { get; }

    public string State => Path.Combine(Folder, "state");

    public TestSource Source { get; } = new();

    public MasterNode Master { get; private set; } = null!;

    public Puller Puller { get; private set; } = null!;

    /// <summary>The builder that the master knows from the beginning.</summary>
    public TestBuilder Anna { get; }

    /// <summary>Where the master reads the builder; null is where it listens.</summary>
    public Uri? BuilderAddress { get; set; }

    /// <summary>Whose certificates the master trusts beside the system's.</summary>
    public string? AuthoritiesFile { get; set; }

    /// <summary>The key that the master expects of the builder; another than its own makes it a stranger.</summary>
    public string? ExpectedKey { get; init; }

    public static async Task<TestFarm> StartAsync(string? expectedKey = null)
    {
        var folder = Directory.CreateTempSubdirectory("quarters-master-").FullName;
        var farm = new TestFarm(folder, await TestBuilder.StartAsync("anna")) { ExpectedKey = expectedKey };
        farm.WriteOutside();
        Identity.Create(Path.Combine(farm.State, "identity"), "home", [], TimeProvider.System).Dispose();
        await farm.StartMasterAsync();
        return farm;
    }

    /// <summary>What the master polls beside <see cref="Source"/>.</summary>
    public IReadOnlyList<PolledSource> OtherSources { get; set; } = [];

    /// <summary>Whose signals the master obeys.</summary>
    public IReadOnlyList<PolledOperator> Operators { get; set; } = [];

    /// <summary>What the master reads when it is to read its configuration again.</summary>
    public Func<MasterSetup>? Reread { get; set; }

    /// <summary>What the master was told to do.</summary>
    public MasterSettings? Settings { get; set; }

    public async Task StartMasterAsync()
    {
        Master = await StartAnotherAsync();
        Puller = new Puller(Master.Key, new PullerSettings(), TimeProvider.System, () => 0.5);
    }

    /// <summary>Starts a master on the same state.</summary>
    public async Task<MasterNode> StartAnotherAsync()
    {
        return await MasterNode.StartAsync(
            new MasterOptions
            {
                Name = "home",
                StateDirectory = State,
                Listen = new IPEndPoint(IPAddress.Loopback, 0),
                Version = "test",
                Pulling = new PullerSettings { AuthoritiesFile = AuthoritiesFile },
                LoggerFactory = NullLoggerFactory.Instance,
                Sources = [NewSource(), .. OtherSources],
                Operators = Operators,
                Reread = Reread,
                Settings = Settings ?? NewSettings(),
            },
            Token);
    }

    public PolledSource NewSource() =>
        new("main", "test", Source, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));

    public MasterSettings NewSettings() => new()
    {
        Architectures = ["x86_64"],
        Repositories = ["quarters"],
        Outside = [new OutsideRepository("base", [new Uri(Path.Combine(Folder, "outside")).AbsoluteUri])],
        Sources = ["main"],
        Builders =
        [
            new ValidatedBuilder(
                "anna", (BuilderAddress ?? Anna.Address).ToString(), ExpectedKey ?? Anna.Key.ToString(), ["x86_64"]),
        ],
        BasePackages = ["base-devel"],
        MaxAttempts = 2,
    };

    public async Task StopMasterAsync()
    {
        Puller.Dispose();
        await Master.DisposeAsync();
    }

    public static BuildResult Built(QueueJob job, params ResultFile[] files) => new()
    {
        Job = job.Id,
        Attempt = job.Attempt,
        Snapshot = job.Snapshot,
        Outcome = ResultOutcome.Built,
        Files = [.. files],
        Started = DateTimeOffset.UnixEpoch,
        Finished = DateTimeOffset.UnixEpoch,
    };

    /// <summary>A package as an honest builder would make it, changed as a test likes.</summary>
    public static byte[] Package(
        QueueJob job,
        string? name = null,
        Func<PackageInfo, PackageInfo>? change = null,
        string installed = "glibc-2.36-1-x86_64",
        params string[] paths)
    {
        name ??= job.Packages[0].Name;
        var info = new PackageInfo
        {
            Name = name,
            Base = job.Pkgbase,
            Version = PackageVersion.Parse(job.Version),
            Architecture = job.Packages[0].Architecture,
            Packager = job.Packager,
            BuildDate = DateTimeOffset.FromUnixTimeSeconds(job.SourceDateEpoch),
        };
        var build = new BuildInfo
        {
            Name = name,
            Base = job.Pkgbase,
            Version = info.Version,
            Architecture = info.Architecture,
            Packager = job.Packager,
            Installed = [InstalledPackage.Parse(installed)],
        };
        using var bytes = new MemoryStream();
        using (var compressed = Compression.OpenWrite(bytes, CompressionFormat.Zstandard))
        using (var tar = new TarWriter(compressed, TarEntryFormat.Pax))
        {
            Add(tar, ".PKGINFO", (change?.Invoke(info) ?? info).ToText());
            Add(tar, ".BUILDINFO", build.ToText());
            foreach (var path in paths.Length == 0 ? [$"usr/share/{name}/readme"] : paths) Add(tar, path, "content\n");
        }

        return bytes.ToArray();
    }

    public static string FileName(QueueJob job, string? name = null) =>
        $"{name ?? job.Packages[0].Name}-{job.Version}-{job.Packages[0].Architecture}.pkg.tar.zst";

    public Task<QueueJob> QueuedAsync(string pkgbase, int attempt = 1) => UntilAsync(
        async () => (await QueueAsync()).Jobs.FirstOrDefault(j => j.Pkgbase == pkgbase && j.Attempt == attempt),
        $"attempt {attempt} of {pkgbase} is ready");

    public async Task<QueueDocument> QueueAsync() =>
        await GetAsync("v1/queue.json", QuartersJson.Default.QueueDocument);

    public async Task<MasterStateDocument> StatusAsync() =>
        await GetAsync("v1/state.json", QuartersJson.Default.MasterStateDocument);

    public async Task<BuildersDocument> ListAsync() =>
        await GetAsync("v1/builders.json", QuartersJson.Default.BuildersDocument);

    /// <summary>Puts a signal into the spool; returns its path.</summary>
    public string Put(Signal signal)
    {
        var path = Path.Combine(State, "spool", signal.Id + ".json");
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(signal, QuartersJson.Default.Signal));
        File.Move(path + ".new", path);
        return path;
    }

    /// <summary>Puts a signal into the spool, and waits for what becomes of it.</summary>
    public async Task<SignalDocument> SignalAsync(Signal signal)
    {
        Put(signal);
        return await OutcomeAsync(signal.Id);
    }

    /// <summary>Waits for what becomes of a signal.</summary>
    public Task<SignalDocument> OutcomeAsync(string id) =>
        UntilAsync(() => FindOutcomeAsync(id), $"the signal {id} is settled");

    /// <summary>What became of a signal; null when it was not settled.</summary>
    public async Task<SignalDocument?> FindOutcomeAsync(string id) =>
        await Puller.GetDocumentAsync(
            new Uri(Master.Address, $"v1/signals/{id}.json"), null, TimeSpan.Zero, 1 << 20, Token)
            is PullResult.Document found
            ? JsonSerializer.Deserialize(found.Bytes, QuartersJson.Default.SignalDocument)
            : null;

    public async Task<Job> JobAsync(string id) =>
        (await GetAsync($"v1/jobs/{id}.json", QuartersJson.Default.JobDocument)).Job;

    public Task<Job> JobAsync(string id, Func<Job, bool> isSo, string what) =>
        UntilAsync(async () => await JobAsync(id) is var job && isSo(job) ? job : null, what);

    /// <summary>Waits for a condition, with a deadline that names it.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T?>> condition, string what)
        where T : class
    {
        using var deadline = new CancellationTokenSource(Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        do
        {
            if (await condition() is { } met) return met;
        }
        while (!deadline.IsCancellationRequested && await tick.WaitForNextTickAsync(Token));
        throw new TimeoutException($"after {Patience} it is still not so that {what}");
    }

    public async ValueTask DisposeAsync()
    {
        await StopMasterAsync();
        await Anna.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task<T> GetAsync<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> info)
    {
        var pulled = await Puller.GetDocumentAsync(new Uri(Master.Address, path), null, TimeSpan.Zero, 1 << 24, Token);
        var document = Assert.IsType<PullResult.Document>(pulled);
        return JsonSerializer.Deserialize(document.Bytes, info)!;
    }

    private void WriteOutside()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, "outside")).FullName;
        using var file = File.Create(Path.Combine(folder, "base.db"));
        SyncDatabase.Write(
            file,
            [
                new SyncEntry
                {
                    FileName = "glibc-2.36-1-x86_64.pkg.tar.zst",
                    Name = "glibc",
                    Base = "glibc",
                    Version = PackageVersion.Parse("2.36-1"),
                    Architecture = "x86_64",
                },
            ],
            CompressionFormat.Gzip,
            withFiles: false);
    }

    private static void Add(TarWriter tar, string path, string text)
    {
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path)
        {
            DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
        });
    }
}

/// <summary>A source that holds what a test commits to it.</summary>
internal sealed class TestSource : ISource
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SourcePackage> _packages = [];
    private int _commits;
    private string? _trouble;

    public string Name => "main";

    public void Commit(params string[] lines)
    {
        lock (_lock)
        {
            _commits++;
            foreach (var line in lines) _packages[line.Split(' ')[0]] = Read(line);
        }
    }

    public void Break(string? trouble)
    {
        lock (_lock) _trouble = trouble;
    }

    public Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_trouble is not null) throw new SourceUnreachableException(_trouble);
            var now = $"commit {_commits}";
            return Task.FromResult(new SourceReport
            {
                Source = "main",
                Cursor = now,
                Changed = now == cursor ? [] : [.. _packages.Values],
                Total = _packages.Count,
                Parsed = now == cursor ? 0 : _packages.Count,
            });
        }
    }

    public static SourcePackage Read(string line)
    {
        var words = line.Split(' ');
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(line)));
        return new SourcePackage
        {
            Pkgbase = words[0],
            Version = words[1],
            Architectures = ["x86_64"],
            Dependencies = new BuildDependencies { Depends = [.. words.Skip(2)] },
            Packages = [new PackageOutput { Name = words[0], Architectures = ["x86_64"] }],
            Packager = "Jane Doe <jane@example.org>",
            Repository = "quarters",
            Origin = new SourceOrigin
            {
                Source = "main",
                Kind = "test",
                Location = "memory",
                Path = words[0],
                Revision = "1",
                Time = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000),
            },
            TreeSha256 = digest,
            ArchiveSha256 = digest,
            ArchiveBytes = 1,
        };
    }
}
