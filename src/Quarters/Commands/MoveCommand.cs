using System.CommandLine;
using Quarters.Core.Documents;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters move</c> and <c>quarters remove</c>: packages go from one repository to another, or out of
/// one.</summary>
internal static class MoveCommand
{
    internal static Command Create()
    {
        var names = NewNames("package bases or packages; with --closure none means all");
        var from = new Option<string?>("--from") { Description = "the repository that holds them", HelpName = "REPO" };
        var to = new Option<string?>("--to") { Description = "the repository that they go to", HelpName = "REPO" };
        var closure = new Option<bool>("--closure")
        {
            Description = "move the largest part of them that breaks nothing, instead of all or none",
        };
        var undo = new Option<long?>("--undo", "--at")
        {
            Description = "take back the move, merge or removal that was told with this revision",
            HelpName = "REVISION",
        };
        var dry = NewDryRun();
        var command = new Command("move", "Move packages from one repository to another, all in one step.")
        {
            names, from, to, closure, undo, dry,
        };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            string[] given = parsed.GetValue(names) ?? [];
            if (parsed.GetValue(undo) is { } revision)
            {
                if (given.Length > 0)
                    throw new MistakeException("--undo takes a whole change back, and no names beside it");
                return post.SendAsync(
                    parsed,
                    (id, time) => new UndoChange
                    {
                        Id = id,
                        Time = time,
                        Revision = revision,
                        DryRun = parsed.GetValue(dry),
                    },
                    cancellationToken);
            }

            var (source, target) = (parsed.GetValue(from), parsed.GetValue(to));
            if (source is null || target is null)
                throw new MistakeException("move needs --from REPO and --to REPO, or --undo REVISION");
            return post.SendAsync(
                parsed,
                (id, time) => new MovePackages
                {
                    Id = id,
                    Time = time,
                    Names = [.. given],
                    From = source,
                    To = target,
                    Closure = parsed.GetValue(closure),
                    DryRun = parsed.GetValue(dry),
                },
                cancellationToken);
        });
        return command.WithExample("""
            quarters move openssl curl --from testing --to stable
            quarters move --closure --from testing --to stable --dry-run
            quarters move --undo 4711
            """);
    }

    internal static Command CreateRemove()
    {
        var names = NewNames("package bases or packages");
        var from = new Option<string>("--from")
        {
            Description = "the repository that holds them",
            HelpName = "REPO",
            Required = true,
        };
        var dry = NewDryRun();
        var command = new Command("remove", "Take packages out of a repository.") { names, from, dry };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed,
            (id, time) => new RemovePackages
            {
                Id = id,
                Time = time,
                Names = [.. parsed.GetValue(names) ?? []],
                From = parsed.GetRequiredValue(from),
                DryRun = parsed.GetValue(dry),
            },
            cancellationToken));
        return command.WithExample("quarters remove old-thing --from stable");
    }

    private static Argument<string[]> NewNames(string description) =>
        new("PKG") { Description = description, Arity = ArgumentArity.ZeroOrMore };

    private static Option<bool> NewDryRun() =>
        new("--dry-run") { Description = "only tell what would be done, or what it would break" };
}
