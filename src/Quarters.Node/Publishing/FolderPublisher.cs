using Quarters.Linux.Processes;

namespace Quarters.Node;

/// <summary>
/// Publishes a node's public tree for readers that cannot reach the node: writes it into a folder and runs its owner's
/// command, which copies it to a web space. One copy at a time; what changes meanwhile goes with the next.
/// </summary>
public sealed class FolderPublisher
{
    /// <summary>A command that writes more is killed: it is told to copy, not to talk.</summary>
    private const int MaxOutputBytes = 1 << 20;

    private const int KeptOutputBytes = 16 * 1024;
    private const int ShownCharacters = 500;

    private readonly PublishSettings settings;
    private readonly PublicTree tree;
    private readonly TimeProvider time;
    private readonly Func<double> random;
    private readonly PublicFolder folder;
    private readonly Lock gate = new();
    private readonly PriorityQueue<TaskCompletionSource, long> awaited = new();
    private long published = -1;

    /// <summary>A publisher; <see cref="RunAsync"/> makes it work.</summary>
    /// <param name="settings">Where and how.</param>
    /// <param name="tree">What.</param>
    /// <param name="key">Whose signatures it shows.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">From 0 to 1, for the jitter of pauses.</param>
    public FolderPublisher(
        PublishSettings settings, PublicTree tree, NodeKey key, TimeProvider time, Func<double> random)
    {
        (this.settings, this.tree, this.time, this.random) = (settings, tree, time, random);
        folder = new PublicFolder(Path.GetFullPath(settings.Folder), tree, key, time);
    }

    /// <summary>Publishes whatever changes, until cancelled.</summary>
    /// <param name="revision">The revision of what the tree shows; it only grows.</param>
    /// <param name="note">Told after each try what is wrong, in a sentence; null when nothing is.</param>
    /// <param name="cancellationToken">Ends it; a command that runs is killed.</param>
    public async Task RunAsync(Func<long> revision, Action<string?> note, CancellationToken cancellationToken)
    {
        var failures = 0;
        var isDue = true;
        while (true)
        {
            // Taken before the look, so that what changes meanwhile is not missed.
            var changed = tree.Changed;
            var covered = revision();
            var began = time.GetTimestamp();
            var problem = await TryAsync(isDue, cancellationToken);
            isDue = problem is not null;
            failures = isDue ? failures + 1 : 0;
            if (problem is null)
                Reach(covered);
            note(problem);
            if (isDue)
            {
                var pause = Backoff.After(failures, settings.FirstPause, settings.LongestPause, random());
                await Task.Delay(pause, time, cancellationToken);
                continue;
            }

            await changed.WaitAsync(cancellationToken);
            if (settings.Interval - time.GetElapsedTime(began) is { Ticks: > 0 } rest)
                await Task.Delay(rest, time, cancellationToken);
        }
    }

    /// <summary>Done when everything up to a revision can be read by everybody: the command that copied it ended with
    /// 0.</summary>
    public Task UntilPublicAsync(long revision, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (revision <= published)
                return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            awaited.Enqueue(reached, revision);
            return reached.Task.WaitAsync(cancellationToken);
        }
    }

    private void Reach(long revision)
    {
        lock (gate)
        {
            published = revision;
            while (awaited.TryPeek(out var reached, out var wanted) && wanted <= revision)
            {
                awaited.Dequeue();
                reached.SetResult();
            }
        }
    }

    /// <summary>Writes and copies; returns what is wrong, or null.</summary>
    /// <param name="isDue">Whether to copy even if nothing changed, since the last copy failed or is not known.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async Task<string?> TryAsync(bool isDue, CancellationToken cancellationToken)
    {
        try
        {
            var hasChanged = folder.Write();
            return hasChanged || isDue ? await CopyAsync(cancellationToken) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"What this node says cannot be published in {settings.Folder}: {e.Message.TrimEnd('.')}. "
                + "It is tried again.";
        }
    }

    private async Task<string?> CopyAsync(CancellationToken cancellationToken)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = settings.Command[0],
                Arguments = [.. settings.Command.Skip(1), Path.GetFullPath(settings.Folder)],
                Timeout = settings.CommandWithin,
                MaxOutputBytes = MaxOutputBytes,
                KeepOutputBytes = KeptOutputBytes,
                MergeStandardError = true,
                ParentDeathSignal = true,
            },
            cancellationToken);
        if (result.Succeeded)
            return null;
        var said = result.StandardOutput.Trim();
        if (said.Length > ShownCharacters)
            said = "… " + said[^ShownCharacters..];
        return $"What this node says is not published: {string.Join(' ', settings.Command)} {result.Ending}"
            + (said.Length == 0 ? "" : $" ({said.ReplaceLineEndings("; ")})") + ". It is tried again.";
    }
}
