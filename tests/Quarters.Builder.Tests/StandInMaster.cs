using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging.Abstractions;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;
using Quarters.Node;

namespace Quarters.Builder.Tests;

/// <summary>The public face of a master, over real HTTPS, showing what a test says.</summary>
internal sealed class StandInMaster : IAsyncDisposable
{
    public const string Architecture = "x86_64";

    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryDirectory _directory = new();
    private readonly PublicTree _tree;
    private readonly Dictionary<string, QueueJob> _queue = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Job> _jobs = new(StringComparer.Ordinal);
    private NodeKey? _listed;
    private NodeServer? _server;
    private long _revision = 1;
    private int _port;

    private StandInMaster()
    {
        Identity = Identity.Create(_directory["identity"], "master", [], TimeProvider.System);
        _tree = new PublicTree(Identity, TimeProvider.System);
        _tree.Map("/src/", _directory["src"], FileKind.Immutable);
        _tree.Map("/snapshot/", _directory["snapshot"], FileKind.Immutable);
        _tree.Map("/repo/", _directory["repo"], FileKind.Replaced);
        Show();
    }

    public Identity Identity { get; }

    public Uri Url => new($"https://localhost:{_port}/");

    public static async Task<StandInMaster> StartAsync()
    {
        var master = new StandInMaster();
        await master.ComeBackAsync();
        return master;
    }

    public async Task ComeBackAsync()
    {
        var settings = new ServerSettings { Listen = new IPEndPoint(IPAddress.Loopback, _port) };
        _server = await NodeServer.StartAsync(
            settings, Identity, _tree, NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
        _port = _server.Port;
    }

    public async Task GoAwayAsync()
    {
        await _server!.DisposeAsync();
        _server = null;
    }

    /// <summary>Lists a builder, and shows from now on that it is seen to claim whatever it claims.</summary>
    public void Know(NodeKey builder)
    {
        _listed = builder;
        var document = new BuildersDocument
        {
            Revision = ++_revision,
            Builders =
            [
                new ListedBuilder
                {
                    Name = "birch",
                    Url = "https://localhost:1/",
                    PublicKey = builder.ToString(),
                    Architectures = [Architecture],
                    Slots = 8,
                },
            ],
        };
        Publish("/v1/builders.json", document, QuartersJson.Default.BuildersDocument);
        var digest = new DigestDocument
        {
            Revision = ++_revision,
            Time = Noon,
            Builders =
            [
                new DigestBuilder
                {
                    PublicKey = builder.ToString(),
                    Revision = 1,
                    LastSeen = Noon,
                    FreeSlots = 8,
                    FreeAt = Noon,
                },
            ],
        };
        Publish("/v1/digest.json", digest, QuartersJson.Default.DigestDocument);
        foreach (var shown in _jobs.Values.ToList()) ShowJob(shown);
    }

    /// <summary>Offers a job that can be built: its source package and snapshot are there.</summary>
    public QueueJob Offer(string pkgbase, int attempt = 1, Func<QueueJob, QueueJob>? but = null,
        string? pkgbuild = null)
    {
        var (source, bytes) = Source(pkgbuild ?? $"pkgname={pkgbase}\npkgver=1\npkgrel=1\narch=(any)\n");
        var job = new QueueJob
        {
            Id = JobId.Of(pkgbase, "1-1", Architecture, source),
            Attempt = attempt,
            Pkgbase = pkgbase,
            Version = "1-1",
            Architecture = Architecture,
            SourceSha256 = source,
            SourceBytes = bytes,
            Snapshot = Snapshot("core", "a database"u8.ToArray()),
            BasePackages = [],
            Dependencies = [],
            Packages = [new WantedPackage(pkgbase, "any")],
            Packager = "Jane Dev <jane@example.org>",
            SourceDateEpoch = Noon.ToUnixTimeSeconds(),
            Priority = 1,
            ReadyAt = Noon,
            Limits = new BuildLimits(),
        };
        job = but?.Invoke(job) ?? job;
        _queue[job.Id] = job;
        ShowJob(job.Id, JobStatus.Ready, job.Attempt);
        Show();
        return job;
    }

    /// <summary>The builder's claim was seen: the job is in the queue no more.</summary>
    public void Begin(QueueJob job)
    {
        _queue.Remove(job.Id);
        ShowJob(job.Id, JobStatus.Building, job.Attempt);
        Show();
    }

    /// <summary>The attempt is settled.</summary>
    public void Settle(QueueJob job, AttemptEnd end, JobStatus status)
    {
        _queue.Remove(job.Id);
        var attempt = new Attempt { Number = job.Attempt, Builder = "b", End = end, Reason = "", Settled = Noon };
        ShowJob(job.Id, status, status == JobStatus.Ready ? job.Attempt + 1 : job.Attempt, attempt);
        Show();
    }

    /// <summary>A newer source took the job's place.</summary>
    public void Supersede(QueueJob job)
    {
        _queue.Remove(job.Id);
        ShowJob(job.Id, JobStatus.Superseded, job.Attempt);
        Show();
    }

    public void Forget(QueueJob job)
    {
        _queue.Remove(job.Id);
        _tree.Withdraw($"/v1/jobs/{job.Id}.json");
        Show();
    }

    /// <summary>Publishes a source package with one file.</summary>
    public (string Sha256, long Bytes) Source(string pkgbuild)
    {
        var source = SourceTree.Create(
            [new TreeEntry("PKGBUILD", TreeEntryKind.File, Encoding.UTF8.GetBytes(pkgbuild))], TreeLimits.Default);
        using var archive = new MemoryStream();
        SourceArchive.Write(source, archive);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(archive.ToArray()));
        File.WriteAllBytes(Path.Combine(_directory["src"], sha256 + ".tar.zst"), archive.ToArray());
        return (sha256, archive.Length);
    }

