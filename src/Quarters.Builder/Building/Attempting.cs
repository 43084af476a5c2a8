using Quarters.Builder.Fetching;
using Quarters.Chroots.Builds;
using Quarters.Core.Documents;

namespace Quarters.Builder.Building;

/// <summary>One attempt from its reservation on: what it needs is fetched while another build runs.</summary>
internal sealed class Attempting(QueueJob job, CancellationToken stopping) : IDisposable
{
    private readonly CancellationTokenSource _given = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    private Task<BuildRequest>? _prepared;
    private bool _isBuilding;

    /// <summary>Begins to fetch. That it fails is no matter yet: it is tried again when the build begins.</summary>
    internal void Prepare(AttemptRun run, Action<Func<CancellationToken, Task>> spawn)
    {
        var token = _given.Token;
        var preparing = _prepared = run.PrepareAsync(job, token);
        spawn(async _ =>
        {
            try
            {
                await preparing;
            }
            catch (Exception exception) when (
                exception is FetchException or IOException or UnauthorizedAccessException or OperationCanceledException)
            {
                // Told when the build begins, if it does.
            }

            if (_isBuilding || !token.IsCancellationRequested)
                return;
            run.Discard(job);
            Dispose();
        });
    }

    /// <summary>Builds it.</summary>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    internal Task<BuildResult> BuildAsync(AttemptRun run)
    {
        _isBuilding = true;
        return run.RunAsync(job, _prepared, _given.Token);
    }

    /// <summary>Nobody wants it any more.</summary>
    internal void Cancel() => _given.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _given.Dispose();
}
