using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Quarters.Core;
using Quarters.Core.Builder;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Node;

namespace Quarters.Builder;

/// <summary>
/// The one place where the builder's state changes: an event is journaled, applied, and shown to everybody, in this
/// order, before whoever recorded it goes on. May be used from any thread.
/// </summary>
internal sealed partial class Ledger
{
    internal const string StatePath = "/v1/state.json";

    private readonly Lock _gate = new();
    private readonly BuilderOptions _options;
    private readonly NodeKey _key;
    private readonly Journal<BuilderEvent> _journal;
    private readonly PublicTree _tree;
    private readonly ILogger _logger;
    private readonly Dictionary<string, string> _stages = new(StringComparer.Ordinal);
    private readonly SortedDictionary<Trouble, string> _troubles = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BuilderState _state = BuilderState.Empty;
    private DateTimeOffset _alive;
    private bool _draining;
    private long _changes;
    private long _revision;

    internal Ledger(BuilderOptions options, NodeKey key, Journal<BuilderEvent> journal, PublicTree tree)
    {
        (_options, _key, _journal, _tree) = (options, key, journal, tree);
        _logger = options.LoggerFactory.CreateLogger<Ledger>();
        _alive = options.Time.GetUtcNow();
    }

    /// <summary>The state as of the last event.</summary>
    internal BuilderState State
    {
        get
        {
            lock (_gate)
                return _state;
        }
    }

    /// <summary>What the builder's decisions depend on.</summary>
    internal BuilderTerms Terms
    {
        get
        {
            lock (_gate)
                return new BuilderTerms(_key.ToString(), _options.Architectures, _options.Slots, _draining);
        }
    }

    /// <summary>Done when the state has changed after this was read.</summary>
    internal Task Changed
    {
        get
        {
            lock (_gate)
                return _changed.Task;
        }
    }

    /// <summary>The revision of the document that is shown.</summary>
    internal long Revision
    {
        get
        {
            lock (_gate)
                return _revision;
        }
    }

    /// <summary>What copies the documents to where others read them; null when they are read here.</summary>
    internal FolderPublisher? Publisher { get; set; }

    /// <summary>Done when everything that was recorded before this call can be read by others: at once where they read
    /// here, and otherwise when it was copied to the web space. Until then a claim is not posted.</summary>
    internal Task UntilPublicAsync(CancellationToken cancellationToken) =>
        Publisher?.UntilPublicAsync(Revision, cancellationToken) ?? Task.CompletedTask;

    /// <summary>Done when the files of a result can be read by others, before the result is recorded: at once where
    /// they read here.</summary>
    internal Task UntilFilesArePublicAsync(CancellationToken cancellationToken) => Publisher?.CopyFilesAsync(
        problem => SetTrouble(Trouble.Copying, problem), cancellationToken) ?? Task.CompletedTask;

    /// <summary>Reads the journal. What a run that crashed had claimed is given up; results stand.</summary>
    /// <exception cref="JournalDamagedException">The journal cannot be believed.</exception>
    internal void Recover()
    {
        lock (_gate)
        {
            _state = _journal.Recover(
                QuartersJson.Default.BuilderState,
                stored => stored ?? BuilderState.Empty,
                (before, entry) => BuilderMachine.Apply(before, entry.Event, entry.Time));
            Record([new Started(_options.Version), .. BuilderMachine.AfterRestart(_state)]);
        }
    }

    /// <summary>Makes events true.</summary>
    /// <exception cref="IOException">They could not be written down; nothing may be built on them.</exception>
    internal void Record(params IReadOnlyList<BuilderEvent> events)
    {
        lock (_gate)
        {
            foreach (var entry in _journal.Append(events))
            {
                _state = BuilderMachine.Apply(_state, entry.Event, entry.Time);
                LogEvent(entry.Event);
            }

            _changes = 0;
            var running = _state.Claims.Select(claim => JobId.AttemptName(claim.Job.Id, claim.Job.Attempt)).ToHashSet();
            foreach (var ended in _stages.Keys.Where(key => !running.Contains(key)).ToList())
                _stages.Remove(ended);
            if (_journal.SnapshotDue)
                _journal.WriteSnapshot(_state, QuartersJson.Default.BuilderState);
            Publish();
        }
    }

    /// <summary>Shows what a running attempt does now.</summary>
    internal void EnterStage(string job, int attempt, string stage) =>
        Change(() => _stages[JobId.AttemptName(job, attempt)] = stage);

    /// <summary>Shows that the builder lives.</summary>
    internal void ShowAlive() => Change(() => { });

