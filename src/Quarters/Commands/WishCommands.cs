using System.CommandLine;
using Quarters.Core.Documents;
using Quarters.Reading;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary>What an operator asks for a single package or job: <c>cancel</c>, <c>hold</c>, <c>release</c>; and what
/// concerns the master itself: <c>reload</c>, <c>gc</c>.</summary>
internal static class WishCommands
{
    internal static Command CreateCancel()
    {
        var job = new Argument<string>("JOB") { Description = "the id of a job, as `quarters jobs` shows it" };
        var command = new Command("cancel", "Do not build a job, and stop whoever builds it.") { job };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var wanted = parsed.GetRequiredValue(job);
            JobLookup.Check(wanted);
            return post.SendAsync(
                parsed, (id, time) => new CancelJob { Id = id, Time = time, Name = wanted }, cancellationToken);
        });
        return command.WithExample("quarters cancel zlib-1:1.3.1-2-x86_64-0a1b2c3d");
    }

    internal static Command CreateHold()
    {
        var name = NewPackage();
        var reason = new Option<string>("--reason")
        {
            Description = "why, for whoever asks `quarters why`",
            HelpName = "TEXT",
            DefaultValueFactory = _ => "",
        };
        var command = new Command("hold", "Neither build nor move a package until it is released.") { name, reason };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed,
            (id, time) => new HoldPackage
            {
                Id = id,
                Time = time,
                Name = parsed.GetRequiredValue(name),
                Reason = parsed.GetRequiredValue(reason),
            },
            cancellationToken));
        return command.WithExample("quarters hold zlib --reason 'breaks pigz, see the tracker'");
    }

    internal static Command CreateRelease()
    {
        var name = NewPackage();
        var command = new Command("release", "Build and move a package again that was held.") { name };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed,
            (id, time) => new ReleasePackage { Id = id, Time = time, Name = parsed.GetRequiredValue(name) },
            cancellationToken));
        return command.WithExample("quarters release zlib");
    }

    internal static Command CreateReload()
    {
        var command = new Command("reload", "Have the master read its quarters.toml again.");
        var post = new SignalPost().AddTo(command, fromAfar: false);
        command.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed, (id, time) => new ReloadConfiguration { Id = id, Time = time }, cancellationToken));
        return command.WithExample("quarters reload");
    }

    internal static Command CreateGc()
    {
        var dry = new Option<bool>("--dry-run") { Description = "only tell what would be deleted" };
        var command = new Command(
            "gc",
            "Make databases whole that the disk lost or damaged, and delete what nothing needs any more and "
                + "quarters.toml does not keep. A running master does so every hour by itself.")
        {
            dry,
        };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) => post.SendAsync(
            parsed, (id, time) => new CollectGarbage { Id = id, Time = time, DryRun = parsed.GetValue(dry) },
            cancellationToken));
        return command.WithExample("quarters gc --dry-run");
    }

    private static Argument<string> NewPackage() => new("PKGBASE") { Description = "a package base" };
}
