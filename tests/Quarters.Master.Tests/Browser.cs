using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Quarters.Master.Pages;
using Quarters.Node;

namespace Quarters.Master.Tests;

/// <summary>Reads pages as a browser without JavaScript does: by the rules of HTML, not by searching in text.</summary>
internal sealed class Browser(PageInput input)
{
    public IHtmlDocument Open(string target, int status = 200)
    {
        var page = Get(target);
        Assert.Equal(status, page.Status);
        Assert.Equal("text/html; charset=utf-8", page.ContentType);
        return new HtmlParser().ParseDocument(Encoding.UTF8.GetString(page.Bytes));
    }

    public Page Get(string target)
    {
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var query = QueryHelpers.ParseQuery(mark < 0 ? "" : target[mark..]);
        // As the server does: it decodes the path before it asks for a page.
        var path = PathString.FromUriComponent(mark < 0 ? target : target[..mark]);
        return MasterPages.Render(new PageRequest(path.Value!, new QueryCollection(query)), input);
    }

    /// <summary>Every page that can be reached from the overview, by its address.</summary>
    public Dictionary<string, IHtmlDocument> OpenAll(int limit = 2000)
    {
        var pages = new Dictionary<string, IHtmlDocument>(StringComparer.Ordinal);
        var queue = new Queue<string>(["/", "/nowhere"]);
        while (queue.TryDequeue(out var target))
        {
            if (pages.ContainsKey(target)) continue;
            Assert.True(pages.Count < limit, "the pages go on for ever");
            pages[target] = Open(target, target == "/nowhere" ? 404 : 200);
            foreach (var link in Links(pages[target]).Where(IsPage)) queue.Enqueue(link.Split('#')[0]);
        }

        return pages;
    }

    public static IEnumerable<string> Links(IHtmlDocument page) =>
        page.QuerySelectorAll("a[href]").Select(a => a.GetAttribute("href")!);

    /// <summary>The rows of the table in a section, each as its cells' texts.</summary>
    public static List<string[]> Rows(IHtmlDocument page, string section) =>
    [
        .. page.QuerySelectorAll($"section[aria-labelledby={section}] tbody tr")
            .Select(row => row.Children.Select(Text).ToArray()),
    ];

    public static string Text(IElement element) =>
        string.Join(' ', element.TextContent.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));

    private static bool IsPage(string link) =>
        link.StartsWith('/') && !link.StartsWith("/v1/", StringComparison.Ordinal)
        && !link.StartsWith("/src/", StringComparison.Ordinal) && !link.StartsWith("/repo/", StringComparison.Ordinal)
        && !link.StartsWith("/feeds/", StringComparison.Ordinal) && link != "/metrics";
}
