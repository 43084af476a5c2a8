using System.CommandLine;
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
        var verbose = Foreground.NewVerbose();
        var command = new Command(
            Name, "Run the farm: watch the sources, build what changed, publish it. Ctrl-C drains, a second one stops.")
        {
            config, verbose,
        };
        command.SetAction(parsed =>
        {
            var farm = Farm.Load(Farm.Find(parsed.GetValue(config)));
            return Foreground.RunAsync(
                (loggers, stop) => NodeRun.StartBothAsync(farm, loggers, stop),
                parsed.GetValue(verbose),
                parsed.InvocationConfiguration.Output);
        });
        return command.WithExample("""
            quarters init && quarters up
            quarters up --config ~/farm/quarters.toml
            """);
    }
}
