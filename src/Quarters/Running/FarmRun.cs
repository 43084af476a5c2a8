using Microsoft.Extensions.Logging;
using Quarters.Builder;
using Quarters.Commands;
using Quarters.Configuring;
using Quarters.Core.Documents;
using Quarters.Master;
using Quarters.Reading;

namespace Quarters.Running;

/// <summary>A master and a builder in one process, which know each other only by address and key, as any two
/// do.</summary>
internal sealed class FarmRun : IAsyncDisposable
{
    /// <summary>No build takes longer; what has not ended by then is built again after the next start.</summary>
    private static readonly TimeSpan LongestDrain = TimeSpan.FromDays(7);

    private readonly Farm farm;
    private readonly MasterNode master;
    private readonly BuilderNode builder;

    private FarmRun(Farm farm, MasterNode master, BuilderNode builder)
    {
        this.farm = farm;
        this.master = master;
        this.builder = builder;
    }

    /// <summary>Starts both.</summary>
    internal static async Task<FarmRun> StartAsync(
        Farm farm, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var startedMaster = await MasterNode.StartAsync(
            new MasterOptions
            {
                Name = farm.File.Name,
                StateDirectory = farm.MasterDirectory,
                Listen = farm.MasterListen,
                Settings = farm.Settings(farm.BuilderKey()),
                Sources = FarmSources.Open(farm),
                Version = VersionCommand.Current,
                LoggerFactory = loggers,
            },
            cancellationToken);
        try
        {
            var startedBuilder = await BuilderNode.StartAsync(
                new BuilderOptions
                {
                    Name = farm.BuilderName,
                    StateDirectory = farm.BuilderDirectory,
                    Listen = farm.BuilderListen,
                    MasterUrl = farm.MasterUrl,
                    MasterKey = startedMaster.Key,
                    Architectures = [.. farm.File.Architectures],
                    Slots = farm.File.Builder.Slots,
                    SourceDirectories = [.. farm.File.Builder.SourcesCache.Select(farm.Absolute)],
                    Version = VersionCommand.Current,
                    LoggerFactory = loggers,
                },
                cancellationToken);
            return new FarmRun(farm, startedMaster, startedBuilder);
        }
        catch
        {
            await startedMaster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs until told to stop, or until one of the two breaks.</summary>
    /// <param name="output">Gets a line whenever a job changes.</param>
    /// <param name="drain">Asks to finish what runs and to take nothing new.</param>
    /// <param name="stop">Asks to stop at once.</param>
    internal async Task RunAsync(TextWriter output, CancellationToken drain, CancellationToken stop)
    {
        using var telling = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var told = TellAsync(output, telling.Token);
        var asked = Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, drain);
        var ended = await Task.WhenAny(master.Completion, builder.Completion, told, asked);
        if (ended == asked)
        {
            await output.WriteLineAsync("Finishing what is being built; Ctrl-C again stops at once.");
            try
            {
                await builder.DrainAsync(LongestDrain, stop);
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
        await builder.DisposeAsync();
        await master.DisposeAsync();
    }

    /// <summary>Where the page is, and what to write into pacman.conf.</summary>
    internal void Introduce(TextWriter output)
    {
        var certificate = Path.Combine(Farm.IdentityIn(farm.MasterDirectory), Node.Identity.CertificateFile);
        output.WriteLine($"""
            {farm.File.Name} is at {farm.MasterUrl}
            its key is {master.Key}

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
        using var link = new NodeLink(farm.MasterUrl, master.Key);
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
