using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>How the page of a rebuild looks.</summary>
internal static class RebuildPage
{
    public static Html Body(RebuildView view)
    {
        var rebuild = view.Rebuild;
        var kind = rebuild.Stage is { } stage ? $"stage {stage.Number} of {stage.Bootstrap}" : "a rebuild";
        return H(
            $"""
            <h1>{rebuild.Name} <span class="version">{kind}</span></h1>
            <dl>
            {Fact("Which", H($"{rebuild.Why}"))}
            {Fact("Begun", Ago(rebuild.Begun, view.Now))}
            {Fact("Built", H($"{view.Built} of {rebuild.Members.Count}, {view.Failed} failed"))}
            {Fact("To publish it", H($"<code>{view.Merge}</code>"))}
            </dl>
            {SearchForm(view.Paging)}
            {(view.Rows.IsEmpty ? Nothing(H($"No package is so.")) : List(view))}
            """);
    }

    private static Html List(RebuildView view)
    {
        var rows = Each(view.Rows, row => H(
            $"""
            <tr>
            <th scope="row">{PackageLink(row.Pkgbase)}</th>
            <td class="version">{row.Version}</td>
            <td>{Status(row.Status)}</td>
            {ReasonCell(row.Reason)}
            </tr>

            """));
        return H(
            $"""
            {Found(view.Paging.Total)}
            {Table(Head("Package", "Version", "Status", "Why"), rows, "list")}
            {OtherPages(view.Paging)}
            """);
    }
}
