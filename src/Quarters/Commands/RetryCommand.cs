using System.CommandLine;
using Quarters.Core.Documents;
using Quarters.Reading;
using Quarters.Running;

namespace Quarters.Commands;

/// <summary><c>quarters retry NAME</c>: tries what failed again.</summary>
internal static class RetryCommand
{
    internal static Command Create()
    {
        var name = new Argument<string>("PKGBASE|JOB") { Description = "a package base, or the id of one job" };
        var command = new Command("retry", "Try again what failed; on the master's machine.") { name };
        var post = new SignalPost().AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var wanted = parsed.GetRequiredValue(name);
            JobLookup.Check(wanted);
            return post.SendAsync(
                parsed, (id, time) => new RetryJob { Id = id, Time = time, Name = wanted }, cancellationToken);
        });
        return command.WithExample("quarters retry zlib");
    }
}
