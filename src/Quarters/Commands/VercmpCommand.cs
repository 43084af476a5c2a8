using System.CommandLine;
using Quarters.Alpm;

namespace Quarters.Commands;

/// <summary><c>quarters vercmp A B</c>: pacman's vercmp.</summary>
internal static class VercmpCommand
{
    internal static Command Create()
    {
        var first = new Argument<string>("A") { Description = "a version, [epoch:]pkgver[-pkgrel]" };
        var second = new Argument<string>("B") { Description = "the version to compare it with" };
        var command = new Command(
            "vercmp", "Compare two versions as pacman does: prints -1 when A is older than B, 0 when equal, else 1.")
        {
            first, second,
        };
        command.SetAction(parsed =>
        {
            var order = PackageVersion.Compare(parsed.GetRequiredValue(first), parsed.GetRequiredValue(second));
            parsed.InvocationConfiguration.Output.WriteLine(order);
            return ExitCode.Done;
        });
        return command.WithExample("quarters vercmp 1.0-1 1.0.1-1      prints -1");
    }
}
