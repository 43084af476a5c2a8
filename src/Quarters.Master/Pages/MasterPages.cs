using System.Reflection;
using Microsoft.AspNetCore.Http;
using Quarters.Master.Feeds;
using Quarters.Node;

namespace Quarters.Master.Pages;

/// <summary>
/// The pages and feeds for people: functions of the state, readable without JavaScript. What is at which address is
/// decided here; what a page shows by its view, and how it looks by the page of that name.
/// </summary>
internal static class MasterPages
{
    /// <summary>No path of ours is longer; what is longer is not looked at.</summary>
    private const int MaxPath = 1000;

    private static readonly Page Style = Asset("style.css", "text/css; charset=utf-8");
    private static readonly Page Icon = Asset("icon.svg", "image/svg+xml");

    /// <summary>The page at an address. Where there is none, one that says so, with status 404.</summary>
    /// <param name="request">What is asked for; nothing in it is trusted.</param>
    /// <param name="input">What to show.</param>
    public static Page Render(PageRequest request, PageInput input)
    {
        var path = request.Path.Length <= MaxPath ? request.Path.Trim('/').Split('/') : [];
        switch (path)
        {
            case ["style.css"]:
                return Style;
            case ["icon.svg"]:
                return Icon;
            case ["feeds", ..] when Feed.Find(request.Path, input) is { } feed:
                return new Page(AtomText.Of(feed), "application/atom+xml; charset=utf-8");
        }

        var query = new PageQuery(request.Query["q"], request.Query["status"], request.Query["page"]);
        if (Find(path, query, input) is { } found) return Page.Html(found.ToString());
        var missing = NotFoundView.Of(path, input);
        return Page.Html(Frame.Around(missing, NotFoundPage.Body(missing)).ToString()) with
        {
            Status = StatusCodes.Status404NotFound,
        };
    }

    private static Html? Find(string[] path, PageQuery query, PageInput input) => path switch
    {
        [""] => Framed(OverviewView.Of(input), OverviewPage.Body),
        ["packages"] => Framed(PackagesView.Of(query, input), PackagesPage.Body),
        ["packages", var pkgbase] => Framed(PackageView.Of(pkgbase, input), PackagePage.Body),
        ["jobs"] => Framed(JobsView.Of(query, input), JobsPage.Body),
        ["jobs", var id] => Framed(JobView.Of(id, input), JobPage.Body),
        ["rebuilds", var name] => Framed(RebuildView.Of(name, query, input), RebuildPage.Body),
        ["repositories", var name, var architecture] =>
            Framed(RepositoryView.Of(name, architecture, query, input), RepositoryPage.Body),
        _ => null,
    };

    private static Html? Framed<TView>(TView? view, Func<TView, Html> body)
        where TView : View =>
        view is null ? null : Frame.Around(view, body(view));

    private static Page Asset(string name, string contentType)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var body = new byte[stream.Length];
        stream.ReadExactly(body);
        return new Page(body, contentType);
    }
}
