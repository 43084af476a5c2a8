using System.CommandLine;
using System.Globalization;
using System.Text;
using Quarters.Core.Documents;
using Quarters.Reading;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters builders</c>: who builds for a master.</summary>
internal static class BuildersCommand
{
    internal static Command Create() => new Command("builders", "List, add, drain and remove a master's builders.")
    {
        CreateList(), CreateAdd(), CreateDrain(), CreateRemove(),
    }.WithExample("""
        quarters builders list
        quarters builders add anna https://anna.example.org:7374/ sha256:…
        quarters builders drain anna
        """);

    private static Command CreateList()
    {
        var json = new Option<bool>("--json") { Description = "print builders.json as the master serves it" };
        var list = new Command("list", "Show the listed builders.") { json };
        var node = new NodeOptions().AddTo(list);
        list.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                var bytes = await link.ReadAsync(FarmView.ListPath, cancellationToken);
                await output.WriteLineAsync(Encoding.UTF8.GetString(bytes).TrimEnd());
                return ExitCode.Done;
            }

            var state = StatusCommand.Parse(link, await link.ReadAsync(StatusCommand.Path, cancellationToken));
            var now = TimeProvider.System.GetUtcNow();
            var table = Terminal.Columns("BUILDER", "SEEN", "ARCHITECTURES", "SLOTS", "WEIGHT", "URL", "KEY");
            foreach (var one in state.Builders)
            {
                var seen = one.Error ?? (one.LastSeen is { } at ? Terminal.Ago(at, now) + " ago" : "never");
                table.Row(
                    one.Name, one.Draining ? seen + ", drains" : seen, string.Join(' ', one.Architectures),
                    one.Slots.ToString(CultureInfo.InvariantCulture), one.Weight.ToString(CultureInfo.InvariantCulture),
                    one.Url, one.PublicKey);
            }

            Terminal.Open(output).Write(table);
            return ExitCode.Done;
        });
        return list.WithExample("quarters builders list --json | jq -r '.builders[].name'");
    }

    private static Command CreateAdd()
    {
        var name = new Argument<string>("NAME") { Description = "the name to know it by" };
        var url = new Argument<string>("URL") { Description = "where it is" };
        var key = new Argument<string>("KEY") { Description = "the key that it must prove to have, sha256:HEX" };
        var add = new Command("add", "List a builder: the line that `quarters builder init` printed there.")
        {
            name, url, key,
        };
        var post = new SignalPost().AddTo(add);
        add.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed,
            (id, time) => new AddBuilder
            {
                Id = id,
                Time = time,
                Name = parsed.GetRequiredValue(name),
                Url = parsed.GetRequiredValue(url),
                PublicKey = parsed.GetRequiredValue(key),
            },
            cancellationToken));
        return add.WithExample("quarters builders add anna https://anna.example.org:7374/ sha256:…");
    }

    private static Command CreateDrain()
    {
        var name = NewName();
        var undo = new Option<bool>("--undo") { Description = "give it jobs again" };
        var drain = new Command("drain", "Give a builder nothing new; what it builds still counts.") { name, undo };
        var post = new SignalPost().AddTo(drain);
        drain.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed,
            (id, time) => new DrainBuilder
            {
                Id = id,
                Time = time,
                Name = parsed.GetRequiredValue(name),
                Undo = parsed.GetValue(undo),
            },
            cancellationToken));
        return drain.WithExample("quarters builders drain anna");
    }

    private static Command CreateRemove()
    {
        var name = NewName();
        var remove = new Command("remove", "Take a builder off the list; what it builds is built elsewhere.") { name };
        var post = new SignalPost().AddTo(remove);
        remove.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed,
            (id, time) => new RemoveBuilder { Id = id, Time = time, Name = parsed.GetRequiredValue(name) },
            cancellationToken));
        return remove.WithExample("quarters builders remove anna");
    }

    private static Argument<string> NewName() => new("NAME") { Description = "the name of a listed builder" };
}
