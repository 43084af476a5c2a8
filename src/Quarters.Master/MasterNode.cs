using Microsoft.Extensions.Logging;
using Quarters.Core;
using Quarters.Core.Master;
using Quarters.Linux.Files;
using Quarters.Master.Bootstrapping;
using Quarters.Master.Collecting;
using Quarters.Master.Keeping;
using Quarters.Master.Polling;
using Quarters.Master.Rebuilding;
using Quarters.Master.Repositories;
using Quarters.Master.Signalling;
using Quarters.Node;

namespace Quarters.Master;

/// <summary>
/// A running master: its journal, its server, and one loop for each thing it polls. It stops when it is disposed of, or
/// when one of its loops ends with a failure of our own, which <see cref="Completion"/> then carries.
/// </summary>
public sealed class MasterNode : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<IDisposable> _owned = [];
    private readonly MasterOptions _options;
    private readonly Identity _identity;
    private NodeServer? _server;
    private int _disposed;

    private MasterNode(MasterOptions options)
    {
        _options = options;
        _identity = Identity.Load(new MasterFolders(options.StateDirectory).Identity);
        _owned.Add(_identity);
    }

    /// <summary>The base URL under which others reach it.</summary>
    public Uri Address => _options.PublicAddress ?? _server!.LoopbackAddress;

    /// <summary>Who it is.</summary>
    public NodeKey Key => _identity.PublicKey;

    /// <summary>Ends when the master does; with the failure that ended it, if one did.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Starts a master: reads its journal, publishes what a crash left undone, listens, and polls.</summary>
    /// <exception cref="MasterException">It has no identity.</exception>
    /// <exception cref="JournalDamagedException">The journal cannot be believed.</exception>
    /// <exception cref="IOException">Another master runs on this state, it cannot listen where it should, or the disk
    /// refuses.</exception>
    public static async Task<MasterNode> StartAsync(MasterOptions options, CancellationToken cancellationToken)
    {
        var folders = new MasterFolders(options.StateDirectory);
        Directory.CreateDirectory(folders.Root);
        if (!Identity.Exists(folders.Identity))
            throw new MasterException($"{folders.Identity} holds no key: run 'quarters init' first");
        var node = new MasterNode(options);
        try
        {
            await node.StartAsync(folders, cancellationToken);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops polling and listening, and waits until all is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _stopping.CancelAsync();
        // How it ended is told by Completion; here only that it did.
        await Completion.ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        if (_server is not null) await _server.DisposeAsync();
        foreach (var owned in Enumerable.Reverse(_owned)) owned.Dispose();
        _stopping.Dispose();
    }

    private async Task StartAsync(MasterFolders folders, CancellationToken cancellationToken)
    {
        var loggers = _options.LoggerFactory;
        var time = _options.Time;
        var disk = LinuxDisk.Instance;
        foreach (var folder in new[] { folders.SourcePackages, folders.Repositories, folders.Snapshots, folders.Logs,
            folders.Incoming })
            Directory.CreateDirectory(folder);
        Directory.CreateDirectory(
            folders.Spool, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var journal = new Journal<MasterEvent>(
            new JournalSettings { Directory = folders.Root }, disk, QuartersJson.Default.MasterEvent, time,
            loggers.CreateLogger<Journal<MasterEvent>>());
        _owned.Add(journal);
        var databases = new PinnedDatabases(folders);
        var contents = Own(new RepositoryContents(folders));
        var publisher = new Publisher(folders, disk);
        var ledger = new Ledger(journal, publisher, loggers.CreateLogger<Ledger>());
        ledger.Recover(databases.Index, time.GetUtcNow());
        _options.Offers.Follow(ledger);
        var sightings = new Sightings(time.GetUtcNow());
        var tree = new PublicTree(_identity, time);
        var setup = new Setup(_options);
        var showcase = new Showcase(_options, _identity, tree, ledger, sightings, setup);

        var loops = new Loops(_stopping);
        loops.Run(ledger.RunAsync);
        var isKnown = ledger.State.Settings is { } known && known.SameAs(_options.Settings);
        var started = new MasterStarted(_options.Version);
        await ledger.RecordAsync(
            isKnown ? [started] : [started, new Configured(_options.Settings)], cancellationToken);
        // Only now is the state newer than all that was shown before the last stop.
        showcase.MapAll(folders, journal);
        _server = await NodeServer.StartAsync(
            new ServerSettings { Listen = _options.Listen }, _identity, tree, loggers, cancellationToken);
        showcase.MapPages(Address);
        loops.Run(showcase.RunAsync);

        var mirrors = Own(new Puller(null, _options.Pulling, time, _options.Random));
        loops.Run(new OutsidePolling(
            folders, disk, ledger, sightings, mirrors, _options.OutsideInterval, time,
                loggers.CreateLogger<OutsidePolling>()).RunAsync);
        var collector = Own(new Collector(folders, ledger, publisher, contents, loggers.CreateLogger<Collector>()));
        loops.Run(new Roster(_options, ledger, sightings, collector).RunAsync);
        loops.Run(new Bumping(ledger, _options.Bump).RunAsync);
        loops.Run(new Staging(ledger, new StageReview(folders, time), loggers.CreateLogger<Staging>()).RunAsync);
        loops.Run(new Promoting(
            ledger, publisher, _options.PromotionInterval, time, loggers.CreateLogger<Promoting>()).RunAsync);
        var adopting = new Adopting(folders, disk, ledger, publisher);
        var housekeeping = new Housekeeping(folders, disk, ledger, time, loggers.CreateLogger<Housekeeping>());
        loops.Run(housekeeping.RunAsync);
        var desk = new SignalDesk(
            ledger, setup, publisher, adopting, housekeeping, loggers.CreateLogger<SignalDesk>());
        loops.Run(new SpoolReading(folders, disk, desk, time, loggers.CreateLogger<SpoolReading>()).RunAsync);
        loops.Run(stopping => setup.RunAsync(
            current => [.. current.Sources.Select(PollSource), .. current.Operators.Select(PollOperator)], stopping));
        Completion = loops.Completion;

        Func<CancellationToken, Task> PollSource(PolledSource source) => new SourcePolling(
            source, ledger, sightings, time, loggers.CreateLogger<SourcePolling>()).RunAsync;

        Func<CancellationToken, Task> PollOperator(PolledOperator polled) => async stopping =>
        {
            using var puller = new Puller(NodeKey.Parse(polled.PublicKey), _options.Pulling, time, _options.Random);
            await new OperatorPolling(
                polled, ledger, desk, puller, time, _options.Random, loggers.CreateLogger<OperatorPolling>())
                .RunAsync(stopping);
        };
    }

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }
}

/// <summary>A master cannot run as it was told to; the message says what to do.</summary>
public sealed class MasterException(string message) : Exception(message);
