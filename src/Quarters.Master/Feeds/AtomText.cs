using System.ServiceModel.Syndication;
using System.Text;
using System.Xml;
using Quarters.Core.Master;

namespace Quarters.Master.Feeds;

/// <summary>
/// A feed as RFC 4287 has it. A function of the feed: it says nothing of when it was asked for, so that the same state
/// always gives the same bytes.
/// </summary>
internal static class AtomText
{
    private static readonly XmlWriterSettings Settings = new()
    {
        Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        Indent = true,
        NewLineChars = "\n",
    };

    /// <summary>The feed's bytes.</summary>
    public static byte[] Of(Feed feed)
    {
        var written = new SyndicationFeed
        {
            Id = feed.Id,
            Title = Text(feed.Title),
            LastUpdatedTime = feed.Updated.ToUniversalTime(),
            Generator = "Quarters",
            Authors = { Person(feed.Input.Name) },
            Links =
            {
                SyndicationLink.CreateSelfLink(new Uri(feed.Address), "application/atom+xml"),
                Page(feed.Absolute(feed.Page)),
            },
            Items = feed.Notices.Select(notice => Entry(feed, notice)),
        };
        using var bytes = new MemoryStream();
        using (var xml = XmlWriter.Create(bytes, Settings)) written.SaveAsAtom10(xml);
        return bytes.ToArray();
    }

    private static SyndicationItem Entry(Feed feed, Notice notice) => new()
    {
        Id = feed.IdOf(notice),
        Title = Text(NoticeWording.Title(notice)),
        PublishDate = notice.Told.ToUniversalTime(),
        LastUpdatedTime = notice.Updated.ToUniversalTime(),
        Authors = { Person(NoticeWording.NameOf(notice.Packager) ?? feed.Input.Name) },
        Categories = { new SyndicationCategory(CategoryOf(notice.Kind)) },
        Links = { Page(NoticeWording.Page(feed, notice)) },
        Content = SyndicationContent.CreateHtmlContent(
            Clean(NoticeWording.Content(feed, notice).ToString().Trim())),
    };

    private static TextSyndicationContent Text(string text) => new(Clean(text));

    private static SyndicationPerson Person(string name) => new() { Name = Clean(name) };

    private static SyndicationLink Page(string address) =>
        SyndicationLink.CreateAlternateLink(new Uri(address), "text/html");

    private static string CategoryOf(NoticeKind kind) => kind switch
    {
        NoticeKind.Published => "published",
        NoticeKind.Recovered or NoticeKind.Readable => "recovered",
        NoticeKind.Failed or NoticeKind.Unreadable => "failed",
        NoticeKind.Changed => "changed",
        _ => "rebuild",
    };

    /// <summary>
    /// A text of which XML can hold every character: there is no way to write the others there, not even escaped (XML
    /// 1.0, 2.2). Half a pair of surrogates is no character at all.
    /// </summary>
    private static string Clean(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var isHeld = !rune.IsBmp || XmlConvert.IsXmlChar((char)rune.Value);
            kept.Append((isHeld ? rune : Rune.ReplacementChar).ToString());
        }

        return kept.ToString();
    }
}
