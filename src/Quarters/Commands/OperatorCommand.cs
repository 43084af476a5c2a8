using System.CommandLine;
using Quarters.Core;
using Quarters.Core.Master;
using Quarters.Node;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters operator</c>: a key by which masters obey somebody from afar.</summary>
internal static class OperatorCommand
{
    internal static Command Create() =>
        new Command("operator", "Ask a master from afar: signals that are signed and lie on any web space.")
        {
            CreateInit(),
        }.WithExample("quarters operator init ~/operator --url https://anna.example.org/quarters/");

    private static Command CreateInit()
    {
        var directory = new Argument<string>("DIR") { Description = "where key and published signals are kept" };
        var url = new Option<string>("--url")
        {
            Description = "the address at which DIR/public will be read",
            HelpName = "URL",
            Required = true,
        };
        var name = new Option<string>("--name")
        {
            Description = "the operator's name",
            HelpName = "NAME",
            DefaultValueFactory = _ => Environment.UserName,
        };
        var init = new Command("init", "Make a key, and print what a master's quarters.toml needs.")
        {
            directory, url, name,
        };
        init.SetAction(parsed =>
        {
            var folder = new OperatorFolder(parsed.GetRequiredValue(directory));
            var called = parsed.GetRequiredValue(name);
            var address = parsed.GetRequiredValue(url);
            // A master refuses them, too; but by then there would be a key.
            if (!NodeName.IsValid(called))
                throw new MistakeException($"--name {called}: an operator's name must be {NodeName.Rule}");
            if (Signals.FindUrlFault(address) is { } fault)
                throw new MistakeException($"--url {address}: {fault}");
            InitCommand.MakeIdentity(folder.Identity, called, "localhost");
            using var identity = Identity.Load(folder.Identity);
            parsed.InvocationConfiguration.Output.WriteLine($"""
                [[operator]]
                name = "{called}"
                url = "{address}"
                key = "{identity.PublicKey}"
                """);
            return ExitCode.Done;
        });
        return init.WithExample("quarters operator init ~/operator --url https://anna.example.org/quarters/");
    }
}
