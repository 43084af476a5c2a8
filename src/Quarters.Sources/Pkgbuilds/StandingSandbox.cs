using System.Text;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>
/// One sandbox, from its start to its end: it stands with its shell ready, is told once what to read, and is gone after
/// that. So what is read one time can leave nothing behind for the next.
/// </summary>
internal sealed class StandingSandbox : IDisposable
{
    private readonly PkgbuildReaderSettings _settings;
    private readonly TimeProvider _time;
    private readonly ReadingFrames _frames = new();
    private readonly TaskCompletionSource<ReadOnlyMemory<byte>> _work =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly CancellationTokenSource _end = new();
    private readonly Task<ProcessResult> _running;
    private readonly long _started;
    private volatile CancellationTokenSource? _patience;

    internal StandingSandbox(ProcessSpec spec, PkgbuildReaderSettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
        _started = time.GetTimestamp();
        _running = ProcessRunner.RunAsync(
            spec with
            {
                InputLater = _work.Task,
                Timeout = settings.Waiting + settings.BatchTime,
                OnOutput = Take,
            },
            _end.Token);
    }

    /// <summary>False once it has ended, or has stood for so long that it may.</summary>
    internal bool MayRead => !_running.IsCompleted && _time.GetElapsedTime(_started) < _settings.Waiting;

    /// <summary>Ends it, if it has not ended yet, and waits until it is gone.</summary>
    public void Dispose()
    {
        _end.Cancel();
        Task.WaitAny(_running);
        _end.Dispose();
    }

    /// <summary>Reads the staged directories, given relative to the trees that it sees.</summary>
    /// <returns>The frames that came; fewer than directories when the sandbox died or its time was over.</returns>
    /// <exception cref="ReadingSandboxException">The sandbox could not be set up.</exception>
    internal async Task<ReadingFrames> ReadAsync(
        IReadOnlyList<string> directories, CancellationToken cancellationToken)
    {
        using var whole = new CancellationTokenSource(_settings.BatchTime, _time);
        using var next = new CancellationTokenSource(_settings.WallTime, _time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(whole.Token, next.Token, cancellationToken);
        await using var registration = any.Token.Register(_end.Cancel);
        _patience = next;
        _work.SetResult(Encoding.UTF8.GetBytes(string.Concat(directories.Select(one => $"/trees/{one}\0"))));
        try
        {
            var result = await _running;
            if (!_frames.Begun)
                throw new ReadingSandboxException(
                    $"The sandbox in which PKGBUILDs are read could not be set up: bwrap {result.Ending}: "
                    + result.StandardError.Trim());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            if (!_frames.Begun)
                throw new ReadingSandboxException(
                    "The sandbox in which PKGBUILDs are read was not ready after "
                    + $"{_settings.WallTime.TotalSeconds} s.");
        }
        catch (OperationCanceledException)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            _patience = null;
        }

        return _frames;
    }

    private void Take(OutputStream stream, ReadOnlySpan<byte> bytes)
    {
        if (stream == OutputStream.Output && _frames.Add(bytes))
            _patience?.CancelAfter(_settings.WallTime);
        else if (_frames.Damaged)
            _end.Cancel();
    }
}
