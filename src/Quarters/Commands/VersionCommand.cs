using System.CommandLine;
using System.Reflection;

namespace Quarters.Commands;

/// <summary><c>quarters version</c>.</summary>
internal static class VersionCommand
{
    /// <summary>The version of this software.</summary>
    internal static string Current =>
        typeof(VersionCommand).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    internal static Command Create()
    {
        var command = new Command("version", "Print the version of this program.");
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.WriteLine("quarters " + Current);
            return ExitCode.Done;
        });
        return command;
    }
}
