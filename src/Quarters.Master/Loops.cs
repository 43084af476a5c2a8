namespace Quarters.Master;

/// <summary>Loops that run until they are stopped together. The first that fails stops the others.</summary>
internal sealed class Loops(CancellationTokenSource stopping)
{
    private readonly List<Task> _running = [];

    /// <summary>Ends when all have; with the first failure, if there was one.</summary>
    public Task Completion => Task.WhenAll(_running);

    public void Run(Func<CancellationToken, Task> loop) => _running.Add(Task.Run(() => GuardAsync(loop)));

    private async Task GuardAsync(Func<CancellationToken, Task> loop)
    {
        try
        {
            await loop(stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to.
        }
        catch
        {
            await stopping.CancelAsync();
            throw;
        }
    }
}
