using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Quarters.Linux;

namespace Quarters.Running;

/// <summary>Runs nodes until somebody interrupts: the first signal drains, the second stops.</summary>
internal static class Foreground
{
    /// <summary><c>--verbose</c>.</summary>
    internal static Option<bool> NewVerbose() =>
        new("--verbose", "-v") { Description = "log every step to standard error" };

    /// <summary>Runs what is started until it ends.</summary>
    internal static async Task<int> RunAsync(
        Func<ILoggerFactory, CancellationToken, Task<NodeRun>> start, bool verbose, TextWriter output)
    {
        LibC.KeepLittleOfWhatIsFreed();
        using var drain = new CancellationTokenSource();
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Asked);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Asked);
        using var loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(verbose ? LogLevel.Information : LogLevel.Warning)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
            .AddSimpleConsole(console => console.SingleLine = true));
        await using var run = await start(loggers, stop.Token);
        run.Introduce(output);
        await run.RunAsync(output, drain.Token, stop.Token);
        return ExitCode.Done;

        void Asked(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (drain.IsCancellationRequested)
                stop.Cancel();
            else
                drain.Cancel();
        }
    }
}
