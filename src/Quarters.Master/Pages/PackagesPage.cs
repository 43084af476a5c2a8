using Quarters.Core.Planning;
using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>How the list of packages looks.</summary>
internal static class PackagesPage
{
    private static readonly JobStatus[] Statuses =
        [JobStatus.Building, JobStatus.Ready, JobStatus.Blocked, JobStatus.Failed, JobStatus.Built];

    public static Html Body(PackagesView view) => H(
        $"""
        <h1>Packages</h1>
        <form method="get" action="/packages" role="search">
        {SearchField(view.Paging.Query.Search)}
        <label for="status">Status</label>
        <select id="status" name="status">
        <option value="">any</option>
        {Each(Statuses, status => Option(status, view.Paging.Query.Status == status))}
        </select>
        <button type="submit">Show</button>
        </form>
        {(view.Rows.IsEmpty ? Nothing(H($"""No package is so. <a href="/packages">Show all</a>""")) : List(view))}
        """);

    private static Html Option(JobStatus status, bool isChosen) => isChosen
        ? H($"""<option value="{Wording.Name(status)}" selected>{Wording.Name(status)}</option>""")
        : H($"""<option value="{Wording.Name(status)}">{Wording.Name(status)}</option>""");

    private static Html List(PackagesView view)
    {
        var rows = Each(view.Rows, row => H(
            $"""
            <tr>
            <th scope="row">{PackageLink(row.Name)}</th>
            <td class="version">{row.Version}</td>
            <td>{Status(row.Status)}</td>
            {ReasonCell(row.Reason)}
            <td class="wide">{row.Source}</td>
            <td class="wide when">{(row.Since is { } since ? Ago(since, view.Now) : Html.None)}</td>
            </tr>

            """));
        return H(
            $"""
            {Found(view.Paging.Total)}
            {Table(Head("Package", "Version", "Status", "Why", "Source|wide", "Since|wide"), rows, "list")}
            {OtherPages(view.Paging)}
            """);
    }
}
