using Quarters.Core.Documents;
using Quarters.Core.Planning;
using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>How the page of one job looks.</summary>
internal static class JobPage
{
    public static Html Body(JobView view)
    {
        var job = view.Job;
        return H(
            $"""
            <h1>{PackageLink(job.Pkgbase)} <span class="version">{job.Version}</span> {Status(job.Status)}</h1>
            {Reason(view.Reason)}
            <dl>
            {Fact("Job", H($"<code>{job.Id}</code>"))}
            {Fact("For", H($"{job.Architecture}"))}
            {Fact("Since", Ago(job.Since, view.Now))}
            {Fact("First seen", Ago(job.Created, view.Now))}
            {Fact("Source", ArchiveLink(job.SourceSha256))}
            {Each(job.Retries.Reverse(), retry => Fact("Begun anew", Anew(retry, view.Now)))}
            </dl>
            {Section("blockers", "It lacks", !job.Blockers.IsEmpty, () => Blockers(job))}
            {Section("now", $"Attempt {job.Attempt} runs", job.Status == JobStatus.Building, () => Running(view))}
            {Each(view.Attempts, attempt => Ended(attempt, job.Id, view.Now))}
            {Section("files", "Published", !view.Files.IsEmpty, () => Files(view.Files))}
            <p class="more">The same for programs: <a href="/v1{Links.Job(job.Id)}.json">JSON</a></p>
            """);
    }

    private static Html Reason(string reason) =>
        When(reason.Length > 0, $"""<p class="reason">{Wording.Clip(reason, Wording.LongReason)}</p>""");

    private static Html Anew(Retry retry, DateTimeOffset now) => H(
        $"from attempt {retry.Attempt}, since {Wording.Clip(retry.Why, Wording.LongReason)}, {Ago(retry.Time, now)}");

    private static Html Blockers(Job job)
    {
        var shown = job.Blockers.Take(JobView.MaxRows);
        var rows = Each(shown, blocker => H($"<li>{blocker.Relation}{From(blocker)}</li>"));
        return H($"<ul>{rows}</ul>");

        static Html From(Blocker blocker)
        {
            if (blocker.Pkgbase is not { } pkgbase) return H($", which nobody provides");
            var why = blocker.Kind == BlockerKind.Failed ? "which failed" : "which is to be built first";
            return H($" from {PackageLink(pkgbase)}, {why}");
        }
    }

    private static Html Running(JobView view) => H(
        $"""
        <dl>
        {Fact("Builder", H($"{view.Job.Builder}"))}
        {Fact("Stage", H($"{Wording.Stage(view.Claim)}"))}
        {Fact("Elapsed", Since(view.Job.Since, view.Now))}
        {Fact("Log", H($"""<a href="{view.LiveLog}">live log</a>"""))}
        </dl>
        """);

    private static Html Ended(AttemptView view, string job, DateTimeOffset now)
    {
        var attempt = view.Attempt;
        var content = H(
            $"""
            {Reason(attempt.Reason)}
            <dl>
            {Fact("Builder", H($"{attempt.Builder}"))}
            {Fact("Settled", Ago(attempt.Settled, now))}
            {(attempt.Result is { } result ? Told(result) : Html.None)}
            </dl>
            {(view.Phases.IsEmpty ? Html.None : Phases(view))}
            {When(
                view.LastLines.Length > 0,
                $"""<h3>The end of its log</h3><pre class="log" tabindex="0">{view.LastLines}</pre>""")}
            """);
        return Section(attempt.LogName("attempt"), H($"Attempt {attempt.Number} {End(attempt.End)}"), content);

        Html Told(BuildResult result)
        {
            var took = H($"{Wording.Duration(result.Finished - result.Started)}");
            var log = H($"""<a href="{Links.Log(attempt.LogName(job))}">whole log</a>""");
            return H($"{Fact("It took", took)}{Fact("Log", H($"{log}, {Wording.Size(result.LogBytes)}"))}");
        }
    }

    private static Html Phases(AttemptView view) => Table(
        Head("Phase", "Time|number", "Share of the time|share", "Processor|number", "Memory|number"),
        Each(view.Phases, phase => H(
            $"""
            <tr>
            <th scope="row">{Wording.Clip(phase.Cost.Phase, Wording.StageLength)}</th>
            <td class="number">{Wording.Duration(Wording.Seconds(phase.Cost.ElapsedSeconds))}</td>
            <td class="share">{Bar(phase.From, phase.Width)}</td>
            <td class="number">{Wording.Duration(Wording.Seconds(phase.Cost.CpuSeconds))}</td>
            <td class="number">{(phase.Cost.PeakMemoryBytes > 0 ? Wording.Size(phase.Cost.PeakMemoryBytes) : "–")}</td>
            </tr>

            """)),
        "phases");
}
