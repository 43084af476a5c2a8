using System.CommandLine;
using Quarters.Configuring;
using Quarters.Reading;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters master</c>: the master of a farm whose builders run elsewhere.</summary>
internal static class MasterCommand
{
    internal const string Name = "master";

    internal static Command Create()
    {
        var config = NodeOptions.NewConfig();
        var verbose = Foreground.NewVerbose();
        var command = new Command(Name, "Run only the master; `quarters builders` lists who builds for it.")
        {
            config, verbose, InitCommand.CreateForMaster(),
        };
        command.SetAction(parsed =>
        {
            var farm = Farm.Load(Farm.Find(parsed.GetValue(config)));
            return Foreground.RunAsync(
                (loggers, stop) => NodeRun.StartMasterAsync(farm, loggers, stop),
                parsed.GetValue(verbose),
                parsed.InvocationConfiguration.Output);
        });
        return command.WithExample("""
            quarters master init ~/farm --source https://example.org/pkgbuilds.git --listen 0.0.0.0:7373
            quarters master --config ~/farm/quarters.toml
            """);
    }
}
