using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Node;

namespace Quarters.Master.Tests;

/// <summary>A builder over HTTPS that says whatever a test has it say, and builds nothing.</summary>
internal sealed class TestBuilder : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Identity _identity;
    private readonly string _out;
    private readonly string _logs;
    private readonly string _name;
    private readonly int _slots;
    private NodeServer _server = null!;
    private long _revision;

    private TestBuilder(string name, int slots)
    {
        _name = name;
        _slots = slots;
        _folder = Directory.CreateTempSubdirectory($"quarters-{name}-").FullName;
        _identity = Identity.Create(Path.Combine(_folder, "identity"), name, [], TimeProvider.System);
        Tree = new PublicTree(_identity, TimeProvider.System);
        _out = Directory.CreateDirectory(Path.Combine(_folder, "out")).FullName;
        _logs = Directory.CreateDirectory(Path.Combine(_folder, "logs")).FullName;
        Tree.Map("/out/", _out, FileKind.Replaced);
        Tree.Map("/v1/logs/", _logs, FileKind.Growing);
    }

    /// <summary>What it shows, for tests that publish it elsewhere.</summary>
    public PublicTree Tree { get; }

    /// <summary>Who it is.</summary>
    public NodeKey Key => _identity.PublicKey;

    /// <summary>Where it listens.</summary>
    public Uri Address => _server.LoopbackAddress;

    public static async Task<TestBuilder> StartAsync(string name, int slots = 1)
    {
        var builder = new TestBuilder(name, slots);
        builder._server = await NodeServer.StartAsync(
            new ServerSettings { Listen = new IPEndPoint(IPAddress.Loopback, 0) }, builder._identity, builder.Tree,
            NullLoggerFactory.Instance, TestFarm.Token);
        builder.Say([], []);
        return builder;
    }

    /// <summary>The signal that adds it.</summary>
    public AddBuilder Add(string id) => new()
    {
        Id = id,
        Time = default,
        Name = _name,
        Url = Address.ToString(),
        PublicKey = Key.ToString(),
    };

    /// <summary>What its state says from now on.</summary>
    public void Say(
        ImmutableArray<Claim> claims, ImmutableArray<BuildResult> results, double weight = 1) => Tree.Publish(
        "/v1/state.json",
        JsonSerializer.SerializeToUtf8Bytes(
            new BuilderStateDocument
            {
                Revision = ++_revision,
                Name = _name,
                Architectures = ["x86_64"],
                Slots = _slots,
                Weight = weight,
                Alive = DateTimeOffset.UnixEpoch,
                Claims = claims,
                Results = results,
            },
            QuartersJson.Default.BuilderStateDocument),
        "application/json");

    /// <summary>It honestly says that it built a job, whose package has these paths, and nothing else.</summary>
    public void SayBuilt(QueueJob job, params string[] paths) => Say(
        [], [TestFarm.Built(job, Present(job, TestFarm.FileName(job), TestFarm.Package(job, paths: paths)))]);

    /// <summary>Puts a package file where it presents results, and describes it.</summary>
    public ResultFile Present(QueueJob job, string fileName, byte[] content)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_out, JobId.AttemptName(job.Id, job.Attempt))).FullName;
        File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(fileName)), content);
        return new ResultFile(fileName, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
    }

    public void WriteLog(QueueJob job, string text) =>
        File.WriteAllText(Path.Combine(_logs, JobId.AttemptName(job.Id, job.Attempt) + ".log"), text);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _identity.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
