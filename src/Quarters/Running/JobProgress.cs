using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Reading;

namespace Quarters.Running;

/// <summary>Tells in lines what became of jobs between two looks at the master's state document.</summary>
internal static class JobProgress
{
    /// <summary>What changed. A job that is in the document no more is done, one way or another:
    /// <paramref name="find"/>
    /// says how.</summary>
    internal static async IAsyncEnumerable<string> LinesAsync(
        MasterStateDocument? before, MasterStateDocument after, Func<string, Task<JobDocument?>> find)
    {
        var known = before?.Jobs.ToDictionary(job => job.Id, StringComparer.Ordinal) ?? [];
        foreach (var job in after.Jobs)
        {
            known.Remove(job.Id, out var earlier);
            if (earlier is null || earlier.Status != job.Status || earlier.Attempt != job.Attempt)
                yield return Line(job.Pkgbase, job.Version, job.Status, job.Reason);
        }

        foreach (var id in known.Keys.Order(StringComparer.Ordinal))
        {
            // The document holds a limited number of jobs, so that one may be left out without being done.
            if (await find(id) is { Job.IsOpen: false } document)
                yield return Line(document.Job.Pkgbase, document.Job.Version, document.Job.Status, document.Reason);
        }

        foreach (var source in after.Sources)
        {
            var earlier = before?.Sources.FirstOrDefault(known => known.Name == source.Name);
            if (source.Error is { } error && earlier?.Error != error)
                yield return Terminal.Printable($"source {source.Name}: {error}");
        }

        foreach (var builder in after.Builders)
        {
            var earlier = before?.Builders.FirstOrDefault(known => known.Name == builder.Name);
            if (builder.Error is { } error && earlier?.Error != error)
                yield return Terminal.Printable($"builder {builder.Name}: {error}");
        }
    }

    private static string Line(string pkgbase, string version, JobStatus status, string reason) =>
        Terminal.Printable($"{pkgbase} {version} {StatusText.Name(status)}{(reason.Length == 0 ? "" : ": " + reason)}");
}
