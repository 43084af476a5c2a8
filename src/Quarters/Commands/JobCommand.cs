using System.CommandLine;
using System.Globalization;
using System.Text;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Reading;

namespace Quarters.Commands;

/// <summary><c>quarters job ID</c>: one job with its attempts.</summary>
internal static class JobCommand
{
    internal static Command Create()
    {
        var id = new Argument<string>("ID") { Description = "a job, or a package base for its newest one" };
        var json = new Option<bool>("--json") { Description = "print the job's document as it is" };
        var command = new Command("job", "Show one job: its attempts, how they ended and what they cost.") { id, json };
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var bytes = await JobLookup.FindAsync(link, parsed.GetRequiredValue(id), cancellationToken);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
                await output.WriteLineAsync(Encoding.UTF8.GetString(bytes).TrimEnd());
            else
                Write(Parse(link, bytes), output);
            return ExitCode.Done;
        });
        return command.WithExample("quarters job zlib");
    }

    /// <summary>Makes a job's document of bytes.</summary>
    internal static JobDocument Parse(NodeLink link, byte[] bytes) => link.Parse(
        bytes, QuartersJson.Default.JobDocument, Schemas.Job, document => document.Schema);

    private static void Write(JobDocument document, TextWriter output)
    {
        var job = document.Job;
        Line($"{job.Id}");
        Line($"  {job.Pkgbase} {job.Version} for {job.Architecture}, source {job.SourceSha256}");
        var why = document.Reason.Length == 0 ? "" : ": " + document.Reason;
        Line($"  {StatusText.Name(job.Status)} since {job.Since:u}{why}");
        foreach (var attempt in job.Attempts)
        {
            var reason = attempt.Reason.Length == 0 ? "" : ": " + attempt.Reason;
            Line($"attempt {attempt.Number} at {attempt.Builder}: {attempt.End.ToString().ToLowerInvariant()}{reason}");
            foreach (var cost in attempt.Result?.Costs ?? [])
                Line($"  {cost.Phase,-14} {Seconds(cost.ElapsedSeconds)} s, processor {Seconds(cost.CpuSeconds)} s");
            foreach (var file in attempt.Result?.Files ?? [])
                Line($"  {file.Name}, {file.Bytes} bytes");
            foreach (var line in attempt.Result?.Failure?.LastLines ?? [])
                Line("  | " + line);
        }

        if (job.Status is JobStatus.Building || !job.Attempts.IsEmpty)
            Line($"The whole log: quarters log {job.Id}");

        void Line(string text) => output.WriteLine(Terminal.Printable(text));
    }

    private static string Seconds(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
}
