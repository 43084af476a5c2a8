namespace Quarters.Node;

/// <summary>Ends an attempt that no longer gets anywhere: time is granted anew for every so many bytes.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _whole;
    private readonly CancellationTokenSource _linked;
    private readonly TimeSpan _stallAfter;
    private readonly CancellationToken _caller;
    private long _received;

    /// <summary>Begins to count.</summary>
    /// <param name="first">Until the headers are there.</param>
    /// <param name="stallAfter">For each <see cref="Puller.ProgressBytes"/> from then on.</param>
    /// <param name="within">For everything; infinite where the size of what comes is the limit.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The caller's wish.</param>
    internal Deadline(
        TimeSpan first, TimeSpan stallAfter, TimeSpan within, TimeProvider time, CancellationToken cancellationToken)
    {
        _stallAfter = stallAfter;
        _caller = cancellationToken;
        _timer = new CancellationTokenSource(first, time);
        _whole = new CancellationTokenSource(within, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, _whole.Token, cancellationToken);
    }

    internal CancellationToken Token => _linked.Token;

    /// <summary>Whether an attempt that was cancelled ended for its slowness (a connection's included), not by its
    /// caller's wish.</summary>
    internal bool HasPassed => !_caller.IsCancellationRequested;

    /// <summary>The headers came: from now on bytes count.</summary>
    internal void Begin() => _timer.CancelAfter(_stallAfter);

    internal void Received(int bytes)
    {
        // One byte now and then would hold a reader for ever.
        _received += bytes;
        if (_received < Puller.ProgressBytes)
            return;
        _received = 0;
        _timer.CancelAfter(_stallAfter);
    }

    public void Dispose()
    {
        _linked.Dispose();
        _whole.Dispose();
        _timer.Dispose();
    }
}
