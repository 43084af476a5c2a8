using System.CommandLine;
using System.Text.Json;
using Quarters.Core;
using Quarters.Reading;
using Quarters.Sources.Directories;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Commands;

/// <summary><c>quarters parse DIR…</c>: what PKGBUILDs say, read by bash in a sandbox.</summary>
internal static class ParseCommand
{
    internal static Command Create()
    {
        var directories = new Argument<string[]>("DIR")
        {
            Description = "a directory with a PKGBUILD, or one whose directories have them",
            Arity = ArgumentArity.OneOrMore,
        };
        var srcinfo = new Option<bool>("--srcinfo") { Description = "print .SRCINFO, as makepkg --printsrcinfo does" };
        var repository = new Option<string>("--repository")
        {
            Description = "the repository to name in the records",
            HelpName = "NAME",
            DefaultValueFactory = _ => "quarters",
        };
        var command = new Command("parse", "Read PKGBUILDs in a sandbox and print each as a line of JSON.")
        {
            directories, srcinfo, repository,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetRequiredValue(directories),
            parsed.GetRequiredValue(repository),
            parsed.GetValue(srcinfo),
            parsed.InvocationConfiguration,
            cancellationToken));
        return command.WithExample("""
            quarters parse ~/packages | jq -r '"\(.pkgbase) \(.version)"'
            quarters parse --srcinfo . > .SRCINFO
            """);
    }

    private static async Task<int> RunAsync(
        string[] directories, string repository, bool srcinfo, InvocationConfiguration console,
        CancellationToken cancellationToken)
    {
        var work = Directory.CreateTempSubdirectory("quarters-parse-");
        try
        {
            var settings = new PkgbuildReaderSettings { WorkDirectory = work.FullName };
            var parser = new DirectoryParser(new PkgbuildReader(settings, TimeProvider.System));
            var code = ExitCode.Done;
            var separator = "";
            await foreach (var read in parser.ParseAsync(directories, repository, cancellationToken))
            {
                if (read.Problem is { } problem)
                {
                    code = ExitCode.Failed;
                    await console.Error.WriteLineAsync(
                        $"quarters: {read.Directory} cannot be read: {Terminal.Printable(problem)}");
                }
                else
                {
                    // Of one package it is what makepkg prints, to the byte; several are apart by an empty line.
                    await console.Output.WriteAsync(srcinfo
                        ? separator + read.Info!.ToText()
                        : JsonSerializer.Serialize(read.Package!, QuartersJson.Default.SourcePackage) + "\n");
                    separator = "\n";
                }
            }

            return code;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }
}
