using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Quarters.Builder.Building;
using Quarters.Builder.Fetching;
using Quarters.Chroots;
using Quarters.Core;
using Quarters.Core.Builder;
using Quarters.Core.Documents;
using Quarters.Linux.Files;
using Quarters.Node;

namespace Quarters.Builder;

/// <summary>A builder that runs: it takes jobs from its master's queue, builds them in clean chroots, and shows what
/// came of
/// them to whoever asks.</summary>
public sealed class BuilderNode : IAsyncDisposable
{
    private readonly Parts _parts;
    private readonly NodeServer _server;
    private readonly CancellationTokenSource _stop = new();
    private bool _disposed;

    private BuilderNode(Parts parts, NodeServer server, Func<CancellationToken, Task> run)
    {
        _parts = parts;
        _server = server;
        Address = parts.Options.PublicAddress ?? AddressOf(parts.Options.Listen, server);
        Completion = run(_stop.Token);
    }

    /// <summary>The base URL of its documents.</summary>
    public Uri Address { get; }

    /// <summary>Who it is.</summary>
    public NodeKey Key => _parts.Identity.PublicKey;

    /// <summary>Ends when the builder was disposed of, or faults with what broke it: a journal that cannot be written,
    /// a bug.
    /// Then nothing is built any more, and it has to be disposed of.</summary>
    public Task Completion { get; }

    /// <summary>Starts a builder: cleans up after a run that was killed, begins to listen, and takes its first
    /// jobs.</summary>
    /// <exception cref="IOException">Another process works in its state directory, the journal is damaged, the port is
    /// taken,
    /// or a program that chroots need is missing.</exception>
    public static async Task<BuilderNode> StartAsync(BuilderOptions options, CancellationToken cancellationToken)
    {
        var store = new ChrootStore(new ChrootOptions
        {
            Directory = options.ChrootDirectory ?? new BuilderFolders(options.StateDirectory).Chroots,
            SourceDirectories = options.SourceDirectories,
            MakeJobs = options.MakeJobs ?? Environment.ProcessorCount,
            Time = options.Time,
        });
        await store.CleanAsync(cancellationToken);
        return await StartAsync(options, new Craft(store.FetchAsync, store.BuildAsync), cancellationToken);
    }

