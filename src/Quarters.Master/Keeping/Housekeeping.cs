using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Linux.Files;

namespace Quarters.Master.Keeping;

/// <summary>
/// Makes again what the disk lost or damaged of the databases, forgets what the policy does not keep, and deletes the
/// files that nothing names any more: every hour, or when an operator says so.
/// </summary>
internal sealed partial class Housekeeping(
    MasterFolders folders, IDisk disk, Ledger ledger, TimeProvider time, ILogger<Housekeeping> logger)
{
    /// <summary>So many files are told of.</summary>
    private const int MaxLines = 1000;

    /// <summary>So many are deleted before others have their turn with the state.</summary>
    private const int Batch = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if ((await CollectAsync(cancellationToken)).Problem is { } problem) LogProblem(problem);
        }
    }

    /// <summary>Settles a signal, if it was not before.</summary>
    public async Task SettleAsync(CollectGarbage signal, string? from, CancellationToken cancellationToken)
    {
        if (ledger.State.Signals.ContainsKey(signal.Id)) return;
        var (files, problem) = signal.DryRun ? WouldGo(ledger.State) : await CollectAsync(cancellationToken);
        var settled = new SignalSettled(signal, problem) { Operator = from, Details = Tell(files) };
        await ledger.DecideAsync(
            state => state.Signals.ContainsKey(signal.Id) ? [] : [settled], cancellationToken);
    }

    /// <summary>What would be deleted now.</summary>
    private (List<UnneededFile> Files, string? Problem) WouldGo(MasterState state)
    {
        var now = time.GetUtcNow();
        foreach (var happens in Retention.Due(state, now)) state = MasterMachine.Apply(state, happens, now).State;
        try
        {
            return ([.. new Unneeded(folders, state, now).Find()], null);
        }
        catch (Exception e) when (e is AlpmFormatException or IOException or UnauthorizedAccessException)
        {
            return ([], e.Message);
        }
    }

    /// <summary>Deletes; what is wrong ends it, and what was deleted by then is told all the same.</summary>
    private async Task<(List<UnneededFile> Gone, string? Problem)> CollectAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await ledger.MendAsync(ledger.State.Repositories.Keys, cancellationToken);
        var state = await ledger.DecideAsync(known => Retention.Due(known, now), cancellationToken);
        var gone = new List<UnneededFile>();
        string? problem = null;
        try
        {
            foreach (var batch in new Unneeded(folders, state, now).Find().Chunk(Batch))
            {
                await ledger.DecideAsync(
                    latest =>
                    {
                        problem = Delete(latest, batch, gone);
                        return [];
                    },
                    cancellationToken);
                if (problem is not null) break;
            }
        }
        catch (Exception e) when (e is AlpmFormatException or IOException or UnauthorizedAccessException)
        {
            problem = e.Message;
        }

        var bytes = gone.Sum(file => file.Bytes);
        if (gone.Count > 0) LogDeleted(gone.Count, bytes);
        return (gone, problem);
    }

    /// <summary>Deletes in the ledger's own turn: nothing can come to be needed between the look and the deletion.
    /// Returns what is wrong; null when nothing is.</summary>
    private string? Delete(MasterState latest, IEnumerable<UnneededFile> files, List<UnneededFile> gone)
    {
        try
        {
            foreach (var file in new Unneeded(folders, latest, time.GetUtcNow()).StillIn(files))
            {
                Delete(file);
                gone.Add(file);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private void Delete(UnneededFile file)
    {
        switch (file.Kind)
        {
            case UnneededKind.Snapshot:
                // Whole or not there: half of one would be taken for it.
                var aside = file.Path;
                if (!aside.EndsWith(DurableFile.TemporarySuffix, StringComparison.Ordinal))
                    disk.Rename(file.Path, aside += DurableFile.TemporarySuffix);
                disk.DeleteDirectory(aside);
                break;
            case UnneededKind.Leftover:
                disk.DeleteDirectory(file.Path);
                break;
            default:
                disk.Delete(file.Path);
                break;
        }
    }

    private ImmutableArray<string> Tell(List<UnneededFile> files)
    {
        var lines = files.Take(MaxLines).Select(file =>
            $"{file.Kind.ToString().ToLowerInvariant()} {Path.GetRelativePath(folders.Root, file.Path)}"
            + (file.Bytes > 0 ? $" ({file.Bytes} bytes)" : ""));
        return
        [
            .. lines,
            .. files.Count > MaxLines ? [$"and {files.Count - MaxLines} more"] : Array.Empty<string>(),
            $"{files.Count} files, {files.Sum(file => file.Bytes)} bytes",
        ];
    }

    [LoggerMessage(
        Level = LogLevel.Information, Message = "{Files} files that nothing needs are deleted, {Bytes} bytes")]
    private partial void LogDeleted(int files, long bytes);

    [LoggerMessage(Level = LogLevel.Error, Message = "what nothing needs is not deleted: {Problem}")]
    private partial void LogProblem(string problem);
}
