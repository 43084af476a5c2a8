using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Quarters;

/// <summary>Lets <c>--help</c> of a command end with what to type, and what comes of it.</summary>
internal static class Example
{
    private static readonly Dictionary<Command, string> Texts = [];

    /// <summary>Gives a command its examples: lines as they are to be shown.</summary>
    internal static Command WithExample(this Command command, string text)
    {
        Texts[command] = text;
        return command;
    }

    /// <summary>Adds the examples to the help of a command and of all below it.</summary>
    internal static void ShowInHelp(RootCommand root)
    {
        foreach (var option in root.Options)
        {
            if (option is not HelpOption { Action: HelpAction action } help) continue;
            help.Action = new HelpWithExample(action);
            // Another system's; shells would offer them.
            help.Aliases.Remove("/h");
            help.Aliases.Remove("/?");
        }
    }

    private sealed class HelpWithExample(HelpAction help) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = help.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            if (parseResult.CommandResult.Command is RootCommand)
            {
                output.WriteLine("Every command explains itself: quarters COMMAND --help");
                output.WriteLine("Exit codes: 0 done, 1 a bad answer (a build failed), 2 a mistake or nobody answers.");
            }
            else if (Texts.TryGetValue(parseResult.CommandResult.Command, out var text))
            {
                output.WriteLine("Examples:");
                foreach (var line in text.Split('\n'))
                    output.WriteLine("  " + line);
            }

            return code;
        }
    }
}
