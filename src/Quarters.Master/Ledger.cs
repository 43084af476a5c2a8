using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Quarters.Core;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Master.Repositories;
using Quarters.Node;

namespace Quarters.Master;

/// <summary>
/// The one place where the master's state changes. Events come in from the pollers, are journaled, applied, and made
/// visible, in this order and one batch after the other.
/// </summary>
internal sealed partial class Ledger
{
    /// <summary>How many batches may wait; who brings more waits with them.</summary>
    private const int MaxWaiting = 256;

    /// <summary>An event that touches more jobs than this does not have them logged one by one.</summary>
    private const int MaxLogged = 50;

    /// <summary>An event that touches more packages than this is an import.</summary>
    private const int Import = 1000;

    private readonly Channel<Batch> _inbox = Channel.CreateBounded<Batch>(MaxWaiting);
    private readonly Journal<MasterEvent> _journal;
    private readonly Publisher _publisher;
    private readonly ILogger _logger;
    private MasterState _state = MasterState.Empty;

    public Ledger(Journal<MasterEvent> journal, Publisher publisher, ILogger<Ledger> logger)
    {
        _journal = journal;
        _publisher = publisher;
        _logger = logger;
    }

    /// <summary>Called after each batch, when its repositories are published.</summary>
    public Action Changed { get; set; } = () => { };

    /// <summary>Called after each batch with the jobs that it changed.</summary>
    public Action<IReadOnlyCollection<string>> Touched { get; set; } = _ => { };

    /// <summary>The state as of the last batch.</summary>
    public MasterState State => Volatile.Read(ref _state);

    /// <summary>Reads the journal, and publishes what a crash left unpublished.</summary>
    /// <exception cref="JournalDamagedException">The journal cannot be believed.</exception>
    /// <param name="index">What a pinned repository offers; null when that is not known any more.</param>
    /// <param name="now">The time.</param>
    public void Recover(Func<PinnedRepository, PackageIndex?> index, DateTimeOffset now)
    {
        var state = _journal.Recover(
            QuartersJson.Default.MasterState, stored => Begin(stored, index, now),
            (before, entry) => Follow(before, entry, index));
        // Offers of outside repositories may have been read from a newer file than the events knew: judge all again.
        Volatile.Write(ref _state, MasterMachine.Restore(state, pinned => index(pinned) ?? PackageIndex.Empty, now));
        var unpublished = State.Repositories.Where(r => !_publisher.IsPublished(r.Value)).Select(r => r.Key).ToList();
        if (unpublished.Count > 0) Write([], unpublished);
        MendSnapshots(State);
        _publisher.WithdrawOthers(State);
        if (State.Packages.Count > Import) GiveMemoryBack();
        Changed();
    }

    /// <summary>The state of a master that somebody else may run: what its journal says by now.</summary>
    /// <param name="folders">The master's folders.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="JournalDamagedException">The journal cannot be believed.</exception>
    public static MasterState Look(MasterFolders folders, DateTimeOffset now) => JournalLook.Read(
        new JournalSettings { Directory = folders.Root }, QuartersJson.Default.MasterEvent,
        QuartersJson.Default.MasterState, stored => Begin(stored, _ => null, now),
        (before, entry) => Follow(before, entry, _ => null));

    /// <summary>Journals events and makes them true; returns the state in which they are.</summary>
    public Task<MasterState> RecordAsync(IReadOnlyList<MasterEvent> events, CancellationToken cancellationToken) =>
        events.Count == 0 ? Task.FromResult(State) : DecideAsync(_ => events, cancellationToken);

    /// <summary>Journals what is decided in view of the state as it is when nothing can come between any
    /// more.</summary>
    public async Task<MasterState> DecideAsync(
        Func<MasterState, IReadOnlyList<MasterEvent>> decide, CancellationToken cancellationToken)
    {
        var batch = new Batch(
            decide, new TaskCompletionSource<MasterState>(TaskCreationOptions.RunContinuationsAsynchronously));
        await _inbox.Writer.WriteAsync(batch, cancellationToken);
        return await batch.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Publishes once more what is lost or damaged of these repositories, and of the snapshots.</summary>
    public Task<MasterState> MendAsync(IEnumerable<string> keys, CancellationToken cancellationToken) =>
        DecideAsync(
            known =>
            {
                var again = new List<MasterEvent>();
                foreach (var key in keys)
                {
                    if (!known.Repositories.TryGetValue(key, out var repository)
                        || _publisher.IsPublished(repository)) continue;
                    LogMended($"the databases of {key}");
                    again.Add(_publisher.Publish(repository, sentence => LogLeftOut(key, sentence)));
                }

                MendSnapshots(known);
                return again;
            },
            cancellationToken);

    /// <summary>
    /// Works until cancelled. What goes wrong here is our own breakage: it ends the loop, and with it the master, since
    /// a state that cannot be written down must not be acted on.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var batch in _inbox.Reader.ReadAllAsync(cancellationToken))
        {
            try
            {
                if (batch.Decide(State) is { Count: > 0 } events) Write(events, []);
                batch.Done.SetResult(State);
            }
            catch (Exception problem)
            {
                batch.Done.SetException(problem);
                throw;
            }
        }
    }

