using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Quarters.Builder.Building;
using Quarters.Chroots.Builds;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Node;

namespace Quarters.Builder.Tests;

/// <summary>A builder whose builds a test ends itself, read over HTTPS as everybody reads it.</summary>
internal sealed class RunningBuilder : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private readonly Channel<Build> _builds = Channel.CreateUnbounded<Build>();
    private readonly Puller _puller;
    private BuilderNode? _node;

    private RunningBuilder(BuilderNode node)
    {
        _node = node;
        _puller = new Puller(node.Key, new PullerSettings(), TimeProvider.System, () => 0.5);
    }

    public BuilderNode Node => _node!;

    /// <summary>A builder that the master lists.</summary>
    public static BuilderOptions Options(StandInMaster master, string state)
    {
        var place = new BuilderFolders(state).Identity;
        using var identity = Identity.Exists(place)
            ? Identity.Load(place)
            : Identity.Create(place, "birch", [], TimeProvider.System);
        master.Know(identity.PublicKey);
        return OptionsOf(master, state);
    }

    private static BuilderOptions OptionsOf(StandInMaster master, string state) => new()
    {
        Name = "birch",
        StateDirectory = state,
        Listen = new IPEndPoint(IPAddress.Loopback, 0),
        MasterUrl = master.Url,
        MasterKey = master.Identity.PublicKey,
        Architectures = [StandInMaster.Architecture],
        FreeBytesReserve = 0,
        Version = "1",
        LoggerFactory = NullLoggerFactory.Instance,
    };

    /// <summary>Reads a builder that builds by itself.</summary>
    public static RunningBuilder Over(BuilderNode node) => new(node);

    public static async Task<RunningBuilder> StartAsync(BuilderOptions options)
    {
        RunningBuilder? running = null;
        var started = new TaskCompletionSource<RunningBuilder>();
        var begun = await BuilderNode.StartAsync(
            options,
            new Craft(
                async (request, _) => (await started.Task).FetchedAhead.Enqueue(request.Pkgbase),
                async (request, token) => await (await started.Task).BuildAsync(request, token)),
            TestContext.Current.CancellationToken);
        running = new RunningBuilder(begun);
        started.SetResult(running);
        return running;
    }

    /// <summary>The jobs for which was fetched, before their builds begin, what these will need.</summary>
    public ConcurrentQueue<string> FetchedAhead { get; } = [];

    /// <summary>The next build that the builder starts.</summary>
    public async Task<Build> NextBuildAsync()
    {
        using var limit = Deadline();
        return await _builds.Reader.ReadAsync(limit.Token);
    }

    /// <summary>Waits until the builder's state is as wanted.</summary>
    public async Task<BuilderStateDocument> UntilAsync(Func<BuilderStateDocument, bool> wanted)
    {
        using var limit = Deadline();
        string? tag = null;
        BuilderStateDocument? last = null;
        try
        {
            while (true)
            {
                var result = await _puller.GetDocumentAsync(
                    new Uri(Node.Address, "v1/state.json"), tag, TimeSpan.FromSeconds(5), 1 << 20, limit.Token);
                if (result is not PullResult.Document document)
                    continue;
                tag = document.Tag;
                last = JsonSerializer.Deserialize(document.Bytes, QuartersJson.Default.BuilderStateDocument)!;
                if (wanted(last))
                    return last;
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail("The builder's state never was as wanted. The last one: "
                + JsonSerializer.Serialize(last, QuartersJson.Default.BuilderStateDocument!));
            throw;
        }
    }

    /// <summary>What a path shows; null when there is nothing.</summary>
    public async Task<byte[]?> GetAsync(string path)
    {
        var result = await _puller.GetDocumentAsync(
            new Uri(Node.Address, path), null, TimeSpan.Zero, 1 << 20, TestContext.Current.CancellationToken);
        return result is PullResult.Document document ? document.Bytes
            : result is PullResult.Failed { Failure.Status: 404 } ? null
            : throw new InvalidOperationException(result.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is null)
            return;
        await _node.DisposeAsync();
        _node = null;
        _puller.Dispose();
    }

    private static CancellationTokenSource Deadline()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        return limit;
    }

    private async Task<BuildOutcome> BuildAsync(BuildRequest request, CancellationToken cancellationToken)
    {
        var build = new Build(request, cancellationToken);
        await _builds.Writer.WriteAsync(build, cancellationToken);
        return await build.Outcome.WaitAsync(cancellationToken);
    }

    /// <summary>A build that waits to be told how it ends.</summary>
    public sealed class Build(BuildRequest request, CancellationToken stopped)
    {
        private readonly TaskCompletionSource<BuildOutcome> _outcome = new(
            TaskCreationOptions.RunContinuationsAsynchronously);

        public BuildRequest Request => request;

        public CancellationToken Stopped => stopped;

        public Task<BuildOutcome> Outcome => _outcome.Task;

        public void Break(Exception exception) => _outcome.SetException(exception);

        public void Fail(FailureKind kind, string stage, string message) => _outcome.SetResult(new BuildOutcome.Failed
        {
            Failure = new BuildFailure { Stage = stage, Kind = kind, Message = message },
            Costs = Costs,
        });

        /// <summary>Leaves packages with the given content.</summary>
        public void Succeed(params string[] fileNames)
        {
            var packages = ImmutableArray.CreateBuilder<BuiltPackage>();
            foreach (var name in fileNames)
            {
                var path = Path.Combine(request.OutputDirectory, name);
                var bytes = Encoding.UTF8.GetBytes("the package " + name);
                File.WriteAllBytes(path, bytes);
                packages.Add(new BuiltPackage
                {
                    Path = path,
                    Bytes = bytes.Length,
                    Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
                });
            }

            _outcome.SetResult(new BuildOutcome.Built
            {
                Packages = packages.ToImmutable(),
                BuildInfo = "",
                Costs = Costs
            });
        }

        private static BuildCosts Costs => new()
        {
            Phases = [new PhaseCost { Phase = "build", ElapsedSeconds = 1 }],
            Total = TimeSpan.FromSeconds(2),
            Makepkg = TimeSpan.FromSeconds(1),
        };
    }
}
