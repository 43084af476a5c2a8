using System.CommandLine;
using System.Text;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Reading;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters bootstrap</c>: packages from their sources alone, stage by stage.</summary>
internal static class BootstrapCommand
{
    private const string Path = "v1/bootstraps.json";

    /// <summary>So many stages a bootstrap has at most that goes on until nothing changes any more.</summary>
    private const int DefaultStages = 8;

    internal static Command Create()
    {
        var name = new Argument<string>("NAME")
        {
            Description = "the bootstrap's name; its stages are the side repositories NAME-stage1, NAME-stage2, …",
        };
        var names = new Argument<string[]>("PKG")
        {
            Description = "package bases or packages; without any all that the sources hold",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var seeds = new Option<string[]>("--seed")
        {
            Description = "a repository of others that builds install from besides; may be given again",
            HelpName = "REPO",
            Required = true,
            AllowMultipleArgumentsPerToken = false,
        };
        var fixpoint = new Option<bool>("--until-fixpoint")
        {
            Description = "build stage after stage until two have the same bytes; without it one is built",
        };
        var stages = new Option<int?>("--max-stages")
        {
            Description = $"how many stages at most, {DefaultStages} with --until-fixpoint if not given",
            HelpName = "N",
        };
        var leave = new Option<bool>("--leave-unreachable")
        {
            Description = "leave out what cannot be reached from the seed, instead of refusing",
        };
        var dry = new Option<bool>("--dry-run") { Description = "only tell what would be built, in which order" };
        var command = new Command(
            "bootstrap", "Build packages from their sources alone, with a seed as the only binaries from outside.")
        {
            name, names, seeds, fixpoint, stages, leave, dry,
        };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed,
            (id, time) => new BeginBootstrap
            {
                Id = id,
                Time = time,
                Name = parsed.GetRequiredValue(name),
                Seeds = [.. parsed.GetRequiredValue(seeds)],
                Names = [.. parsed.GetValue(names) ?? []],
                MaxStages = parsed.GetValue(stages) ?? (parsed.GetValue(fixpoint) ? DefaultStages : 1),
                LeaveUnreachable = parsed.GetValue(leave),
                DryRun = parsed.GetValue(dry),
            },
            cancellationToken));
        command.Add(CreateList());
        command.Add(CreateShow());
        return command.WithExample("""
            quarters bootstrap new --seed core --until-fixpoint --dry-run
            quarters bootstrap new tcc musl make --seed core --until-fixpoint
            quarters bootstrap show new
            """);
    }

    private static Command CreateList()
    {
        var json = new Option<bool>("--json") { Description = "print the document instead" };
        var command = new Command("list", "Show the bootstraps, a line each.") { json };
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var output = parsed.InvocationConfiguration.Output;
            var bytes = await link.ReadAsync(Path, cancellationToken);
            if (parsed.GetValue(json))
            {
                await output.WriteLineAsync(Encoding.UTF8.GetString(bytes).TrimEnd());
                return ExitCode.Done;
            }

            foreach (var one in Parse(link, bytes).Bootstraps)
                await output.WriteLineAsync(Terminal.Printable(BootstrapText.Summary(one)));
            return ExitCode.Done;
        });
        return command.WithExample("quarters bootstrap list");
    }

    private static Command CreateShow()
    {
        var name = new Argument<string>("NAME") { Description = "the name of a bootstrap" };
        var json = new Option<bool>("--json") { Description = "print its part of the document instead" };
        var command = new Command("show", "Show how far a bootstrap is, what differs, and what cannot be built.")
        {
            name, json,
        };
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var wanted = parsed.GetRequiredValue(name);
            var output = parsed.InvocationConfiguration.Output;
            var found = Parse(link, await link.ReadAsync(Path, cancellationToken)).Bootstraps
                .FirstOrDefault(one => one.Name == wanted);
            if (found is null)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(
                    $"there is no bootstrap {wanted}; `quarters bootstrap list` shows them.");
                return ExitCode.Failed;
            }

            IEnumerable<string> lines = parsed.GetValue(json)
                ? [System.Text.Json.JsonSerializer.Serialize(found, QuartersJson.Default.BootstrapStatus)]
                : BootstrapText.Lines(found).Select(Terminal.Printable);
            foreach (var line in lines) await output.WriteLineAsync(line);
            return ExitCode.Done;
        });
        return command.WithExample("quarters bootstrap show new");
    }

    private static BootstrapsDocument Parse(NodeLink link, byte[] bytes) => link.Parse(
        bytes, QuartersJson.Default.BootstrapsDocument, Schemas.Bootstraps, document => document.Schema);
}