    private void Write(IReadOnlyList<MasterEvent> events, IReadOnlyList<string> alsoPublish)
    {
        var publish = new SortedSet<string>(alsoPublish, StringComparer.Ordinal);
        var touched = new HashSet<string>(StringComparer.Ordinal);
        var state = ApplyAll(State, events, publish, touched);
        // Who gains before who loses: what moves is in one of the two at every instant.
        var losing = events.OfType<RepositoriesChanged>().SelectMany(changed => changed.Replacements)
            .Where(one => one.After is null).Select(one => one.Key()).ToHashSet(StringComparer.Ordinal);
        publish.IntersectWith(state.Repositories.Keys);
        var published = publish.OrderBy(losing.Contains)
            .Select(key => _publisher.Publish(
                state.Repositories[key], sentence => LogLeftOut(key, sentence))).ToList<MasterEvent>();
        state = ApplyAll(state, published, publish, touched);
        // What was fetched again may stand in for what was damaged.
        if (events.OfType<OutsidePinned>().Any()) MendSnapshots(state);
        else _publisher.KeepSnapshots(state);
        foreach (var (key, gone) in State.Repositories.Where(pair => !state.Repositories.ContainsKey(pair.Key)))
            _publisher.Withdraw(gone);
        Volatile.Write(ref _state, state);
        if (_journal.SnapshotDue) _journal.WriteSnapshot(state, QuartersJson.Default.MasterState);
        Touched(touched);
        Changed();
    }

    private void MendSnapshots(MasterState state)
    {
        foreach (var path in _publisher.MendSnapshots(state)) LogMended(path);
    }

    private MasterState ApplyAll(
        MasterState state, IReadOnlyList<MasterEvent> events, SortedSet<string> publish, HashSet<string> touched)
    {
        if (events.Count == 0) return state;
        foreach (var entry in _journal.Append(events))
        {
            var step = MasterMachine.Apply(state, entry.Event, entry.Time);
            state = step.State;
            publish.UnionWith(step.Publish);
            if (step.Packages.Count > Import) GiveMemoryBack();
            touched.UnionWith(step.Jobs);
            if (_logger.IsEnabled(LogLevel.Information)) Log(state, step);
        }

        return state;
    }

    private void Log(MasterState state, MasterStep step)
    {
        // The first import of a large source would be thousands of lines that say nothing.
        if (step.Jobs.Count > MaxLogged) return;
        foreach (var id in step.Jobs.Order(StringComparer.Ordinal))
        {
            var job = state.Jobs[id];
            var reason = Why.Of(state, job);
            LogJob(id, job.Status, reason);
        }
    }

    /// <summary>Reading all there is leaves more garbage than all that follows in hours, and the collector would keep
    /// the memory so long.</summary>
    private static void GiveMemoryBack() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, true, true);

    private static MasterState Begin(
        MasterState? stored, Func<PinnedRepository, PackageIndex?> index, DateTimeOffset now) =>
        stored is null ? MasterState.Empty : MasterMachine.Restore(stored, pinned => Past(pinned, index), now);

    private static MasterState Follow(
        MasterState before, JournalEntry<MasterEvent> entry, Func<PinnedRepository, PackageIndex?> index) =>
        MasterMachine.Apply(before, WithIndex(entry.Event, index), entry.Time).State;

    private static MasterEvent WithIndex(MasterEvent happened, Func<PinnedRepository, PackageIndex?> index) =>
        happened is OutsidePinned pinned
            ? pinned with
            {
                Index = Past(
                    new PinnedRepository
                    {
                        Name = pinned.Repository,
                        Architecture = pinned.Architecture,
                        Sha256 = pinned.Sha256,
                        Bytes = pinned.Bytes,
                    },
                    index),
            }
            : happened;

    /// <summary>What was offered when the events that follow happened. They did happen, so where that is deleted by now
    /// it had what they needed.</summary>
    private static PackageIndex Past(PinnedRepository pinned, Func<PinnedRepository, PackageIndex?> index) =>
        index(pinned) ?? PackageIndex.Anything;

    [LoggerMessage(Level = LogLevel.Information, Message = "{Job} is {Status}. {Reason}")]
    private partial void LogJob(string job, JobStatus status, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "lost or damaged, and made again: {What}")]
    private partial void LogMended(string what);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Repository}: a package is left out of the database: {Problem}")]
    private partial void LogLeftOut(string repository, string problem);

    private sealed record Batch(
        Func<MasterState, IReadOnlyList<MasterEvent>> Decide, TaskCompletionSource<MasterState> Done);
}
