using System.CommandLine;
using System.Text;
using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Reading;
using Spectre.Console;

namespace Quarters.Commands;

/// <summary><c>quarters status</c>: the farm on one screen.</summary>
internal static class StatusCommand
{
    internal const string Path = "v1/state.json";

    internal static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "print the master's state document as it is" };
        var watch = new Option<bool>("--watch", "-w")
        {
            Description = "show it again whenever it changes; Ctrl-C ends",
        };
        var farm = new Option<bool>("--farm")
        {
            Description = "ask every builder itself, and show the farm as it is",
        };
        var command = new Command(
            "status", "Show what the farm does: sources, repositories, builders, jobs that are not done.")
        {
            json, watch, farm,
        };
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(farm))
            {
                if (parsed.GetValue(watch)) throw new MistakeException("--farm is one look; leave out --watch");
                await ShowFarmAsync(link, parsed.GetValue(json), output, cancellationToken);
                return ExitCode.Done;
            }

            await foreach (var bytes in link.FollowAsync(Path, cancellationToken))
            {
                Show(link, bytes, parsed.GetValue(json), parsed.GetValue(watch), output);
                if (!parsed.GetValue(watch))
                    break;
            }

            return ExitCode.Done;
        });
        return command.WithExample("""
            quarters status --watch
            quarters status --json | jq .counts
            """);
    }

    /// <summary>Makes the state document of bytes.</summary>
    internal static MasterStateDocument Parse(NodeLink link, byte[] bytes) => link.Parse(
        bytes, QuartersJson.Default.MasterStateDocument, Schemas.MasterState, document => document.Schema);

    private static async Task ShowFarmAsync(
        NodeLink link, bool json, TextWriter output, CancellationToken cancellationToken)
    {
        var view = await FarmView.ReadAsync(link, cancellationToken);
        if (json)
            await output.WriteLineAsync(JsonSerializer.Serialize(view, FarmViewJson.Default.FarmView));
        else
            Terminal.Open(output).Write(StatusText.Farm(view, TimeProvider.System.GetUtcNow()));
    }

    private static void Show(NodeLink link, byte[] bytes, bool json, bool watch, TextWriter output)
    {
        if (json)
        {
            output.WriteLine(Encoding.UTF8.GetString(bytes).TrimEnd());
            output.Flush();
            return;
        }

        var state = Parse(link, bytes);
        var console = Terminal.Open(output);
        if (watch && !Console.IsOutputRedirected)
            console.Clear();
        StatusText.Write(console, link.Address, state, TimeProvider.System.GetUtcNow());
    }
}
