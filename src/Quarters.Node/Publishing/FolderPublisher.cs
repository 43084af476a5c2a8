using Quarters.Linux.Processes;

namespace Quarters.Node;

/// <summary>
/// Publishes a node's public tree for readers that cannot reach the node: writes it into a folder and runs its owner's
/// command, which copies it to a web space. Documents are copied one copy at a time; what changes meanwhile goes with
/// the next. Files that may be large are copied beside that, before a document names them: whoever reads the documents
/// sees that the node lives, however long the files take.
/// </summary>
public sealed class FolderPublisher : IDisposable
{
    /// <summary>A command that writes more is killed: it is told to copy, not to talk.</summary>
    private const int MaxOutputBytes = 1 << 20;

    private const int KeptOutputBytes = 16 * 1024;
    private const int ShownCharacters = 500;

    // What the command is told to do.
    private const string Files = "files";
    private const string Documents = "documents";
    private const string Cleanup = "cleanup";

    private readonly PublishSettings _settings;
    private readonly PublicTree _tree;
    private readonly TimeProvider _time;
    private readonly Func<double> _random;
    private readonly PublicFolder _folder;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _files = new(1);
    private readonly PriorityQueue<TaskCompletionSource, long> _awaited = new();
    private long _published = -1;

    // A run before this one may have left files behind.
    private volatile bool _hasToCleanUp = true;

    /// <summary>A publisher; <see cref="RunAsync"/> makes it work.</summary>
    /// <param name="settings">Where and how.</param>
    /// <param name="tree">What.</param>
    /// <param name="key">Whose signatures it shows.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">From 0 to 1, for the jitter of pauses.</param>
    public FolderPublisher(
        PublishSettings settings, PublicTree tree, NodeKey key, TimeProvider time, Func<double> random)
    {
        (_settings, _tree, _time, _random) = (settings, tree, time, random);
        _folder = new PublicFolder(Path.GetFullPath(settings.Folder), tree, key, time);
    }

    /// <summary>Copies the files that the tree shows, and no document: for before a document names them. Tried until it
    /// succeeds; one copy of files at a time.</summary>
    /// <param name="note">Told after each try what is wrong, in a sentence; null when nothing is.</param>
    /// <param name="cancellationToken">Gives up; a command that runs is killed.</param>
    public async Task CopyFilesAsync(Action<string?> note, CancellationToken cancellationToken)
    {
        await _files.WaitAsync(cancellationToken);
        try
        {
            for (var failures = 1; ; failures++)
            {
                var problem = TryWrite(out _)
                    ?? await CopyAsync(Files, _settings.FilesWithin, cancellationToken);
                note(problem);
                if (problem is null)
                    return;
                await Task.Delay(PauseAfter(failures), _time, cancellationToken);
            }
        }
        finally
        {
            _files.Release();
        }
    }

    /// <summary>Publishes whatever changes, until cancelled.</summary>
    /// <param name="revision">The revision of what the tree shows; it only grows.</param>
    /// <param name="note">Told after each try what is wrong, in a sentence; null when nothing is.</param>
    /// <param name="cancellationToken">Ends it; a command that runs is killed.</param>
    public async Task RunAsync(Func<long> revision, Action<string?> note, CancellationToken cancellationToken)
    {
        // A run before this one may have ended in the middle of a copy.
        await CopyFilesAsync(note, cancellationToken);
        var failures = 0;
        var isDue = true;
        while (true)
        {
            // Taken before the look, so that what changes meanwhile is not missed.
            var changed = _tree.Changed;
            var covered = revision();
            var began = _time.GetTimestamp();
            var problem = await TryAsync(isDue, cancellationToken);
            isDue = problem is not null;
            failures = isDue ? failures + 1 : 0;
            if (problem is null)
                Reach(covered);
            note(problem);
            if (isDue)
            {
                await Task.Delay(PauseAfter(failures), _time, cancellationToken);
                continue;
            }

            await changed.WaitAsync(cancellationToken);
            if (_settings.Interval - _time.GetElapsedTime(began) is { Ticks: > 0 } rest)
                await Task.Delay(rest, _time, cancellationToken);
        }
    }

    /// <summary>Done when everything up to a revision can be read by everybody: the command that copied it ended with
    /// 0.</summary>
    public Task UntilPublicAsync(long revision, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (revision <= _published)
                return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Enqueue(reached, revision);
            return reached.Task.WaitAsync(cancellationToken);
        }
    }

    private void Reach(long revision)
    {
        lock (_gate)
        {
            _published = revision;
            while (_awaited.TryPeek(out var reached, out var wanted) && wanted <= revision)
            {
                _awaited.Dequeue();
                reached.SetResult();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _files.Dispose();

    private TimeSpan PauseAfter(int failures) =>
        Backoff.After(failures, _settings.FirstPause, _settings.LongestPause, _random());

    /// <summary>Writes and copies documents; returns what is wrong, or null.</summary>
    /// <param name="isDue">Whether to copy even if nothing changed, since the last copy failed or is not known.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async Task<string?> TryAsync(bool isDue, CancellationToken cancellationToken)
    {
        var problem = TryWrite(out var hasChanged);
        if (problem is null && (hasChanged || isDue))
            problem = await CopyAsync(Documents, _settings.DocumentsWithin, cancellationToken);
        return problem ?? await CleanUpAsync(cancellationToken);
    }

    /// <summary>Files that no document names any more go, unless files are being copied: then they go another
    /// time.</summary>
    private async Task<string?> CleanUpAsync(CancellationToken cancellationToken)
    {
        if (!_hasToCleanUp || !await _files.WaitAsync(TimeSpan.Zero, cancellationToken))
            return null;
        try
        {
            var problem = await CopyAsync(Cleanup, _settings.DocumentsWithin, cancellationToken);
            _hasToCleanUp = problem is not null;
            return problem;
        }
        finally
        {
            _files.Release();
        }
    }

    private string? TryWrite(out bool hasChanged)
    {
        try
        {
            lock (_gate)
            {
                var change = _folder.Write();
                _hasToCleanUp |= change.HasRemovedFiles;
                hasChanged = change.HasChanged;
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            hasChanged = false;
            return $"What this node says cannot be published in {_settings.Folder}: {e.Message.TrimEnd('.')}. "
                + "It is tried again.";
        }
    }

    private async Task<string?> CopyAsync(string part, TimeSpan within, CancellationToken cancellationToken)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = _settings.Command[0],
                Arguments = [.. _settings.Command.Skip(1), part, Path.GetFullPath(_settings.Folder)],
                Timeout = within,
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
        return $"What this node says is not published: {string.Join(' ', _settings.Command)} {part} {result.Ending}"
            + (said.Length == 0 ? "" : $" ({said.ReplaceLineEndings("; ")})") + ". It is tried again.";
    }
}
