using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Quarters.Core.Master;
using Quarters.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Master.Polling;

/// <summary>A source and how it is polled.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Kind"><c>git</c>, <c>directory</c>, ….</param>
/// <param name="Source">What reads it.</param>
/// <param name="Interval">The pause between two polls.</param>
/// <param name="Deadline">A poll that takes longer is given up; the next begins where the last that succeeded
/// ended.</param>
public sealed record PolledSource(string Name, string Kind, ISource Source, TimeSpan Interval, TimeSpan Deadline)
{
    /// <summary>Looks at its changes before they are built; null where nobody need.</summary>
    public ReviewDesk? Review { get; init; }
}

/// <summary>Polls one source for ever. Each source has a loop of its own: one that fails or hangs delays no
/// other.</summary>
internal sealed partial class SourcePolling(
    PolledSource polled, Ledger ledger, Sightings sightings, TimeProvider time, ILogger<SourcePolling> logger)
{
    /// <summary>A source that fails is asked less and less often, up to this.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(15);

    /// <summary>Seldom is one file changed alone: so long after the first the others are looked at together.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(500);

    private DateTimeOffset? _lastSuccess;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            // Told from before the poll on, so that nothing is missed that changes while it runs.
            var changed = polled.Source.ChangedAsync(stop.Token);
            failures = await PollAsync(cancellationToken) ? 0 : failures + 1;
            var pause = Task.Delay(PauseAfter(failures, polled.Interval), time, stop.Token);
            var isChanged = await Task.WhenAny(pause, changed) == changed;
            await stop.CancelAsync();
            if (isChanged) await Task.Delay(Settled, time, cancellationToken);
        }
    }

    /// <summary>How long to wait for the next poll: twice as long with every failure in a row.</summary>
    internal static TimeSpan PauseAfter(int failures, TimeSpan interval) => TimeSpan.FromTicks(Math.Min(
        Math.Max(LongestPause.Ticks, interval.Ticks), interval.Ticks << Math.Min(failures, 10)));

    private async Task<bool> PollAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        using var deadline = new CancellationTokenSource(polled.Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var cursor = ledger.State.Sources.GetValueOrDefault(polled.Name)?.Cursor;
            var report = await polled.Source.PollAsync(cursor, either.Token);
            if (report.Cursor != cursor)
            {
                LogFound(polled.Name, report.Changed.Length, report.RemovedPaths.Length, report.Unreadable.Length,
                    report.Parsed);
                ImmutableArray<NeededReview> reviews = polled.Review is null
                    ? []
                    : await polled.Review.JudgeAsync(
                        report, name => ledger.State.Packages.GetValueOrDefault(name)?.Source, either.Token);
                await ledger.RecordAsync([new SourcePolled(report) { Reviews = reviews }], cancellationToken);
            }

            _lastSuccess = time.GetUtcNow();
            sightings.Saw(polled.Name, new SourceSighting(_lastSuccess, null, time.GetElapsedTime(began)));
            return true;
        }
        catch (SourceUnreachableException unreachable)
        {
            return Failed(unreachable.Message, began);
        }
        catch (IOException ours)
        {
            // A full disk or a missing tool: said, and tried again, since other sources may still be read.
            return Failed(ours.Message, began);
        }
        catch (OperationCanceledException) when (
            deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return Failed($"the poll did not end within {polled.Deadline.TotalSeconds:0} s", began);
        }
    }

    private bool Failed(string reason, long began)
    {
        LogFailed(polled.Name, reason);
        sightings.Saw(polled.Name, new SourceSighting(_lastSuccess, reason, time.GetElapsedTime(began)));
        return false;
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "source {Source}: {Changed} changed, {Removed} removed, {Unreadable} cannot be read; {Parsed} "
            + "PKGBUILDs read")]
    private partial void LogFound(string source, int changed, int removed, int unreadable, int parsed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "source {Source}: {Reason}")]
    private partial void LogFailed(string source, string reason);
}
