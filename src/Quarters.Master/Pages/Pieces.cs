using System.Globalization;
using Quarters.Core.Planning;
using static Quarters.Master.Pages.Html;

namespace Quarters.Master.Pages;

/// <summary>Small pieces of markup that many pages share.</summary>
internal static class Pieces
{
    /// <summary>A time, relative to the page's; the exact one shows when pointed at.</summary>
    public static Html Ago(DateTimeOffset time, DateTimeOffset now) => Time(time, Wording.Ago(now - time));

    /// <summary>A time that may not have come yet.</summary>
    public static Html Ago(DateTimeOffset? time, DateTimeOffset now) =>
        time is { } known ? Ago(known, now) : H($"never");

    /// <summary>How long something has gone on.</summary>
    public static Html Since(DateTimeOffset time, DateTimeOffset now) => Time(time, Wording.Duration(now - time));

    /// <summary>A time as it is.</summary>
    public static Html Exact(DateTimeOffset time) =>
        Time(time, string.Create(CultureInfo.InvariantCulture, $"{time.ToUniversalTime():yyyy-MM-dd HH:mm:ss} UTC"));

    /// <summary>A status: a word with a coloured mark.</summary>
    public static Html Status(JobStatus status) => Mark(Wording.Name(status), Wording.Name(status));

    /// <summary>The end of an attempt, coloured as the status that it led to.</summary>
    public static Html End(AttemptEnd end)
    {
        var kind = end switch
        {
            AttemptEnd.Accepted or AttemptEnd.Witnessed => "built",
            AttemptEnd.Lost or AttemptEnd.GivenUp => "blocked",
            _ => "failed",
        };
        return Mark(kind, Wording.Name(end));
    }

    /// <summary>A word with a coloured mark.</summary>
    public static Html Mark(string kind, string word) => H($"""<span class="status {kind}">{word}</span>""");

    /// <summary>A reason from elsewhere, as a table's cell.</summary>
    public static Html ReasonCell(string reason) =>
        H($"""<td class="reason">{Wording.Clip(reason, Wording.ShortReason)}</td>""");

    /// <summary>What is wrong, in a row below what it is wrong with; nothing where all is well.</summary>
    public static Html ErrorRow(string? error, int columns) => When(
        error is not null,
        $"""<tr class="error"><td colspan="{columns}">{Wording.Clip(error ?? "", Wording.LongReason)}</td></tr>""");

    /// <summary>The head of a table: a name for each column, after <c>|</c> its class.</summary>
    public static Html Head(params ReadOnlySpan<string> columns)
    {
        var cells = Each(columns.ToArray(), column => column.Split('|') is [var name, var kind]
            ? H($"""<th scope="col" class="{kind}">{name}</th>""")
            : H($"""<th scope="col">{column}</th>"""));
        return H($"<thead><tr>{cells}</tr></thead>");
    }

    /// <summary>A table in a frame that scrolls sideways where the screen is too narrow.</summary>
    public static Html Table(Html head, Html rows, string kind = "") =>
        H($"""<div class="table"><table class="{kind}">{head}<tbody>{rows}</tbody></table></div>""");

    /// <summary>A part of a page under a heading; nothing where there is nothing to show.</summary>
    public static Html Section(string id, string heading, bool isWanted, Func<Html> content) =>
        isWanted ? Section(id, H($"{heading}"), content()) : Html.None;

    /// <summary>A part of a page under a heading.</summary>
    public static Html Section(string id, Html heading, Html content) => H(
        $"""
        <section aria-labelledby="{id}">
        <h2 id="{id}">{heading}</h2>
        {content}
        </section>

        """);

    /// <summary>A term and what it stands for, in a list of such.</summary>
    public static Html Fact(string term, Html value) => H($"<dt>{term}</dt><dd>{value}</dd>");

    /// <summary>A text that is copied as it is.</summary>
    public static Html Block(string text) => H($"""<pre tabindex="0">{text}</pre>""");

    /// <summary>A part of a whole as a bar. The number beside it says the same, so that it is not read aloud.</summary>
    /// <param name="from">Where it begins, from 0 to 1.</param>
    /// <param name="width">How much it is, from 0 to 1.</param>
    public static Html Bar(double from, double width)
    {
        var part = H($"""<rect x="{Percent(from)}" width="{Percent(Math.Max(width, 0.004))}" height="100%"/>""");
        return H($"""<svg class="bar" aria-hidden="true" focusable="false">{part}</svg>""");
    }

    /// <summary>The way to the other pages of a list.</summary>
    public static Html OtherPages(Paging paging)
    {
        if (paging.Pages == 1) return Html.None;
        var (number, pages) = (paging.Number, paging.Pages);
        var previous = When(number > 1, $"""<a href="{paging.Link(number - 1)}" rel="prev">← Previous</a>""");
        var next = When(number < pages, $"""<a href="{paging.Link(number + 1)}" rel="next">Next →</a>""");
        var here = H($"<span>Page {number} of {pages}</span>");
        return H($"""<nav class="pages" aria-label="More">{previous} {here} {next}</nav>""");
    }

    /// <summary>How many a list found.</summary>
    public static Html Found(int total) =>
        H($"""<p class="found">{total} {(total == 1 ? "package" : "packages")}</p>""");

    /// <summary>The field by which a list is searched.</summary>
    public static Html SearchField(string search) => H(
        $"""
        <label for="q">Name</label>
        <input type="search" id="q" name="q" value="{search}" maxlength="100" autocomplete="off" spellcheck="false">
        """);

    /// <summary>What searches a list that has nothing else to ask for.</summary>
    public static Html SearchForm(Paging paging) => H(
        $"""
        <form method="get" action="{paging.Path}" role="search">
        {SearchField(paging.Query.Search)}
        <button type="submit">Show</button>
        </form>
        """);

    /// <summary>Said where a list has nothing.</summary>
    public static Html Nothing(Html sentence) => H($"""<p class="none">{sentence}</p>""");

    /// <summary>The way to a package base.</summary>
    public static Html PackageLink(string pkgbase) => H($"""<a href="{Links.Package(pkgbase)}">{pkgbase}</a>""");

    /// <summary>The way to a job of a package.</summary>
    public static Html JobLink(string id, string pkgbase) =>
        H($"""<a href="{Links.Job(id)}" aria-label="Job of {pkgbase}">details</a>""");

    /// <summary>The way to a source package, by the first digits of its hash.</summary>
    public static Html ArchiveLink(string sha256) =>
        H($"""<a href="{Links.SourceArchive(sha256)}"><code>{Wording.Short(sha256)}</code></a>""");

    /// <summary>Package files of our repositories.</summary>
    public static Html Files(IEnumerable<PublishedFile> files) => Table(
        Head("File", "Repository|wide", "Size|number", "SHA-256|wide"),
        Each(files, file => H(
            $"""
            <tr>
            <th scope="row"><a href="{file.Link}">{file.Package.FileName}</a></th>
            <td class="wide">{file.Repository} for {file.Architecture}</td>
            <td class="number">{Wording.Size(file.Package.Bytes)}</td>
            <td class="wide"><code>{Wording.Short(file.Package.Sha256)}</code></td>
            </tr>

            """)));

    private static Html Time(DateTimeOffset time, string words)
    {
        var utc = time.ToUniversalTime();
        var machine = utc.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var people = utc.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        return H($"""<time datetime="{machine}" title="{people} UTC">{words}</time>""");
    }

    private static string Percent(double part) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp(part, 0, 1) * 100:0.##}%");
}