    internal static async Task<BuilderNode> StartAsync(
        BuilderOptions options, Craft craft, CancellationToken cancellationToken)
    {
        var folders = new BuilderFolders(options.StateDirectory);
        folders.Create();
        // The journal's lock comes first: nothing else here may be touched by two builders.
        var journal = new Journal<BuilderEvent>(
            new JournalSettings { Directory = folders.Root }, LinuxDisk.Instance, QuartersJson.Default.BuilderEvent,
            options.Time, options.LoggerFactory.CreateLogger<Journal<BuilderEvent>>());
        Parts? made = null;
        try
        {
            made = Assemble(options, folders, journal);
            var run = new AttemptRun(
                options, folders, made.Ledger, new Preparation(options, folders, made.Master, made.Snapshots), craft);
            var loop = new BuildLoop(options, folders, made.Ledger, made.Master, made.Neighbours, run);
            var listening = await NodeServer.StartAsync(
                new ServerSettings { Listen = options.Listen }, made.Identity, made.Tree, options.LoggerFactory,
                    cancellationToken);
            return new BuilderNode(made, listening, token => RunAsync(made.Ledger, loop, token));
        }
        catch
        {
            made?.Dispose();
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Takes nothing new, and waits until what runs has ended and the master has settled every
    /// result.</summary>
    /// <param name="within">How long to wait at most.</param>
    /// <param name="cancellationToken">Gives up waiting; nothing new is taken all the same.</param>
    /// <returns>Whether everything is settled. If not, the results are kept for the next start.</returns>
    public async Task<bool> DrainAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        var ledger = _parts.Ledger;
        ledger.BeginDraining();
        using var deadline = new CancellationTokenSource(within, _parts.Options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        while (true)
        {
            var changed = ledger.Changed;
            var state = ledger.State;
            if (state.Claims.IsEmpty && state.Results.IsEmpty)
                return true;
            await Task.WhenAny(changed.WaitAsync(either.Token), Completion);
            if (deadline.IsCancellationRequested || Completion.IsCompleted)
                return false;
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Stops at once: builds that run are killed with everything that they started.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await _stop.CancelAsync();
        // What broke the builder is Completion's to tell; disposing of it works all the same.
        await Completion.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None,
            TaskScheduler.Default);
        await _server.DisposeAsync();
        _parts.Dispose();
        _parts.Journal.Dispose();
        _stop.Dispose();
    }

    /// <summary>Builds and publishes until cancelled; when one of both breaks, the other stops.</summary>
    private static async Task RunAsync(Ledger ledger, BuildLoop loop, CancellationToken cancellationToken)
    {
        if (ledger.Publisher is not { } publisher)
        {
            await loop.RunAsync(cancellationToken);
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var building = loop.RunAsync(either.Token);
        var publishing = publisher.RunAsync(
            () => ledger.Revision, problem => ledger.SetTrouble(Trouble.Publishing, problem), either.Token);
        await Task.WhenAny(building, publishing);
        await either.CancelAsync();
        try
        {
            await Task.WhenAll(building, publishing);
        }
        catch (OperationCanceledException) when (!building.IsFaulted && !publishing.IsFaulted)
        {
            // It was asked to stop.
        }
    }

    private static Parts Assemble(BuilderOptions options, BuilderFolders folders, Journal<BuilderEvent> journal)
    {
        var hosts = options.PublicAddress is { } address ? new[] { address.Host } : [];
        var identity = Identity.Exists(folders.Identity)
            ? Identity.Load(folders.Identity)
            : Identity.Create(folders.Identity, options.Name, hosts, options.Time);
        var tree = new PublicTree(identity, options.Time);
        var ledger = new Ledger(options, identity.PublicKey, journal, tree);
        ledger.Recover();
        Leftovers.RemoveAll(folders, ledger.State, options.Time.GetUtcNow());
        Show(options, folders, journal, identity, tree);
        if (options.Publish is { } publish)
            ledger.Publisher = new FolderPublisher(publish, tree, identity.PublicKey, options.Time, options.Random);
        var master = new MasterLink(options);
        var snapshots = new SnapshotStore(folders, master, options.Time);
        return new Parts(options, identity, journal, tree, ledger, master, new Neighbours(options), snapshots);
    }

    private static void Show(
        BuilderOptions options,
        BuilderFolders folders,
        Journal<BuilderEvent> journal,
        Identity identity,
        PublicTree tree)
    {
        var node = new NodeDocument
        {
            Role = "builder",
            Name = options.Name,
            PublicKey = identity.PublicKey.ToString(),
            Version = options.Version,
            Architectures = options.Architectures,
            Links = ImmutableSortedDictionary<string, string>.Empty
                .Add("state", Ledger.StatePath).Add("journal", "/v1/journal/").Add("logs", "/v1/logs/")
                .Add("results", "/out/").Add("metrics", "/metrics"),
        };
        tree.Publish(
            "/v1/node.json",
            JsonSerializer.SerializeToUtf8Bytes(node, QuartersJson.Default.NodeDocument),
            "application/json");
        tree.Map("/v1/journal/", journal.SegmentsDirectory, FileKind.Growing, journal.DurableLength);
        tree.Map("/v1/logs/", folders.Logs, FileKind.Growing);
        tree.Map("/out/", folders.Results, FileKind.Immutable);
    }

    private static Uri AddressOf(IPEndPoint listen, NodeServer server) =>
        IPAddress.IsLoopback(listen.Address) || listen.Address.Equals(IPAddress.Any)
            || listen.Address.Equals(IPAddress.IPv6Any)
            ? server.LoopbackAddress
            : new Uri($"https://{new IPEndPoint(listen.Address, server.Port)}/");

    private sealed record Parts(
        BuilderOptions Options,
        Identity Identity,
        Journal<BuilderEvent> Journal,
        PublicTree Tree,
        Ledger Ledger,
        MasterLink Master,
        Neighbours Neighbours,
        SnapshotStore Snapshots) : IDisposable
    {
        public void Dispose()
        {
            Ledger.Publisher?.Dispose();
            Snapshots.Dispose();
            Neighbours.Dispose();
            Master.Dispose();
            Identity.Dispose();
        }
    }
}
