using System.Collections.Concurrent;
using System.Collections.Immutable;
using Quarters.Builder.Fetching;
using Quarters.Core.Builder;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Builder.Building;

/// <summary>
/// Does what the claims want next (<see cref="Claiming"/>): writes it down, reads whom it names, builds what it may,
/// and shows results until the master needs them no more.
/// </summary>
internal sealed class BuildLoop
{
    /// <summary>While so many results wait for the master nothing new is built: it may never take them.</summary>
    internal const int MaxUnsettled = 64;

    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(60);

    private readonly BuilderOptions _options;
    private readonly BuilderFolders _folders;
    private readonly Ledger _ledger;
    private readonly AttemptRun _run;
    private readonly FarmView _farm;
    private readonly FarmReading _reading;
    private readonly Respite _respite;
    private readonly ConcurrentDictionary<Task, byte> _tasks = new();
    private readonly Dictionary<string, Attempting> _attempts = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _broken = new();

    internal BuildLoop(
        BuilderOptions options, BuilderFolders folders, Ledger ledger, MasterLink master, Neighbours neighbours,
        AttemptRun run)
    {
        (_options, _folders, _ledger, _run) = (options, folders, ledger, run);
        _farm = new FarmView(options.Time);
        _reading = new FarmReading(options, ledger, master, neighbours, _farm, Spawn);
        _respite = new Respite(options.Time);
    }

    private CancellationToken Stopping { get; set; }