    /// <summary>Replaces what is served as a source package.</summary>
    public void Spoil(string sourceSha256, byte[] bytes) =>
        File.WriteAllBytes(Path.Combine(_directory["src"], sourceSha256 + ".tar.zst"), bytes);

    /// <summary>Publishes a snapshot of one repository whose packages are in <c>/repo/</c>, or elsewhere.</summary>
    public string Snapshot(string name, byte[] database, string? server = null, string? shownAs = null)
    {
        var repository = new SnapshotRepository
        {
            Name = name,
            DatabaseSha256 = Convert.ToHexStringLower(SHA256.HashData(database)),
            DatabaseBytes = database.Length,
            Servers = [server ?? $"/repo/{name}/os/{Architecture}"],
        };
        var id = Snapshots.IdOf(Architecture, [repository]);
        var document = new SnapshotDocument { Id = id, Architecture = Architecture, Repositories = [repository] };
        var folder = Path.Combine(_directory["snapshot"], shownAs ?? id);
        var databases = Path.Combine(folder, name, "os", Architecture);
        Directory.CreateDirectory(databases);
        File.WriteAllBytes(Path.Combine(databases, name + ".db"), database);
        File.WriteAllBytes(
            Path.Combine(folder, "snapshot.json"), JsonSerializer.SerializeToUtf8Bytes(document,
                QuartersJson.Default.SnapshotDocument));
        return shownAs ?? id;
    }

    /// <summary>Serves the files of another directory.</summary>
    public void Serve(string prefix, string files) => _tree.Map(prefix, files, FileKind.Replaced);

    /// <summary>Puts a package file into a repository.</summary>
    public void Package(string repository, string fileName, byte[] bytes)
    {
        var folder = Path.Combine(_directory["repo"], repository, "os", Architecture);
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, fileName), bytes);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        Identity.Dispose();
        _directory.Dispose();
    }

    private void ShowJob(string id, JobStatus status, int attempt, params ImmutableArray<Attempt> attempts) =>
        ShowJob(_jobs[id] = new Job
        {
            Id = id,
            Pkgbase = "p",
            Version = "1-1",
            Architecture = Architecture,
            SourceSha256 = "",
            Status = status,
            Since = Noon,
            Created = Noon,
            Attempt = attempt,
            Attempts = attempts,
        });

    private void ShowJob(Job job)
    {
        var document = new JobDocument
        {
            Revision = ++_revision,
            Reason = "",
            Job = job,
            Seen = _listed is { } builder
                ? [new SeenClaim(builder.ToString(), job.Attempt, ClaimPhase.Claimed, long.MaxValue)]
                : null,
        };
        Publish($"/v1/jobs/{job.Id}.json", document, QuartersJson.Default.JobDocument);
    }

    private void Show() => Publish(
        "/v1/queue.json", new QueueDocument { Revision = ++_revision, Time = Noon, Jobs = [.. _queue.Values] },
        QuartersJson.Default.QueueDocument);

    private void Publish<T>(string path, T document, JsonTypeInfo<T> typeInfo) =>
        _tree.Publish(path, JsonSerializer.SerializeToUtf8Bytes(document, typeInfo), "application/json");
}
