using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Master.Collecting;
using Quarters.Node;

namespace Quarters.Master.Polling;

/// <summary>
/// Reads one validated builder's state for ever: what it claims is noted, what it built is collected, and when it falls
/// silent for longer than its lease its claims are open again. Silent is also one whose state stands still: a web space
/// answers for ever, whoever lives behind it.
/// </summary>
internal sealed partial class BuilderPolling(
    BuilderRecord builder,
    Ledger ledger,
    Collector collector,
    Sightings sightings,
    Puller puller,
    TimeProvider time,
    Func<double> random,
    ILogger<BuilderPolling> logger)
{
    /// <summary>No builder's state is larger than this, in bytes.</summary>
    public const int MaxStateBytes = 4 << 20;

    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan WaitWhileCollecting = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PauseAfterCollecting = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>The pause between two questions to a web space, which does not wait for news.</summary>
    private static readonly TimeSpan WithoutWaiting = TimeSpan.FromSeconds(5);
    private readonly Uri _base = new(builder.Url.TrimEnd('/') + "/");
    private BuilderSighting _seen = new()
    {
        Name = builder.Name,
        Url = builder.Url,
        PublicKey = builder.PublicKey,
        PolledSince = time.GetUtcNow(),
    };

    private string? _tag;
    private Task<bool> _collecting = Task.FromResult(true);
    private DateTimeOffset _collectedAt;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await PollAsync(cancellationToken);
        }
        finally
        {
            // It stops with us; how it ended no longer matters.
            await _collecting.ContinueWith(
                _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task PollAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        var isSettled = true;
        while (!cancellationToken.IsCancellationRequested)
        {
            var asked = time.GetTimestamp();
            var before = _seen.Said;
            var problem = await ReadAsync(isSettled ? Wait : WaitWhileCollecting, cancellationToken);
            Note(problem);
            await ledger.RecordAsync(
                BuilderReview.Expire(
                    ledger.State, builder.Name, _seen.Said, _seen.MovedAt ?? _seen.PolledSince,
                    sightings.LastSeenBesides(builder.Name), time.GetUtcNow()),
                cancellationToken);
            if (problem is null) isSettled = await ReviewAsync(_seen.Said!, cancellationToken);
            else asked = time.GetTimestamp();
            failures = problem is null ? 0 : failures + 1;
            var pause = problem is not null ? Backoff.After(failures, FirstPause, LongestPause, random())
                : ReferenceEquals(before, _seen.Said) && isSettled ? WithoutWaiting : ShortestPause;
            if (pause - time.GetElapsedTime(asked) is { Ticks: > 0 } rest)
                await Task.Delay(rest, time, cancellationToken);
        }
    }

    /// <summary>Reads the builder's state; returns what is wrong, or null.</summary>
    private async Task<string?> ReadAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        switch (await puller.GetDocumentAsync(
            new Uri(_base, "v1/state.json"), _tag, wait, MaxStateBytes, cancellationToken))
        {
            case PullResult.Failed failed:
                return failed.Failure.Sentence;
            case PullResult.Document document:
                return Take(document);
            default:
                return null;
        }
    }

    private string? Take(PullResult.Document document)
    {
        BuilderStateDocument? said;
        try
        {
            said = JsonSerializer.Deserialize(document.Bytes, QuartersJson.Default.BuilderStateDocument);
        }
        catch (JsonException malformed)
        {
            return $"its state is not the document it should be: {malformed.Message}";
        }

        if (said?.Schema != Schemas.BuilderState)
            return $"its state has the schema '{said?.Schema}'; this master reads {Schemas.BuilderState}";
        if (_seen.Said is { } before && said.Revision < before.Revision)
            return $"its state went back from revision {before.Revision} to {said.Revision}: it lost its journal, "
                + "or somebody else uses its key; when that is settled, remove it and add it again";
        if (BuilderReview.FindFault(said) is { } fault) return fault;
        _seen = _seen.Hearing(said, time.GetUtcNow());
        _tag = document.Tag;
        return null;
    }

    /// <summary>Returns false when something is left to be collected. What is large is fetched aside: meanwhile the
    /// builder is still listened to, since others wait to know what it claims.</summary>
    private async Task<bool> ReviewAsync(BuilderStateDocument said, CancellationToken cancellationToken)
    {
        var reviewed = BuilderReview.Read(ledger.State, builder.Name, said, time.GetUtcNow());
        foreach (var failed in reviewed.Events.OfType<AttemptFailed>())
            await collector.KeepLogAsync(_base, puller, failed.Result, cancellationToken);
        await ledger.RecordAsync(reviewed.Events, cancellationToken);
        if (_collecting.IsCompleted)
        {
            // What broke it, if something did, comes out here.
            var isDone = await _collecting;
            if (reviewed.Collect.IsEmpty) return true;
            if (!isDone && time.GetUtcNow() - _collectedAt < PauseAfterCollecting) return false;
            _collecting = CollectAsync(reviewed.Collect, cancellationToken);
        }

        return false;
    }

    private async Task<bool> CollectAsync(ImmutableArray<BuildResult> results, CancellationToken cancellationToken)
    {
        var isDone = true;
        foreach (var result in results)
            isDone &= await collector.CollectAsync(builder.Name, _base, puller, result, cancellationToken);
        _collectedAt = time.GetUtcNow();
        return isDone;
    }

    private void Note(string? problem)
    {
        var before = _seen;
        // Not changed since it was last read is read, too.
        _seen = before with { Error = problem, LastSeen = problem is null ? time.GetUtcNow() : before.LastSeen };
        if (problem is not null && problem != before.Error) LogTrouble(builder.Name, problem);
        if (problem is null && (before.Error is not null || before.LastSeen is null)) LogSeen(builder.Name);
        sightings.Saw(_seen);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "builder {Builder} is there")]
    private partial void LogSeen(string builder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "builder {Builder}: {Reason}")]
    private partial void LogTrouble(string builder, string reason);
}
