using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>How the list of jobs looks.</summary>
internal static class JobsPage
{
    public static Html Body(JobsView view)
    {
        var asked = view.Paging.Query.Status;
        return H(
            $"""
            <h1>Jobs</h1>
            <ul class="tabs" aria-label="Jobs by status">
            {Tab("/jobs", H($"Not done"), asked is null)}
            {Each(view.Counts, c => Tab(Links.Jobs(c.Status), H($"{Status(c.Status)} {c.Count}"), asked == c.Status))}
            </ul>
            {(view.Table.Rows.IsEmpty ? Nothing(H($"There are no such jobs.")) : view.Table.ToHtml())}
            {OtherPages(view.Paging)}
            """);
    }

    private static Html Tab(string address, Html words, bool isCurrent) => isCurrent
        ? H($"""<li><a href="{address}" aria-current="true">{words}</a></li>""")
        : H($"""<li><a href="{address}">{words}</a></li>""");
}
