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

    private readonly Lock gate = new();
    private readonly BuilderOptions options;
    private readonly NodeKey key;
    private readonly Journal<BuilderEvent> journal;
    private readonly PublicTree tree;
    private readonly ILogger logger;
    private readonly Dictionary<string, string> stages = new(StringComparer.Ordinal);
    private readonly SortedDictionary<Trouble, string> troubles = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BuilderState state = BuilderState.Empty;
    private DateTimeOffset alive;
    private bool draining;
    private long changes;
    private long revision;

    internal Ledger(BuilderOptions options, NodeKey key, Journal<BuilderEvent> journal, PublicTree tree)
    {
        (this.options, this.key, this.journal, this.tree) = (options, key, journal, tree);
        logger = options.LoggerFactory.CreateLogger<Ledger>();
        alive = options.Time.GetUtcNow();
    }

    /// <summary>The state as of the last event.</summary>
    internal BuilderState State
    {
        get
        {
            lock (gate)
                return state;
        }
    }

    /// <summary>What the builder's decisions depend on.</summary>
    internal BuilderTerms Terms
    {
        get
        {
            lock (gate)
                return new BuilderTerms(key.ToString(), options.Architectures, options.Slots, draining);
        }
    }

    /// <summary>Done when the state has changed after this was read.</summary>
    internal Task Changed
    {
        get
        {
            lock (gate)
                return changed.Task;
        }
    }

    /// <summary>The revision of the document that is shown.</summary>
    internal long Revision
    {
        get
        {
            lock (gate)
                return revision;
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
        lock (gate)
        {
            state = journal.Recover(
                QuartersJson.Default.BuilderState,
                stored => stored ?? BuilderState.Empty,
                (before, entry) => BuilderMachine.Apply(before, entry.Event, entry.Time));
            Record([new Started(options.Version), .. BuilderMachine.AfterRestart(state)]);
        }
    }

    /// <summary>Makes events true.</summary>
    /// <exception cref="IOException">They could not be written down; nothing may be built on them.</exception>
    internal void Record(params IReadOnlyList<BuilderEvent> events)
    {
        lock (gate)
        {
            foreach (var entry in journal.Append(events))
            {
                state = BuilderMachine.Apply(state, entry.Event, entry.Time);
                LogEvent(entry.Event);
            }

            changes = 0;
            var running = state.Claims.Select(claim => JobId.AttemptName(claim.Job.Id, claim.Job.Attempt)).ToHashSet();
            foreach (var ended in stages.Keys.Where(key => !running.Contains(key)).ToList())
                stages.Remove(ended);
            if (journal.SnapshotDue)
                journal.WriteSnapshot(state, QuartersJson.Default.BuilderState);
            Publish();
        }
    }

    /// <summary>Shows what a running attempt does now.</summary>
    internal void EnterStage(string job, int attempt, string stage) =>
        Change(() => stages[JobId.AttemptName(job, attempt)] = stage);

    /// <summary>Shows that the builder lives.</summary>
    internal void ShowAlive() => Change(() => { });

    /// <summary>Takes nothing new from now on.</summary>
    internal void BeginDraining() => Change(() => draining = true);

    /// <summary>Shows what keeps the builder from working; null when it no longer does. Logged when it
    /// changes.</summary>
    internal void SetTrouble(Trouble trouble, string? sentence)
    {
        lock (gate)
        {
            if (troubles.GetValueOrDefault(trouble) == sentence)
                return;
            Change(() =>
            {
                if (sentence is null)
                    troubles.Remove(trouble);
                else
                    troubles[trouble] = sentence;
            });
        }

        if (sentence is null)
            LogMended(trouble);
        else
            LogTrouble(sentence);
    }

    private void Change(Action change)
    {
        lock (gate)
        {
            change();
            changes++;
            Publish();
        }
    }

    private void Publish()
    {
        alive = options.Time.GetUtcNow();
        revision = (state.Revision * BuilderMachine.ChangesPerEvent)
            + Math.Min(changes, BuilderMachine.ChangesPerEvent - 1);
        var document = new BuilderStateDocument
        {
            Revision = revision,
            Name = options.Name,
            Architectures = options.Architectures,
            Slots = options.Slots,
            Weight = options.Weight,
            MemoryBytes = options.MemoryBytes,
            Draining = draining,
            Alive = alive,
            Trouble = troubles.Count == 0 ? null : string.Join(' ', troubles.Values),
            Claims = [.. state.Claims.Select(ClaimOf)],
            Results = state.Results,
            GivenUp = state.GivenUp,
        };
        tree.Publish(
            StatePath,
            JsonSerializer.SerializeToUtf8Bytes(document, QuartersJson.Default.BuilderStateDocument),
            "application/json");
        BuilderMeter.Show(state.Claims.Length, state.Results.Length);
        var before = changed;
        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        before.SetResult();
    }

    private Claim ClaimOf(ClaimedJob claim) => new()
    {
        Job = claim.Job.Id,
        Attempt = claim.Job.Attempt,
        Phase = claim.Phase,
        Since = claim.Since,
        Snapshot = claim.Job.Snapshot,
        Stage = stages.GetValueOrDefault(JobId.AttemptName(claim.Job.Id, claim.Job.Attempt)),
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
