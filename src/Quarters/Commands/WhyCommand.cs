using System.CommandLine;
using System.Text;
using Quarters.Reading;

namespace Quarters.Commands;

/// <summary><c>quarters why PKGBASE</c>: why a package stands where it stands, in sentences.</summary>
internal static class WhyCommand
{
    internal static Command Create()
    {
        var pkgbase = new Argument<string>("PKGBASE") { Description = "the name of a package base" };
        var json = new Option<bool>("--json") { Description = "print the package's document as it is" };
        var command = new Command("why", "Say why a package is not built, what it waits for, and who waits for it.")
        {
            pkgbase, json,
        };
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var name = parsed.GetRequiredValue(pkgbase);
            JobLookup.Check(name);
            using var link = NodeLink.Open(parsed, node);
            var output = parsed.InvocationConfiguration.Output;
            if (await link.FindAsync(JobLookup.PackagePath(name), cancellationToken) is not { } bytes)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(
                    $"{name} is unknown here: no source holds a package base of that name.");
                return ExitCode.Failed;
            }

            if (parsed.GetValue(json))
            {
                await output.WriteLineAsync(Encoding.UTF8.GetString(bytes).TrimEnd());
                return ExitCode.Done;
            }

            var package = JobLookup.Parse(link, bytes);
            foreach (var sentence in package.Why)
                await output.WriteLineAsync(Terminal.Printable(sentence));
            if (package.Review is { Rejected: false } review)
                await ReviewCommand.WriteDiffAsync(review, output);
            return ExitCode.Done;
        });
        return command.WithExample("""
            quarters why jq
              jq 1.7.1-1 for x86_64 is blocked: it waits for oniguruma, which is building.
            """);
    }
}
