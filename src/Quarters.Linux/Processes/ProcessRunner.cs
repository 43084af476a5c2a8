using System.Runtime.InteropServices;

namespace Quarters.Linux.Processes;

/// <summary>
/// Runs programs. Each gets a session of its own, so that it has no terminal and its whole process group can be killed,
/// and a thread of its own that starts it, feeds it, reads it and waits for it. The thread lives as long as the
/// program: Linux sends the parent-death signal when the parent <em>thread</em> ends, and threads of the pool end at
/// any time.
/// </summary>
public static class ProcessRunner
{
    private const int WatcherStackBytes = 512 * 1024;

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="ProcessStartException">It could not be started.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; its process group has been killed and it is gone.
    /// </exception>
    public static Task<ProcessResult> RunAsync(ProcessSpec spec, CancellationToken cancellationToken) =>
        RunAsync(spec, inTerminal: false, cancellationToken);

    /// <summary>
    /// Runs a program with this process's standard streams, session and terminal, for a person to use: input, output
    /// and output limits of the spec do not apply. Ctrl-C goes to the program and is ignored here meanwhile.
    /// </summary>
    /// <exception cref="ProcessStartException">It could not be started.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the program has been killed.</exception>
    public static async Task<ProcessResult> RunInTerminalAsync(ProcessSpec spec, CancellationToken cancellationToken)
    {
        using var interrupts = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        return await RunAsync(spec, inTerminal: true, cancellationToken);
    }

    private static Task<ProcessResult> RunAsync(ProcessSpec spec, bool inTerminal, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var completion = new TaskCompletionSource<ProcessResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => Watch(spec, inTerminal, completion, cancellationToken), WatcherStackBytes)
        {
            IsBackground = true,
            Name = "watch " + Path.GetFileName(spec.FileName),
        };
        thread.Start();
        return completion.Task;
    }

    private static void Watch(
        ProcessSpec spec,
        bool inTerminal,
        TaskCompletionSource<ProcessResult> completion,
        CancellationToken cancellationToken)
    {
        // The top of this thread: whatever happens is handed to the caller, who awaits it.
        try
        {
            using var child = ChildProcess.Start(spec, inTerminal);
            var result = child.Watch(cancellationToken);
            if (child.Cancelled)
                completion.SetCanceled(cancellationToken);
            else
                completion.SetResult(result);
        }
        catch (Exception exception)
        {
            completion.SetException(exception);
        }
    }
}
