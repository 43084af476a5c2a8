using static Quarters.Master.Pages.Html;
using static Quarters.Master.Pages.Pieces;

namespace Quarters.Master.Pages;

/// <summary>What stands around every page.</summary>
internal static class Frame
{
    /// <summary>The whole document.</summary>
    public static Html Around(View view, Html content) => H(
        $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        {When(view.Refreshes, $"""<meta http-equiv="refresh" content="30">""")}
        <title>{view.Title} · {view.Input.Name} · Quarters</title>
        <link rel="stylesheet" href="/style.css">
        <link rel="icon" href="/icon.svg" type="image/svg+xml">
        {Each(view.Feeds, Alternate)}
        </head>
        <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
        <a class="brand" href="/"><img src="/icon.svg" alt="" width="20" height="20">Quarters</a>
        <span class="node">{view.Input.Name}</span>
        <nav aria-label="Pages">
        {Entry(view, "overview", "/", "Overview")}
        {Entry(view, "packages", "/packages", "Packages")}
        {Entry(view, "jobs", "/jobs", "Jobs")}
        {Entry(view, "repositories", "/#repositories", "Repositories")}
        </nav>
        </header>
        <main id="content">
        {content}
        </main>
        <footer>
        {When(!view.Feeds.IsEmpty, $"<p>News as feeds: {Each(view.Feeds, Feed)}</p>")}
        <p>Revision {view.Input.State.Revision}, as of {Exact(view.Now)}
        {When(view.Refreshes, $" (read again every 30 s)")}.
        The same for programs: <a href="/v1/state.json">state</a>, <a href="/v1/queue.json">queue</a>,
        <a href="/v1/builders.json">builders</a>, <a href="/metrics">metrics</a>.</p>
        </footer>
        </body>
        </html>

        """);

    private static Html Alternate(FeedLink feed) =>
        H($"""<link rel="alternate" type="application/atom+xml" title="{feed.Title}" href="{feed.Path}">""");

    private static Html Feed(FeedLink feed) => H($"""<a class="feed" href="{feed.Path}">{feed.Title}</a> """);

    private static Html Entry(View view, string section, string address, string words) =>
        view.Section == section
            ? H($"""<a href="{address}" aria-current="page">{words}</a>""")
            : H($"""<a href="{address}">{words}</a>""");
}
