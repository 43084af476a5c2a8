using System.CommandLine;
using System.Globalization;
using Quarters.Core.Planning;
using Quarters.Node;
using Quarters.Reading;

namespace Quarters.Commands;

/// <summary><c>quarters log ID</c>: the log of a build: the builder has it while it runs, the master
/// afterwards.</summary>
internal static class LogCommand
{
    private const int BlockBytes = 1 << 20;

    private static readonly TimeSpan BeforeFirstLine = TimeSpan.FromMilliseconds(500);

    internal static Command Create()
    {
        var id = new Argument<string>("ID[.ATTEMPT]")
        {
            Description = "a job, or a package base for its newest one; the newest attempt if none is named",
        };
        var follow = new Option<bool>("--follow", "-f") { Description = "wait for more until the build has ended" };
        var command = new Command("log", "Print the log of a build.") { id, follow };
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var (job, attempt, name, runningAt) =
                await ChooseAsync(link, parsed.GetRequiredValue(id), cancellationToken);
            var path = $"v1/logs/{name}.log";
            await using var output = Console.OpenStandardOutput();
            long printed = 0;
            if (runningAt is not null)
            {
                using var builder = await BuilderAsync(link, runningAt, cancellationToken);
                var isRunning = (CancellationToken token) => IsRunningAsync(link, job.Id, attempt, token);
                printed = await PrintAsync(
                    builder, path, 0, output, parsed.GetValue(follow) ? isRunning : null, cancellationToken);
            }

            // Of what has ended the master has the log, the same bytes.
            if (!await IsRunningAsync(link, job.Id, attempt, cancellationToken))
                await PrintAsync(link, path, printed, output, null, cancellationToken);
            return ExitCode.Done;
        });
        return command.WithExample("""
            quarters log -f zlib
            quarters log zlib-1.2.13-1-x86_64-0a1b2c3d.1
            """);
    }

    /// <returns>The job, the attempt, the stem of its log, and the builder at which it runs; null when it has
    /// ended.</returns>
    private static async Task<(Job Job, int Attempt, string Log, string? RunningAt)> ChooseAsync(
        NodeLink link, string name, CancellationToken cancellationToken)
    {
        JobLookup.Check(name);
        int? wanted = null;
        var dot = name.LastIndexOf('.');
        // An id ends in eight hexadecimal digits after a hyphen, so that a dot behind the last hyphen begins an
        // attempt.
        if (dot > name.LastIndexOf('-') && dot > 0
            && int.TryParse(name.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            (wanted, name) = (number, name[..dot]);
        var job = JobCommand.Parse(link, await JobLookup.FindAsync(link, name, cancellationToken)).Job;
        if (job.Status == JobStatus.Building && job.Builder is { } now && (wanted ?? job.Attempt) == job.Attempt)
            return (job, job.Attempt, JobId.AttemptName(job.Id, job.Attempt), now);
        var ended = wanted is null
            ? job.Attempts.LastOrDefault()
            : job.Attempts.LastOrDefault(a => a.Number == wanted);
        if (ended is not null)
            return (job, ended.Number, ended.LogName(job.Id), null);
        throw new MistakeException(wanted is null
            ? $"{job.Id} was not built yet: it is {StatusText.Name(job.Status)}; `quarters why {job.Pkgbase}` says more"
            : $"{job.Id} has no attempt {wanted}; `quarters job {job.Id}` lists them");
    }

    private static async Task<NodeLink> BuilderAsync(NodeLink master, string name, CancellationToken cancellationToken)
    {
        var state = StatusCommand.Parse(master, await master.ReadAsync(StatusCommand.Path, cancellationToken));
        var builder = state.Builders.FirstOrDefault(builder => builder.Name == name)
            ?? throw new MistakeException($"the log is at the builder \"{name}\", which the master knows no more");
        if (!NodeKey.TryParse(builder.PublicKey, out var key)
            || !Uri.TryCreate(builder.Url, UriKind.Absolute, out var url))
            throw new MistakeException($"the master names no usable address and key of the builder \"{name}\"");
        return new NodeLink(url, key);
    }

    private static async Task<bool> IsRunningAsync(
        NodeLink link, string id, int attempt, CancellationToken cancellationToken)
    {
        var job = JobCommand.Parse(link, await JobLookup.FindAsync(link, id, cancellationToken)).Job;
        return job.Status == JobStatus.Building && job.Attempt == attempt;
    }

    /// <summary>Prints what is there from an offset on; with <paramref name="isRunning"/> also what comes, until it
    /// runs no more and all is printed.</summary>
    /// <returns>How much of the log is printed now.</returns>
    private static async Task<long> PrintAsync(
        NodeLink node, string path, long offset, Stream output, Func<CancellationToken, Task<bool>>? isRunning,
        CancellationToken cancellationToken)
    {
        var goesOn = isRunning is not null;
        while (true)
        {
            var wait = goesOn ? NodeLink.Patience : TimeSpan.Zero;
            switch (await node.TailAsync(path, offset, wait, BlockBytes, cancellationToken))
            {
                case PullResult.Document document when document.Bytes.Length > 0:
                    offset += document.Bytes.Length;
                    await output.WriteAsync(Harmless(document.Bytes), cancellationToken);
                    await output.FlushAsync(cancellationToken);
                    break;
                case PullResult.Failed { Failure.Status: 404 } when isRunning is not null:
                    // The builder has begun, but not the log; or the result is settled and the log the master's.
                    if (!await isRunning(cancellationToken))
                        return offset;
                    await Task.Delay(BeforeFirstLine, TimeProvider.System, cancellationToken);
                    break;
                case PullResult.Failed { Failure.Status: 404 }:
                    throw new MistakeException($"{node.Address} has no log {Path.GetFileName(path)}");
                case PullResult.Failed failed:
                    throw node.Refusal(failed.Failure);
                default:
                    if (!goesOn)
                        return offset;
                    // Once more after its end: the last lines may have come between the two questions.
                    goesOn = await isRunning!(cancellationToken);
                    break;
            }
        }
    }

    /// <summary>A build may print what would take over a terminal; a file or pipe gets every byte.</summary>
    private static byte[] Harmless(byte[] bytes) => Console.IsOutputRedirected
        ? bytes
        : Array.ConvertAll(bytes, b => b is < 0x20 and not (byte)'\n' and not (byte)'\t' or 0x7f ? (byte)' ' : b);
}
