namespace Quarters.Node;

/// <summary>Ends an attempt that no longer gets anywhere: time is granted anew for every so many bytes.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource timer;
    private readonly CancellationTokenSource whole;
    private readonly CancellationTokenSource linked;
    private readonly TimeSpan stallAfter;
    private readonly CancellationToken caller;
    private long received;

    /// <summary>Begins to count.</summary>
    /// <param name="first">Until the headers are there.</param>
    /// <param name="stallAfter">For each <see cref="Puller.ProgressBytes"/> from then on.</param>
    /// <param name="within">For everything; infinite where the size of what comes is the limit.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">The caller's wish.</param>
    internal Deadline(
        TimeSpan first, TimeSpan stallAfter, TimeSpan within, TimeProvider time, CancellationToken cancellationToken)
    {
        this.stallAfter = stallAfter;
        caller = cancellationToken;
        timer = new CancellationTokenSource(first, time);
        whole = new CancellationTokenSource(within, time);
        linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, whole.Token, cancellationToken);
    }

    internal CancellationToken Token => linked.Token;

    /// <summary>Whether an attempt that was cancelled ended for its slowness (a connection's included), not by its
    /// caller's wish.</summary>
    internal bool HasPassed => !caller.IsCancellationRequested;

    /// <summary>The headers came: from now on bytes count.</summary>
    internal void Begin() => timer.CancelAfter(stallAfter);

    internal void Received(int bytes)
    {
        // One byte now and then would hold a reader for ever.
        received += bytes;
        if (received < Puller.ProgressBytes)
            return;
        received = 0;
        timer.CancelAfter(stallAfter);
    }

    public void Dispose()
    {
        linked.Dispose();
        whole.Dispose();
        timer.Dispose();
    }
}
