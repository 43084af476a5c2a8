using System.Text;
using Quarters.Linux.Processes;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>
/// One sandbox, from its start to its end: it stands with its shell ready, is told once what to read, and is gone after
/// that. So what is read one time can leave nothing behind for the next.
/// </summary>
internal sealed class StandingSandbox : IDisposable
{
    private readonly PkgbuildReaderSettings settings;
    private readonly TimeProvider time;
    private readonly ReadingFrames frames = new();
    private readonly TaskCompletionSource<ReadOnlyMemory<byte>> work =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly CancellationTokenSource end = new();
    private readonly Task<ProcessResult> running;
    private readonly long started;
    private volatile CancellationTokenSource? patience;

    internal StandingSandbox(ProcessSpec spec, PkgbuildReaderSettings settings, TimeProvider time)
    {
        this.settings = settings;
        this.time = time;
        started = time.GetTimestamp();
        running = ProcessRunner.RunAsync(
            spec with
            {
                InputLater = work.Task,
                Timeout = settings.Waiting + settings.BatchTime,
                OnOutput = Take,
            },
            end.Token);
    }

    /// <summary>False once it has ended, or has stood for so long that it may.</summary>
    internal bool MayRead => !running.IsCompleted && time.GetElapsedTime(started) < settings.Waiting;

    /// <summary>Ends it, if it has not ended yet, and waits until it is gone.</summary>
    public void Dispose()
    {
        end.Cancel();
        Task.WaitAny(running);
        end.Dispose();
    }

    /// <summary>Reads the staged directories, given relative to the trees that it sees.</summary>
    /// <returns>The frames that came; fewer than directories when the sandbox died or its time was over.</returns>
    /// <exception cref="ReadingSandboxException">The sandbox could not be set up.</exception>
    internal async Task<ReadingFrames> ReadAsync(
        IReadOnlyList<string> directories, CancellationToken cancellationToken)
    {
        using var whole = new CancellationTokenSource(settings.BatchTime, time);
        using var next = new CancellationTokenSource(settings.WallTime, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(whole.Token, next.Token, cancellationToken);
        await using var registration = any.Token.Register(end.Cancel);
        patience = next;
        work.SetResult(Encoding.UTF8.GetBytes(string.Concat(directories.Select(one => $"/trees/{one}\0"))));
        try
        {
            var result = await running;
            if (!frames.Begun)
                throw new ReadingSandboxException(
                    $"The sandbox in which PKGBUILDs are read could not be set up: bwrap {result.Ending}: "
                    + result.StandardError.Trim());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            if (!frames.Begun)
                throw new ReadingSandboxException(
                    $"The sandbox in which PKGBUILDs are read was not ready after {settings.WallTime.TotalSeconds} s.");
        }
        catch (OperationCanceledException)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            patience = null;
        }

        return frames;
    }

    private void Take(OutputStream stream, ReadOnlySpan<byte> bytes)
    {
        if (stream == OutputStream.Output && frames.Add(bytes))
            patience?.CancelAfter(settings.WallTime);
        else if (frames.Damaged)
            end.Cancel();
    }
}
