using Quarters.Core.Documents;
using Spectre.Console;

namespace Quarters.Reading;

/// <summary>The farm on one screen.</summary>
internal static class StatusText
{
    private const int MaxJobs = 30;
    private const int MaxUnreadable = 10;

    internal static void Write(IAnsiConsole console, Uri address, MasterStateDocument state, DateTimeOffset now)
    {
        var counts = state.Counts;
        console.WriteLine(Terminal.Printable($"{state.Name} at {address}"));
        console.WriteLine($"{counts.Packages} packages: {counts.Built} built, {counts.Building} building, "
            + $"{counts.Ready} ready, {counts.Blocked} blocked, {counts.Failed} failed"
            + (counts.Unreadable > 0 ? $" ({counts.Unreadable} cannot be read)" : ""));
        console.WriteLine();

        var sources = Terminal.Columns("SOURCE", "KIND", "PACKAGES", "READ", "TOOK", "LAST POLL");
        foreach (var source in state.Sources)
        {
            sources.Row(
                source.Name,
                source.Kind,
                $"{source.Packages}",
                $"{source.LastParsed} of {source.TotalParsed} in all",
                FormattableString.Invariant($"{source.LastPollSeconds:0.00} s"),
                source.Error ?? (source.LastSuccess is { } at ? Terminal.Ago(at, now) + " ago" : "not yet"));
        }

        console.Write(sources);
        console.WriteLine();
        var repositories = Terminal.Columns("REPOSITORY", "ARCHITECTURE", "PACKAGES", "");
        foreach (var repository in state.Repositories)
        {
            repositories.Row(
                repository.Name,
                repository.Architecture,
                $"{repository.Packages}",
                repository.Own ? "published here" : "");
        }

        console.Write(repositories);
        console.WriteLine();
        var builders = Terminal.Columns("BUILDER", "SEEN", "DOES");
        foreach (var builder in state.Builders)
        {
            var seen = builder.LastSeen is { } at ? Terminal.Ago(at, now) + " ago" : "never";
            var does = builder.Claims.Select(claim =>
                $"{claim.Job}: {claim.Stage ?? $"{claim.Phase}".ToLowerInvariant()}, {Terminal.Ago(claim.Since, now)}");
            builders.Row(builder.Name, seen, builder.Error ?? string.Join('\n', does.DefaultIfEmpty("nothing")));
        }

        console.Write(builders);
        WriteUnreadable(console, state);
        if (state.Reviews.Count(review => !review.Rejected) is > 0 and var waiting)
            console.WriteLine($"{waiting} changes need review: quarters review list");
        foreach (var advice in state.Advice)
            console.WriteLine(advice);
        if (state.Jobs.IsEmpty)
            return;
        console.WriteLine();
        console.Write(Jobs(state.Jobs.Take(MaxJobs), now));
        if (state.Jobs.Length > MaxJobs)
            console.WriteLine($"and {state.Jobs.Length - MaxJobs} more: quarters jobs");
    }

    private static void WriteUnreadable(IAnsiConsole console, MasterStateDocument state)
    {
        if (state.Unreadable.IsEmpty)
            return;
        console.WriteLine();
        var table = Terminal.Columns("CANNOT BE READ", "AT", "WHY");
        foreach (var one in state.Unreadable.Take(MaxUnreadable))
            table.Row(one.Name, one.Path.Length > 0 ? $"{one.Source}: {one.Path}" : one.Source, one.Reason);
        console.Write(table);
        if (state.Counts.Unreadable > MaxUnreadable)
            console.WriteLine($"and {state.Counts.Unreadable - MaxUnreadable} more");
    }

    /// <summary>Every builder as it says itself, or as the master last saw it.</summary>
    internal static Table Farm(FarmView farm, DateTimeOffset now)
    {
        var table = Terminal.Columns("BUILDER", "REACHED", "DOES");
        foreach (var node in farm.Builders)
        {
            var claims = node.State?.Claims ?? node.Seen?.Claims ?? [];
            var does = string.Join('\n', claims
                .Select(claim => $"{claim.Job}: {claim.Stage ?? $"{claim.Phase}".ToLowerInvariant()}")
                .DefaultIfEmpty("nothing"));
            var isDrained = node.Listed.Draining || node.State is { Draining: true };
            var reached = (node.State is null ? "no" : "yes") + (isDrained ? ", drains" : "");
            if (node.State is { } state)
            {
                table.Row(node.Listed.Name, reached, state.Trouble is null ? does : $"{does}\n{state.Trouble}");
                continue;
            }

            var known = node.SeenSecondsAgo is { } seconds
                ? $"{Terminal.Ago(now.AddSeconds(-seconds), now)} ago the master saw: {does}"
                : "the master has not seen it since it began";
            table.Row(node.Listed.Name, reached, $"{node.Error}\n{known}");
        }

        return table;
    }

    internal static Table Jobs(IEnumerable<JobSummary> jobs, DateTimeOffset now)
    {
        var table = Terminal.Columns("JOB", "STATUS", "SINCE", "WHY");
        foreach (var job in jobs)
            table.Row(job.Id, Name(job.Status), Terminal.Ago(job.Since, now), job.Reason);
        return table;
    }

    internal static string Name(Core.Planning.JobStatus status) => status.ToString().ToLowerInvariant();
}
