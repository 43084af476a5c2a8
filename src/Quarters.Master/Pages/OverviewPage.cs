using Quarters.Core.Documents;
using Quarters.Core.Planning;
using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>How the overview looks.</summary>
internal static class OverviewPage
{
    public static Html Body(OverviewView view) => H(
        $"""
        <h1 class="unseen">Overview</h1>
        {Counts(view.Counts)}
        {Section("advice", "To decide", !view.Advice.IsEmpty, () => Advice(view))}
        {Section("rebuilds", "Rebuilds", !view.Rebuilds.IsEmpty, () => Rebuilds(view))}
        {Section("building", H($"Building now"), Building(view))}
        {Section("ready", H($"Ready to build"), Ready(view))}
        {Section("failed", "Failed", !view.Failed.Rows.IsEmpty || !view.Unreadable.IsEmpty, () => Failed(view))}
        {Section("built", H($"Built last"), Built(view))}
        {Section("repositories", H($"Repositories"), RepositoriesPart.Of(view))}
        {Section("sources", H($"Sources"), Sources(view))}
        {Section("builders", H($"Builders"), Builders(view))}
        """);

    private static Html Counts(StatusCounts counts)
    {
        return H(
            $"""
            <ul class="counts" aria-label="Packages by status">
            <li><a href="/packages"><b>{counts.Packages}</b> packages</a></li>
            {Count(JobStatus.Building, counts.Building)}
            {Count(JobStatus.Ready, counts.Ready)}
            {Count(JobStatus.Blocked, counts.Blocked)}
            {Count(JobStatus.Failed, counts.Failed)}
            {Count(JobStatus.Built, counts.Built)}
            </ul>
            """);

        static Html Count(JobStatus status, int count) =>
            H($"""<li><a href="{Links.Packages(status)}"><b>{count}</b> {Status(status)}</a></li>""");
    }

    private static Html Advice(OverviewView view) => H(
        $"<ul>{Each(view.Advice, sentence => H($"<li>{sentence}</li>"))}</ul>");

    private static Html Rebuilds(OverviewView view) => Table(
        Head("Rebuild", "Packages", "Which", "Begun"),
        Each(view.Rebuilds, rebuild => H(
            $"""
            <tr>
            <th scope="row"><a href="{Links.Rebuild(rebuild.Name)}">{rebuild.Name}</a></th>
            <td>{rebuild.Members.Count}</td>
            {ReasonCell(rebuild.Why)}
            <td class="when">{Ago(rebuild.Begun, view.Now)}</td>
            </tr>

            """)),
        "list");

    private static Html Building(OverviewView view)
    {
        if (view.Building.IsEmpty) return Nothing(H($"Nothing builds at the moment."));
        return Table(
            Head("Package", "Version", "For|wide", "Stage", "Elapsed", "Builder|wide", "Job"),
            Each(view.Building, row => H(
                $"""
                <tr>
                <th scope="row">{PackageLink(row.Job.Pkgbase)}</th>
                <td class="version">{row.Job.Version}</td>
                <td class="wide arch">{row.Job.Architecture}</td>
                <td class="reason">{Wording.Stage(row.Claim)}</td>
                <td class="when">{Since(row.Job.Since, view.Now)}</td>
                <td class="wide who">{row.Job.Builder}{When(row.Job.Attempt > 1, $", attempt {row.Job.Attempt}")}</td>
                <td class="links">{JobLink(row.Job.Id, row.Job.Pkgbase)}
                <a href="{view.Input.LogOf(row.Job)}" aria-label="Live log of {row.Job.Pkgbase}">live log</a></td>
                </tr>

                """)),
            "list");
    }

