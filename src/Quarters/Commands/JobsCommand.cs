using System.CommandLine;
using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Planning;
using Quarters.Reading;

namespace Quarters.Commands;

/// <summary><c>quarters jobs</c>: the jobs that are not done, one a line.</summary>
internal static class JobsCommand
{
    internal static Command Create()
    {
        var status = new Option<string?>("--status")
        {
            Description = "only those that are blocked, ready, building or failed",
        };
        status.AcceptOnlyFromAmong("blocked", "ready", "building", "failed");
        var json = new Option<bool>("--json") { Description = "print each as a line of JSON" };
        var command = new Command("jobs", "List the jobs that are not done, and why.") { status, json };
        var node = new NodeOptions().AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var link = NodeLink.Open(parsed, node);
            var state = StatusCommand.Parse(link, await link.ReadAsync(StatusCommand.Path, cancellationToken));
            JobStatus? wanted = parsed.GetValue(status) is { } text
                ? Enum.Parse<JobStatus>(text, ignoreCase: true)
                : null;
            var jobs = state.Jobs.Where(job => wanted is null || job.Status == wanted).ToList();
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                foreach (var job in jobs)
                    await output.WriteLineAsync(JsonSerializer.Serialize(job, QuartersJson.Default.JobSummary));
            }
            else if (jobs.Count > 0)
            {
                Terminal.Open(output).Write(StatusText.Jobs(jobs, TimeProvider.System.GetUtcNow()));
            }
            else
            {
                await output.WriteLineAsync(wanted is null ? "All is built." : $"No job is {parsed.GetValue(status)}.");
            }

            return ExitCode.Done;
        });
        return command.WithExample("""
            quarters jobs --status failed
            quarters jobs --json | jq -r 'select(.status == "blocked") | .reason'
            """);
    }
}