    /// <summary>Takes nothing new from now on.</summary>
    internal void BeginDraining() => Change(() => _draining = true);

    /// <summary>Shows what keeps the builder from working; null when it no longer does. Logged when it
    /// changes.</summary>
    internal void SetTrouble(Trouble trouble, string? sentence)
    {
        lock (_gate)
        {
            if (_troubles.GetValueOrDefault(trouble) == sentence)
                return;
            Change(() =>
            {
                if (sentence is null)
                    _troubles.Remove(trouble);
                else
                    _troubles[trouble] = sentence;
            });
        }

        if (sentence is null)
            LogMended(trouble);
        else
            LogTrouble(sentence);
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            _changes++;
            Publish();
        }
    }

    private void Publish()
    {
        _alive = _options.Time.GetUtcNow();
        _revision = (_state.Revision * BuilderMachine.ChangesPerEvent)
            + Math.Min(_changes, BuilderMachine.ChangesPerEvent - 1);
        var document = new BuilderStateDocument
        {
            Revision = _revision,
            Name = _options.Name,
            Architectures = _options.Architectures,
            Slots = _options.Slots,
            Weight = _options.Weight,
            MemoryBytes = _options.MemoryBytes,
            Draining = _draining,
            Alive = _alive,
            Trouble = _troubles.Count == 0 ? null : string.Join(' ', _troubles.Values),
            Claims = [.. _state.Claims.Select(ClaimOf)],
            Results = _state.Results,
            GivenUp = _state.GivenUp,
        };
        _tree.Publish(
            StatePath,
            JsonSerializer.SerializeToUtf8Bytes(document, QuartersJson.Default.BuilderStateDocument),
            "application/json");
        BuilderMeter.Show(_state.Claims.Length, _state.Results.Length);
        var before = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        before.SetResult();
    }

    private Claim ClaimOf(ClaimedJob claim) => new()
    {
        Job = claim.Job.Id,
        Attempt = claim.Job.Attempt,
        Phase = claim.Phase,
        Since = claim.Since,
        Snapshot = claim.Job.Snapshot,
        Stage = _stages.GetValueOrDefault(JobId.AttemptName(claim.Job.Id, claim.Job.Attempt)),
    };

    private void LogEvent(BuilderEvent happened)
    {
        switch (happened)
        {
            case Reserved { Job: var job }:
                LogReserved(job.Id, job.Attempt);
                break;
            case Claimed { Job: var job }:
                LogClaimed(job.Id, job.Attempt);
                break;
            case ClaimDropped dropped:
                LogDropped(dropped.Job, dropped.Attempt, dropped.Reason);
                break;
            case BuildEnded { Result: { Failure: { } failure } result }:
                LogFailed(result.Job, result.Attempt, failure.Kind, failure.Stage, failure.Message);
                break;
            case BuildEnded { Result: var result }:
                LogBuilt(result.Job, result.Attempt, (result.Finished - result.Started).TotalSeconds);
                break;
            case ResultSettled settled:
                LogSettled(settled.Job, settled.Attempt, settled.How);
                break;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Job}: attempt {Attempt} is reserved")]
    private partial void LogReserved(string job, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Job}: attempt {Attempt} is claimed")]
    private partial void LogClaimed(string job, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Job}: attempt {Attempt} is given up: {Reason}")]
    private partial void LogDropped(string job, int attempt, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Job}: attempt {Attempt} failed ({Kind}) at {Stage}: {Why}")]
    private partial void LogFailed(string job, int attempt, FailureKind kind, string stage, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Job}: attempt {Attempt} is built after {Seconds:0.0} s")]
    private partial void LogBuilt(string job, int attempt, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Job}: attempt {Attempt} is settled: {How}")]
    private partial void LogSettled(string job, int attempt, string how);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Sentence}")]
    private partial void LogTrouble(string sentence);

    [LoggerMessage(Level = LogLevel.Information, Message = "What was wrong with {Trouble} is over")]
    private partial void LogMended(Trouble trouble);
}

/// <summary>What can keep a builder from working.</summary>
internal enum Trouble
{
    /// <summary>The master cannot be read.</summary>
    Master,

    /// <summary>The master offers jobs that make no sense.</summary>
    Queue,

    /// <summary>Builds fail here for reasons of this machine.</summary>
    Machine,

    /// <summary>The disk is nearly full.</summary>
    Disk,

    /// <summary>The master takes no results.</summary>
    Results,

    /// <summary>What the builder says does not reach the place where others read it.</summary>
    Publishing,

    /// <summary>The files of a result do not reach it.</summary>
    Copying,

    /// <summary>The master does not list this builder.</summary>
    Unlisted,
}
