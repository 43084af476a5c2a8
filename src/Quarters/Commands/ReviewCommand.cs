using System.CommandLine;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Reading;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters review</c>: looks at changes that are not built before somebody has, and decides.</summary>
internal static class ReviewCommand
{
    internal static Command Create() =>
        new Command("review", "Look at changes that wait for it, and accept or reject them.")
        {
            CreateList(), CreateShow(),
            CreateJudging("accept", "Build a change that needs review.", reject: false),
            CreateJudging("reject", "Do not build a change; what was accepted last stays.", reject: true),
        }.WithExample("""
            quarters review list
            quarters review show paru
            quarters review accept paru
            """);

    private static Command CreateList()
    {
        var command = new Command("list", "The changes that need review, one a line.");
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var state = link.Parse(
                await link.ReadAsync("v1/state.json", cancellationToken), QuartersJson.Default.MasterStateDocument,
                Schemas.MasterState, document => document.Schema);
            foreach (var review in state.Reviews)
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(Terminal.Printable(
                    $"{review.Name} {review.Version} from {review.Source}{(review.Rejected ? " (rejected)" : "")}: "
                    + string.Join("; ", review.Findings)));
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var name = NewPackage();
        var command = new Command("show", "What changed, and why it should be looked at.") { name };
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var review = await FindAsync(link, parsed.GetRequiredValue(name), cancellationToken);
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteLineAsync(Terminal.Printable($"{review.Name} {review.Version} from {review.Source}"));
            foreach (var finding in review.Findings)
                await output.WriteLineAsync(Terminal.Printable("* " + finding));
            await WriteDiffAsync(review, output);
            await output.WriteLineAsync(Terminal.Printable(
                $"Just this: quarters review accept {review.Name} --archive {review.ArchiveSha256}"));
            return ExitCode.Done;
        });
        return command;
    }

    private static Command CreateJudging(string verb, string description, bool reject)
    {
        var name = NewPackage();
        var command = new Command(verb, description) { name };
        var post = new SignalPost().AddTo(command);
        var archive = new Option<string?>("--archive")
        {
            Description = "the SHA-256 of the source package that was looked at; else what is offered now",
            HelpName = "SHA256",
        };
        command.Add(archive);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var wanted = parsed.GetRequiredValue(name);
            var seen = parsed.GetValue(archive);
            if (seen is null)
            {
                using var link = post.OpenMaster(parsed);
                seen = (await FindAsync(link, wanted, cancellationToken)).ArchiveSha256;
            }

            return await post.SendAsync(
                parsed,
                (id, time) => new JudgeChange
                {
                    Id = id,
                    Time = time,
                    Name = wanted,
                    ArchiveSha256 = seen,
                    Reject = reject,
                },
                cancellationToken);
        });
        return command;
    }

    /// <summary>Prints a change, if there is one.</summary>
    internal static async Task WriteDiffAsync(ReviewStatus? review, TextWriter output)
    {
        // Line by line: what a source wrote must not move the cursor of whoever looks at it.
        foreach (var line in (review?.Diff ?? "").Split('\n'))
            await output.WriteLineAsync(Terminal.Printable(line));
    }

    private static async Task<ReviewStatus> FindAsync(
        NodeLink link, string name, CancellationToken cancellationToken)
    {
        JobLookup.Check(name);
        var found = await link.FindAsync(JobLookup.PackagePath(name), cancellationToken) is { } bytes
            ? JobLookup.Parse(link, bytes).Review
            : null;
        return found ?? throw new MistakeException(
            $"no change of {name} needs review; `quarters review list` shows those that do");
    }

    private static Argument<string> NewPackage() =>
        new("PKGBASE") { Description = "the name of a package base" };
}
