using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Quarters.Builder.Fetching;
using Quarters.Core;
using Quarters.Core.Builder;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Node;

namespace Quarters.Builder.Building;

/// <summary>Follows the master's queue, takes what there are free slots for, and sees each attempt to its
/// end.</summary>
internal sealed partial class BuildLoop(
    BuilderOptions options, BuilderFolders folders, Ledger ledger, MasterLink master, AttemptRun run)
{
    /// <summary>While so many results wait for the master nothing new is built: it may never take them.</summary>
    internal const int MaxUnsettled = 64;

    private const string QueuePath = "v1/queue.json";
    private const int MaxQueueBytes = 64 << 20;

    /// <summary>So many attempts that ended here are remembered, against a queue that is older than their
    /// end.</summary>
    private const int EndedKept = 10_000;

    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(60);

    private readonly ILogger logger = options.LoggerFactory.CreateLogger<BuildLoop>();
    private readonly Settlement settlement = new(master, options.LoggerFactory.CreateLogger<Settlement>());
    private readonly Respite respite = new(options.Time);
    private readonly ConcurrentDictionary<Task, byte> tasks = new();
    private readonly HashSet<string> ended = new(StringComparer.Ordinal);
    private readonly Queue<string> endedInOrder = new();
    private readonly Lock gate = new();
    private QueueDocument? queue;
    private TaskCompletionSource queueChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Works until cancelled. Everything that runs has ended when it returns.</summary>
    /// <exception cref="Exception">Our own breakage: a state that cannot be written down, or a bug. It ends the
    /// builder.
    /// </exception>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var broken = new TaskCompletionSource();
        Spawn(FollowQueueAsync);
        Spawn(ShowAliveAsync);
        foreach (var result in ledger.State.Results)
        {
            Spawn(token => SettleAsync(
                result.Job, result.Attempt, settlement.WaitAsync(result.Job, result.Attempt, token)));
        }

        Spawn(ClaimAsync);
        await Task.WhenAny(broken.Task, Task.Delay(Timeout.InfiniteTimeSpan, options.Time, stop.Token));
        await stop.CancelAsync();
        await Task.WhenAll(tasks.Keys);
        if (broken.Task.IsCompleted)
            await broken.Task;
        return;

        async Task ClaimAsync(CancellationToken token)
        {
            while (true)
            {
                // Taken before the look, so that what changes meanwhile wakes us.
                var (changed, news) = (ledger.Changed, QueueChanged);
                foreach (var job in Claim())
                    Spawn(attempt => AttendAsync(job, attempt));
                await WaitAsync(changed, news, token);
            }
        }

        void Spawn(Func<CancellationToken, Task> work)
        {
            var task = Task.Run(() => GuardAsync(work, broken, stop.Token), CancellationToken.None);
            tasks[task] = 0;
            _ = task.ContinueWith(
                done => tasks.TryRemove(done, out _), CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>The top of everything that runs at once: what goes wrong below here ends the builder, seen by its
    /// owner.
    /// </summary>
    private static async Task GuardAsync(
        Func<CancellationToken, Task> work, TaskCompletionSource broken, CancellationToken cancellationToken)
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
            broken.TrySetException(exception);
        }
    }

    private Task QueueChanged
    {
        get
        {
            lock (gate)
                return queueChanged.Task;
        }
    }

    /// <summary>Claims the best jobs for the free slots: the claims are journaled and shown when it returns.</summary>
    private ImmutableArray<QueueJob> Claim()
    {
        QueueDocument? offered;
        lock (gate)
        {
            offered = queue is null ? null : queue with
            {
                Jobs = [.. queue.Jobs.Where(job => !ended.Contains(JobId.AttemptName(job.Id, job.Attempt)))],
            };
        }

        var now = options.Time.GetUtcNow();
        if (offered is null || now < respite.Until)
            return [];
        var state = ledger.State;
        var chosen = BuilderMachine.Choose(state, ledger.Terms, offered);
        if (chosen.IsEmpty || !HasRoom(state))
            return [];
        ledger.Record([.. chosen.Select(job => new Claimed(job))]);
        return chosen;
    }

    /// <summary>Looks, before anything is taken, whether a result could be kept.</summary>
    private bool HasRoom(BuilderState state)
    {
        var tooMany = state.Results.Length >= MaxUnsettled;
        ledger.SetTrouble(Trouble.Results, tooMany
            ? $"{state.Results.Length} results wait for the master to take them, so nothing new is built. "
                + "Is this builder, with its key and address, in the master's list of builders?"
            : null);
        var full = new[] { folders.Root, options.ChrootDirectory ?? folders.Root }.Distinct(StringComparer.Ordinal)
            .FirstOrDefault(folder => new DriveInfo(folder).AvailableFreeSpace < options.FreeBytesReserve);
        ledger.SetTrouble(Trouble.Disk, full is null
            ? null
            : $"The disk of {full} has less than {options.FreeBytesReserve >> 20} MiB left, so nothing new is built; "
                + "make room there.");
        return !tooMany && full is null;
    }

    /// <summary>Waits for news, or for the time at which something may be taken again.</summary>
    private async Task WaitAsync(Task changed, Task news, CancellationToken cancellationToken)
    {
        var now = options.Time.GetUtcNow();
        // Looked at again at least so often: room on a disk appears without an event.
        var next = now + SignOfLife;
        if (respite.Until is var at && at > now && at < next)
            next = at;

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(changed, news, Task.Delay(next - now, options.Time, either.Token));
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task AttendAsync(QueueJob job, CancellationToken cancellationToken)
    {
        using var dropped = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var settled = settlement.WaitAsync(job.Id, job.Attempt, cancellationToken);
        ledger.Record(new BuildBegun(job.Id, job.Attempt));
        var built = run.RunAsync(job, dropped.Token);
        if (await Task.WhenAny(built, settled) == settled && !built.IsCompleted)
        {
            // Superseded, or no longer known: nobody wants what would come of it.
            await dropped.CancelAsync();
            try
            {
                await built;
            }
            catch (OperationCanceledException)
            {
                // It ended as it was told to.
            }

            var why = await settled;
            Remember(job.Id, job.Attempt);
            ledger.Record(new ClaimDropped(job.Id, job.Attempt, why));
            RemoveResult(job.Id, job.Attempt);
            return;
        }

        var result = await built;
        ledger.SetTrouble(Trouble.Machine, respite.Note(result));
        ledger.Record(new BuildEnded(result));
        await SettleAsync(job.Id, job.Attempt, settled);
    }

    private async Task SettleAsync(string job, int attempt, Task<string> settled)
    {
        var how = await settled;
        Remember(job, attempt);
        ledger.Record(new ResultSettled(job, attempt, how));
        RemoveResult(job, attempt);
    }

    private void RemoveResult(string job, int attempt)
    {
        if (Directory.Exists(folders.Result(job, attempt)))
            Directory.Delete(folders.Result(job, attempt), recursive: true);
        Leftovers.RemoveOldLogs(folders, ledger.State);
    }

    private void Remember(string job, int attempt)
    {
        var name = JobId.AttemptName(job, attempt);
        lock (gate)
        {
            if (!ended.Add(name))
                return;
            endedInOrder.Enqueue(name);
            if (endedInOrder.Count > EndedKept)
                ended.Remove(endedInOrder.Dequeue());
        }
    }

    private async Task FollowQueueAsync(CancellationToken cancellationToken)
    {
        await foreach (var result in master.FollowAsync(QueuePath, MaxQueueBytes, cancellationToken))
        {
            ledger.SetTrouble(Trouble.Master, result is PullResult.Failed failed ? Explain(failed.Failure) : null);
            if (result is PullResult.Document document)
                Take(document.Bytes);
        }
    }

    private void Take(byte[] bytes)
    {
        try
        {
            var document = MasterLink.Parse(
                bytes, QuartersJson.Default.QueueDocument, read => read.Schema, Schemas.Queue, QueuePath);
            var faults = document.Jobs
                .Select(job => job is null ? "that is null" : QueueJobCheck.FindFault(job)).ToList();
            ledger.SetTrouble(Trouble.Queue, faults.Find(fault => fault is not null) is { } first
                ? $"The master's queue holds {faults.Count(fault => fault is not null)} jobs that are not taken, "
                    + $"the first one a job {first}."
                : null);
            lock (gate)
            {
                // A front that caches may answer with an older one; a new master begins anew, and then tags differ too.
                queue = document with { Jobs = [.. document.Jobs.Where((_, index) => faults[index] is null)] };
                var before = queueChanged;
                queueChanged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                before.SetResult();
            }
        }
        catch (FetchException unreadable)
        {
            ledger.SetTrouble(Trouble.Queue, unreadable.Message);
        }
    }

    private string Explain(PullFailure failure) => failure.Kind switch
    {
        PullFailureKind.WrongKey => $"{failure.Sentence}. If the master was made anew, ask its owner for its key and "
            + "put it into this builder's configuration; otherwise somebody else answers at that address.",
        PullFailureKind.Unreachable or PullFailureKind.Timeout =>
            $"{failure.Sentence}. Does the master run, and can this machine reach {options.MasterUrl}? "
            + "It is tried again.",
        _ => $"{failure.Sentence}.",
    };

    private async Task ShowAliveAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(SignOfLife, options.Time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
            ledger.ShowAlive();
    }
}
