using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using Quarters.Alpm;
using Quarters.Commands;
using Quarters.Master;
using Quarters.Node;

namespace Quarters;

/// <summary>The program from its arguments to its exit code.</summary>
internal static class CommandLine
{
    /// <summary>Set to 1, an error is shown with the place in the program where it arose.</summary>
    private const string DebugVariable = "QUARTERS_DEBUG";

    private static readonly TimeSpan TimeToCleanUp = TimeSpan.FromSeconds(30);

    private static readonly string[] RunNodes = [UpCommand.Name, MasterCommand.Name, BuilderCommand.Name];

    private static readonly Dictionary<string, Func<Command>> Commands = new(StringComparer.Ordinal)
    {
        ["init"] = InitCommand.Create,
        ["build"] = BuildCommand.Create,
        ["up"] = UpCommand.Create,
        ["master"] = MasterCommand.Create,
        ["builder"] = BuilderCommand.Create,
        ["builders"] = BuildersCommand.Create,
        ["retry"] = RetryCommand.Create,
        ["review"] = ReviewCommand.Create,
        ["move"] = MoveCommand.Create,
        ["remove"] = MoveCommand.CreateRemove,
        ["rebuild"] = RebuildCommand.Create,
        ["bootstrap"] = BootstrapCommand.Create,
        ["merge"] = RebuildCommand.CreateMerge,
        ["drop"] = RebuildCommand.CreateDrop,
        ["cancel"] = WishCommands.CreateCancel,
        ["hold"] = WishCommands.CreateHold,
        ["release"] = WishCommands.CreateRelease,
        ["reload"] = WishCommands.CreateReload,
        ["gc"] = WishCommands.CreateGc,
        ["operator"] = OperatorCommand.Create,
        ["status"] = StatusCommand.Create,
        ["jobs"] = JobsCommand.Create,
        ["job"] = JobCommand.Create,
        ["log"] = LogCommand.Create,
        ["why"] = WhyCommand.Create,
        ["graph"] = GraphCommand.Create,
        ["parse"] = ParseCommand.Create,
        ["doctor"] = DoctorCommand.Create,
        ["repo"] = RepoCommand.Create,
        ["repo-db"] = RepoDbCommand.Create,
        ["simulate"] = SimulateCommand.Create,
        ["vercmp"] = VercmpCommand.Create,
        ["completion"] = CompletionCommand.Create,
        ["version"] = VersionCommand.Create,
    };

    internal static async Task<int> RunAsync(string[] arguments)
    {
        // The one place where exceptions end: everything below either handles what it expects or lets it come here.
        try
        {
            var parsed = Root(arguments).Parse(arguments.Length == 0 ? ["--help"] : arguments);
            if (parsed is { Action: ParseErrorAction, Errors: [var first, ..] })
            {
                return Complain(parsed, parsed.UnmatchedTokens is [var unknown, ..]
                    ? $"there is no command, option or further argument \"{unknown}\" here"
                    : first.Message);
            }

            var invocation = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                // What runs nodes counts signals itself; everything else is cancelled and gets time to clean up.
                ProcessTerminationTimeout = RunNodes.Contains(parsed.CommandResult.Command.Name)
                    ? null
                    : TimeToCleanUp,
            };
            return await parsed.InvokeAsync(invocation, CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync(Environment.GetEnvironmentVariable(DebugVariable) == "1"
                ? e.ToString()
                : "quarters: " + Sentence(e));
            return ExitCode.Mistake;
        }
    }

    /// <summary>Only the command that is asked for is put together: the others would cost a third of the
    /// start.</summary>
    private static RootCommand Root(string[] arguments)
    {
        var root = new RootCommand(
            "Builds packages of pacman-based distributions in clean chroots, and publishes them in repositories.");
        var isKnown = Commands.TryGetValue(arguments.FirstOrDefault(""), out var one);
        foreach (var create in isKnown ? [one!] : Commands.Values.ToArray())
            root.Add(create());
        Example.ShowInHelp(root);
        return root;
    }

    private static int Complain(ParseResult parsed, string message)
    {
        var name = "";
        SymbolResult? at = parsed.CommandResult;
        for (; at is CommandResult { Command: not RootCommand } one; at = at.Parent)
            name = " " + one.Command.Name + name;
        // The library ends with the name of a type of .NET.
        var type = message.IndexOf(" as expected type", StringComparison.Ordinal);
        Console.Error.WriteLine($"quarters: {(type < 0 ? message : message[..type]).TrimEnd('.')}.");
        Console.Error.WriteLine($"See: quarters{name} --help");
        return ExitCode.Mistake;
    }

    private static string Sentence(Exception e) => e switch
    {
        MistakeException or ConfigurationException or AlpmFormatException or IOException or UnauthorizedAccessException
            or CryptographicException or MasterException => e.Message,
        _ => $"this should not have happened: {e.Message} ({e.GetType().Name}). It is a bug; "
            + $"with {DebugVariable}=1 the same command shows where.",
    };
}