    private static Html Ready(OverviewView view)
    {
        if (view.Ready.IsEmpty) return Nothing(H($"The queue is empty."));
        var table = Table(
            Head("Package", "Version", "For|wide", "For it", "Why", "Ready", "Job"),
            Each(view.Ready, row => H(
                $"""
                <tr>
                <th scope="row">{PackageLink(row.Job.Pkgbase)}</th>
                <td class="version">{row.Job.Version}</td>
                <td class="wide arch">{row.Job.Architecture}</td>
                <td class="when">{row.Waiting switch { 0 => "", 1 => "1 job waits", var n => $"{n} jobs wait" }}</td>
                {ReasonCell(row.Job.Reason)}
                <td class="when">{Ago(row.Job.Since, view.Now)}</td>
                <td class="links">{JobLink(row.Job.Id, row.Job.Pkgbase)}</td>
                </tr>

                """)),
            "list");
        var all = view.Input.State.Ready.Count;
        return H(
            $"""
            {table}
            {When(
                all > view.Ready.Length,
                $"""<p class="more"><a href="{Links.Jobs(JobStatus.Ready)}">All {all} ready jobs</a></p>""")}
            """);
    }

    private static Html Failed(OverviewView view)
    {
        var unreadable = Table(
            Head("Package", "Why", "Directory|wide", "Revision|wide", "Committed"),
            Each(view.Unreadable, package => H(
                $"""
                <tr>
                <th scope="row">{PackageLink(package.Name)}</th>
                {ReasonCell(package.Reason)}
                <td class="wide">{package.Path}</td>
                <td class="wide"><code>{Wording.Short(package.Revision)}</code></td>
                <td class="when">{Ago(package.Time, view.Now)}</td>
                </tr>

                """)),
            "list");
        var all = view.Counts.Failed;
        return H(
            $"""
            {When(!view.Failed.Rows.IsEmpty, $"{view.Failed.ToHtml()}")}
            {When(!view.Unreadable.IsEmpty, $"<h3>Cannot be read</h3>{unreadable}")}
            {When(
                all > view.Failed.Rows.Length + view.Unreadable.Length,
                $"""<p class="more"><a href="{Links.Packages(JobStatus.Failed)}">All {all} failed packages</a></p>""")}
            """);
    }

    private static Html Built(OverviewView view) => view.Built.Rows.IsEmpty
        ? Nothing(H($"Nothing was built yet."))
        : H(
            $"""
            {view.Built.ToHtml()}
            <p class="more"><a href="{Links.Jobs(JobStatus.Built)}">All that was built</a></p>
            """);

    private static Html Sources(OverviewView view)
    {
        if (view.Input.Sources.IsEmpty)
            return Nothing(H($"No source is configured: name one in <code>quarters.toml</code>."));
        return Table(
            Head("Source", "Kind", "Packages", "Last read", "It took|wide", "PKGBUILDs read|wide", "At|wide"),
            Each(view.Input.Sources, source => H(
                $"""
                <tr>
                <th scope="row">{source.Name}</th>
                <td>{source.Kind}</td>
                <td>{source.Packages}</td>
                <td class="when">{Ago(source.LastSuccess, view.Now)}</td>
                <td class="wide">{Wording.Duration(Wording.Seconds(source.LastPollSeconds))}</td>
                <td class="wide">{source.LastParsed} last time, {source.TotalParsed} in all</td>
                <td class="wide"><code>{Wording.Short(source.Cursor)}</code></td>
                </tr>
                {ErrorRow(source.Error, columns: 7)}
                """)));
    }

    private static Html Builders(OverviewView view)
    {
        if (view.Input.Builders.IsEmpty)
        {
            return Nothing(H(
                $"""
                No builder is listed, so that nothing can be built:
                <code>quarters builders add</code> lists one, with its key.
                """));
        }

        return Table(
            Head("Builder", "Last seen", "Does", "Address|wide", "Key|wide"),
            Each(view.Input.Builders, builder => H(
                $"""
                <tr>
                <th scope="row">{builder.Name}</th>
                <td class="when">{Ago(builder.LastSeen, view.Now)}</td>
                <td>{view.Does(builder)}</td>
                <td class="wide"><code>{builder.Url}</code></td>
                <td class="wide"><code>{Wording.ShortKey(builder.PublicKey)}</code></td>
                </tr>
                {ErrorRow(builder.Error, columns: 5)}
                """)));
    }
}
