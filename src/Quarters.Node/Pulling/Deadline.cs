namespace Quarters.Node;

/// <summary>Ends an attempt that no longer gets anywhere: time is granted anew for every so many bytes.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource timer;
    private readonly CancellationTokenSource linked;
    private readonly TimeSpan stallAfter;
    private readonly CancellationToken caller;
    private long received;

    internal Deadline(TimeSpan first, TimeSpan stallAfter, TimeProvider time, CancellationToken cancellationToken)
    {
        this.stallAfter = stallAfter;
        caller = cancellationToken;
        timer = new CancellationTokenSource(first, time);
        linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
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
        timer.Dispose();
    }
}
