using Microsoft.Extensions.Logging;
using Quarters.Builder;
using Quarters.Commands;
using Quarters.Configuring;
using Quarters.Core.Documents;
using Quarters.Master;
using Quarters.Node;
using Quarters.Reading;

namespace Quarters.Running;

/// <summary>What runs in this process: a master, a builder, or both, which then know each other only by address and
/// key, as any two do.</summary>
internal sealed class NodeRun : IAsyncDisposable
{
    /// <summary>No build takes longer; what has not ended by then is built again after the next start.</summary>
    private static readonly TimeSpan LongestDrain = TimeSpan.FromDays(7);

    private readonly MasterNode? _master;
    private readonly FarmSources? _sources;
    private readonly BuilderNode? _builder;
    private readonly Action<TextWriter> _introduce;
    private readonly Uri _tellFrom;
    private readonly NodeKey _tellKey;

    private NodeRun(
        MasterNode? master, FarmSources? sources, BuilderNode? builder, Action<TextWriter> introduce, Uri tellFrom,
        NodeKey tellKey)
    {
        (_master, _sources, _builder, _introduce) = (master, sources, builder, introduce);
        (_tellFrom, _tellKey) = (tellFrom, tellKey);
    }

    /// <summary>Starts both, as <c>up</c> does.</summary>
    internal static async Task<NodeRun> StartBothAsync(
        Farm farm, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var run = await StartMasterAsync(farm, farm.BuilderKey(), loggers, cancellationToken);
        try
        {
            var started = await BuilderNode.StartAsync(
                BuilderHome.Of(farm, run._tellKey, loggers), cancellationToken);
            return new NodeRun(run._master, run._sources, started, run._introduce, run._tellFrom, run._tellKey);
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a master alone.</summary>
    internal static Task<NodeRun> StartMasterAsync(
        Farm farm, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        StartMasterAsync(farm, null, loggers, cancellationToken);

    /// <summary>Starts a builder alone.</summary>
    internal static async Task<NodeRun> StartBuilderAsync(
        BuilderHome home, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var started = await BuilderNode.StartAsync(home.Options(loggers), cancellationToken);
        return new NodeRun(null, null, started, Introduce, home.MasterUrl, home.MasterKey);

        void Introduce(TextWriter output) => output.WriteLine($"""
            {home.File.Name} builds for {home.MasterUrl}
            it is at {home.Url}, its key is {started.Key}
            """);
    }

    private static async Task<NodeRun> StartMasterAsync(
        Farm farm, NodeKey? builderKey, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var offers = new OutsideOffers();
        var polled = new FarmSources(new MasterFolders(farm.MasterDirectory), offers);
        var started = await MasterNode.StartAsync(
            new MasterOptions
            {
                Name = farm.File.Name,
                StateDirectory = farm.MasterDirectory,
                Listen = farm.MasterListen,
                Settings = farm.Settings(builderKey),
                Bump = polled.NewBump(),
                Operators = FarmSetup.Operators(farm),
                Reread = () => FarmSetup.Reread(farm, builderKey, polled),
                Sources = polled.Open(farm),
                Offers = offers,
                Pulling = BuilderHome.PullingOf(farm.File.Authorities, farm.Directory),
                Version = VersionCommand.Current,
                LoggerFactory = loggers,
            },
            cancellationToken);
        return new NodeRun(
            started, polled, null, output => Introduce(farm, started.Key, output), farm.MasterUrl, started.Key);
    }

    /// <summary>Runs until told to stop, or until one of the two breaks.</summary>
    /// <param name="output">Gets a line whenever a job changes.</param>
    /// <param name="drain">Asks to finish what runs and to take nothing new.</param>
    /// <param name="stop">Asks to stop at once.</param>
    internal async Task RunAsync(TextWriter output, CancellationToken drain, CancellationToken stop)
    {
        using var telling = CancellationTokenSource.CreateLinkedTokenSource(stop);
        // A builder alone has nothing to tell of a farm that others watch at the master.
        var told = _master is null
            ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, telling.Token)
            : TellAsync(output, telling.Token);
        var asked = Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, drain);
        var nodes = new[] { _master?.Completion, _builder?.Completion }.OfType<Task>();
        var ended = await Task.WhenAny([.. nodes, told, asked]);
        if (ended == asked && _builder is not null)
        {
            await output.WriteLineAsync("Finishing what is being built; Ctrl-C again stops at once.");
            try
            {
                await _builder.DrainAsync(LongestDrain, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                await output.WriteLineAsync("Stopping; what was being built is built again after the next start.");
            }
        }

        await telling.CancelAsync();
        await Task.WhenAny(told);
        // What broke one of them comes out here.
        if (ended != asked)
            await ended;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_builder is not null) await _builder.DisposeAsync();
        if (_master is not null) await _master.DisposeAsync();
        _sources?.Dispose();
    }

    /// <summary>Who runs here, and where.</summary>
    internal void Introduce(TextWriter output) => _introduce(output);

    /// <summary>Where the page is, and what to write into pacman.conf.</summary>
    private static void Introduce(Farm farm, NodeKey key, TextWriter output)
    {
        var certificate = Path.Combine(Farm.IdentityIn(farm.MasterDirectory), Identity.CertificateFile);
        output.WriteLine($"""
            {farm.File.Name} is at {farm.MasterUrl}
            its key is {key}

            To install from here, in /etc/pacman.conf:
            """);
        foreach (var repository in farm.File.Repository)
        {
            output.WriteLine($"""
                  [{repository.Name}]
                  SigLevel = Optional TrustAll
                  Server = {farm.MasterUrl}repo/$repo/os/$arch
                """);
        }

        output.WriteLine($"""
            and so that this machine believes its certificate: trust anchor --store {certificate}

            """);
    }

    private async Task TellAsync(TextWriter output, CancellationToken cancellationToken)
    {
        using var link = new NodeLink(_tellFrom, _tellKey);
        MasterStateDocument? before = null;
        await foreach (var bytes in link.FollowAsync(StatusCommand.Path, cancellationToken))
        {
            var after = StatusCommand.Parse(link, bytes);
            await foreach (var line in JobProgress.LinesAsync(before, after, FindAsync))
                await output.WriteLineAsync($"{TimeProvider.System.GetLocalNow():HH:mm:ss} {line}");
            before = after;
        }

        async Task<JobDocument?> FindAsync(string id) =>
            await link.FindAsync(JobLookup.JobPath(id), cancellationToken) is { } found
                ? JobCommand.Parse(link, found)
                : null;
    }
}
