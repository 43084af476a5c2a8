using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Quarters.Configuring;
using Quarters.Reading;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters up</c>: the whole farm in one process.</summary>
internal static class UpCommand
{
    internal const string Name = "up";

    internal static Command Create()
    {
        var config = NodeOptions.NewConfig();
        var verbose = new Option<bool>("--verbose", "-v") { Description = "log every step to standard error" };
        var command = new Command(
            Name, "Run the farm: watch the sources, build what changed, publish it. Ctrl-C drains, a second one stops.")
        {
            config, verbose,
        };
        command.SetAction(parsed => RunAsync(
            Farm.Load(Farm.Find(parsed.GetValue(config))),
            parsed.GetValue(verbose) ? LogLevel.Information : LogLevel.Warning,
            parsed.InvocationConfiguration.Output));
        return command.WithExample("""
            quarters init && quarters up
            quarters up --config ~/farm/quarters.toml
            """);
    }

    private static async Task<int> RunAsync(Farm farm, LogLevel level, TextWriter output)
    {
        using var drain = new CancellationTokenSource();
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Asked);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Asked);
        using var loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(level)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
            .AddSimpleConsole(console => console.SingleLine = true));
        await using var run = await FarmRun.StartAsync(farm, loggers, stop.Token);
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