    /// <summary>Works until cancelled. Everything that runs has ended when it returns.</summary>
    /// <exception cref="Exception">Our own breakage: a state that cannot be written down, or a bug. It ends the
    /// builder.</exception>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Stopping = stop.Token;
        _reading.Begin();
        Spawn(ShowAliveAsync);
        Spawn(ClaimAsync);
        await Task.WhenAny(_broken.Task, Task.Delay(Timeout.InfiniteTimeSpan, _options.Time, stop.Token));
        await stop.CancelAsync();
        while (!_tasks.IsEmpty)
            await Task.WhenAll(_tasks.Keys);
        foreach (var attempt in _attempts.Values)
            attempt.Dispose();
        if (_broken.Task.IsCompleted)
            await _broken.Task;
        if (BuilderMachine.BeforeStop(_ledger.State) is { IsEmpty: false } dropped)
            _ledger.Record(dropped);
    }

    private void Spawn(Func<CancellationToken, Task> work)
    {
        var token = Stopping;
        var task = Task.Run(() => GuardAsync(work, token), CancellationToken.None);
        _tasks[task] = 0;
        _ = task.ContinueWith(
            done => _tasks.TryRemove(done, out _), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>The top of everything that runs at once: what goes wrong below here ends the builder, seen by its
    /// owner.</summary>
    private async Task GuardAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await work(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The builder stops.
        }
        catch (Exception exception)
        {
            _broken.TrySetException(exception);
        }
    }

    private async Task ClaimAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Taken before the look, so that what changes meanwhile wakes us.
            var (changed, learned) = (_ledger.Changed, _farm.Changed);
            var state = _ledger.State;
            _reading.FollowJobs(state);
            var step = _farm.Decide(state, TermsNow(state), _options.Pace);
            if (!step.Record.IsEmpty)
            {
                await RecordAsync(step.Record, cancellationToken);
                continue;
            }

            foreach (var (key, after) in step.ReadPeers)
                _reading.ReadPeer(key, after);
            if (step.ReadDigest)
                _reading.ReadDigest();
            await WaitAsync(changed, learned, step.WakeAt, cancellationToken);
        }
    }

    private async Task RecordAsync(ImmutableArray<BuilderEvent> events, CancellationToken cancellationToken)
    {
        _ledger.Record(events);
        foreach (var happened in events)
            Note(happened);
        // A claim is posted when others can read it.
        var posted = events.Select(PostedBy).OfType<QueueJob>()
            .Select(job => JobId.AttemptName(job.Id, job.Attempt)).ToList();
        if (posted.Count == 0)
            return;
        await _ledger.UntilPublicAsync(cancellationToken);
        _farm.Learn(known => known with
        {
            Posted = known.Posted.SetItems(posted.Select(name => KeyValuePair.Create(name, _farm.Now))),
        });
    }

    private static QueueJob? PostedBy(BuilderEvent happened) => happened switch
    {
        Reserved reserved => reserved.Job,
        Claimed claimed => claimed.Job,
        _ => null,
    };

    private void Note(BuilderEvent happened)
    {
        switch (happened)
        {
            case Reserved { Job: var job }:
                Attempting(job).Prepare(_run, Spawn);
                break;
            case BuildBegun begun:
                var claim = _ledger.State.Claims.FirstOrDefault(
                    c => c.Job.Id == begun.Job && c.Job.Attempt == begun.Attempt);
                if (claim is not null)
                    Build(claim.Job);
                break;
            case ClaimDropped dropped:
                Give(dropped.Job, dropped.Attempt);
                break;
            case ResultSettled settled:
                Give(settled.Job, settled.Attempt);
                break;
        }
    }

    private Attempting Attempting(QueueJob job)
    {
        var name = JobId.AttemptName(job.Id, job.Attempt);
        lock (_attempts)
        {
            if (!_attempts.TryGetValue(name, out var attempt))
                _attempts[name] = attempt = new Attempting(job, Stopping);
            return attempt;
        }
    }

    private void Build(QueueJob job)
    {
        var name = JobId.AttemptName(job.Id, job.Attempt);
        _farm.Learn(known => known with { Begun = known.Begun.SetItem(name, _farm.Now) });
        var attempt = Attempting(job);
        Spawn(async token =>
        {
            BuildResult result;
            try
            {
                result = await attempt.BuildAsync(_run);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                // Nobody wants what would come of it: it ended as it was told to.
                RemoveResult(job.Id, job.Attempt);
                attempt.Dispose();
                return;
            }

            _ledger.SetTrouble(Trouble.Machine, _respite.Note(result));
            _ledger.Record(new BuildEnded(result));
            Forget(name);
        });
    }

    /// <summary>Nothing of an attempt is needed any more.</summary>
    private void Give(string job, int attempt)
    {
        var name = JobId.AttemptName(job, attempt);
        lock (_attempts)
        {
            // Whoever builds it removes what comes of it.
            if (_attempts.Remove(name, out var running))
                running.Cancel();
        }

        Forget(name);
        RemoveResult(job, attempt);
    }

    private void Forget(string name)
    {
        lock (_attempts)
        {
            if (_attempts.Remove(name, out var done))
                done.Dispose();
        }

        _farm.Learn(known => known with { Posted = known.Posted.Remove(name), Begun = known.Begun.Remove(name) });
    }

    private void RemoveResult(string job, int attempt)
    {
        if (Directory.Exists(_folders.Result(job, attempt)))
            Directory.Delete(_folders.Result(job, attempt), recursive: true);
        Leftovers.RemoveOldLogs(_folders, _ledger.State);
    }

    /// <summary>What the builder may do now: without room for a result, or in the pause after failures of the machine,
    /// it takes nothing new.</summary>
    private BuilderTerms TermsNow(BuilderState state)
    {
        var terms = _ledger.Terms;
        return HasRoom(state) && _options.Time.GetUtcNow() >= _respite.Until ? terms : terms with { Draining = true };
    }

    private bool HasRoom(BuilderState state)
    {
        var tooMany = state.Results.Length >= MaxUnsettled;
        _ledger.SetTrouble(Trouble.Results, tooMany
            ? $"{state.Results.Length} results wait for the master to take them, so nothing new is built. "
                + "Is this builder, with its key and address, in the master's list of builders?"
            : null);
        var full = new[] { _folders.Root, _options.ChrootDirectory ?? _folders.Root }.Distinct(StringComparer.Ordinal)
            .FirstOrDefault(folder => new DriveInfo(folder).AvailableFreeSpace < _options.FreeBytesReserve);
        _ledger.SetTrouble(Trouble.Disk, full is null
            ? null
            : $"The disk of {full} has less than {_options.FreeBytesReserve >> 20} MiB left, so nothing new is built; "
                + "make room there.");
        return !tooMany && full is null;
    }

    /// <summary>Waits for news, or for the time at which something may be done that may not be done now.</summary>
    private async Task WaitAsync(Task changed, Task learned, TimeSpan? wakeAt, CancellationToken cancellationToken)
    {
        // Looked at again at least so often: room on a disk appears without an event.
        var wait = SignOfLife;
        if (wakeAt is { } at && at - _farm.Now < wait)
            wait = at - _farm.Now;
        var respited = _respite.Until - _options.Time.GetUtcNow();
        if (respited > TimeSpan.Zero && respited < wait)
            wait = respited;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(
            changed, learned, Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, _options.Time, either.Token));
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task ShowAliveAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(SignOfLife, _options.Time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
            _ledger.ShowAlive();
    }
}
