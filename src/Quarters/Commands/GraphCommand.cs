using System.CommandLine;
using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Reading;

namespace Quarters.Commands;

/// <summary><c>quarters graph --cycles</c>: which packages need each other in a circle.</summary>
internal static class GraphCommand
{
    private const string CyclesPath = "v1/cycles.json";

    internal static Command Create()
    {
        var cycles = new Option<bool>("--cycles")
        {
            Description = "show the cycles, and which dependencies are not waited for",
        };
        var graph = new Option<FileInfo?>("--graph")
        {
            Description = "look at the packages of this file instead of asking a master",
            HelpName = "FILE",
        };
        var json = new Option<bool>("--json") { Description = "print the document instead" };
        var command = new Command("graph", "Show which packages need each other in a circle, and where that is cut.")
        {
            cycles, graph, json,
        };
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (!parsed.GetValue(cycles)) throw new MistakeException("graph needs --cycles: what to show");
            var output = parsed.InvocationConfiguration.Output;
            var found = parsed.GetValue(graph) is { } file
                ? Read(file)
                : await AskAsync(parsed, node, cancellationToken);
            if (parsed.GetValue(json))
            {
                await output.WriteLineAsync(
                    JsonSerializer.Serialize(found, QuartersJson.Default.CyclesDocument));
                return ExitCode.Done;
            }

            foreach (var line in CycleText.Lines(found.Packages, found.Cycles))
                await output.WriteLineAsync(Terminal.Printable(line));
            return ExitCode.Done;
        });
        return command.WithExample("""
            quarters graph --cycles
            quarters graph --cycles --graph packages.jsonl.zst --json
            """);
    }

    private static async Task<CyclesDocument> AskAsync(
        ParseResult parsed, NodeOptions node, CancellationToken cancellationToken)
    {
        using var link = NodeLink.Open(parsed, node);
        return link.Parse(
            await link.ReadAsync(CyclesPath, cancellationToken), QuartersJson.Default.CyclesDocument, Schemas.Cycles,
            document => document.Schema);
    }

    private static CyclesDocument Read(FileInfo file)
    {
        using var stream = file.OpenRead();
        var packages = GraphFile.Read(stream, file.ToString());
        return new CyclesDocument
        {
            Revision = 0,
            Packages = packages.Length,
            Cycles = CycleSurvey.Of(GraphFile.GraphOf(packages)),
        };
    }
}
