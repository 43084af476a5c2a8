using System.Globalization;
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
    private const string Atom = "http://www.w3.org/2005/Atom";

    private static readonly XmlWriterSettings Settings = new()
    {
        Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        Indent = true,
        NewLineChars = "\n",
    };

    /// <summary>The feed's bytes.</summary>
    public static byte[] Of(Feed feed)
    {
        using var bytes = new MemoryStream();
        using (var xml = XmlWriter.Create(bytes, Settings))
        {
            xml.WriteStartElement("feed", Atom);
            Write(xml, "id", feed.Id);
            Write(xml, "title", feed.Title);
            Write(xml, "updated", Time(feed.Updated));
            WriteAuthor(xml, feed.Input.Name);
            Write(xml, "generator", "Quarters");
            WriteLink(xml, "self", "application/atom+xml", feed.Address);
            WriteLink(xml, "alternate", "text/html", feed.Absolute(feed.Page));
            foreach (var notice in feed.Notices) WriteEntry(xml, feed, notice);
            xml.WriteEndElement();
        }

        return bytes.ToArray();
    }

    private static void WriteEntry(XmlWriter xml, Feed feed, Notice notice)
    {
        xml.WriteStartElement("entry", Atom);
        Write(xml, "id", feed.IdOf(notice));
        Write(xml, "title", NoticeWording.Title(notice));
        Write(xml, "published", Time(notice.Told));
        Write(xml, "updated", Time(notice.Updated));
        WriteAuthor(xml, NoticeWording.NameOf(notice.Packager) ?? feed.Input.Name);
        xml.WriteStartElement("category", Atom);
        xml.WriteAttributeString("term", CategoryOf(notice.Kind));
        xml.WriteEndElement();
        WriteLink(xml, "alternate", "text/html", NoticeWording.Page(feed, notice));
        xml.WriteStartElement("content", Atom);
        xml.WriteAttributeString("type", "html");
        xml.WriteString(Clean(NoticeWording.Content(feed, notice).ToString().Trim()));
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void WriteAuthor(XmlWriter xml, string name)
    {
        xml.WriteStartElement("author", Atom);
        Write(xml, "name", name);
        xml.WriteEndElement();
    }

    private static void WriteLink(XmlWriter xml, string relation, string type, string address)
    {
        xml.WriteStartElement("link", Atom);
        xml.WriteAttributeString("rel", relation);
        xml.WriteAttributeString("type", type);
        xml.WriteAttributeString("href", address);
        xml.WriteEndElement();
    }

    private static void Write(XmlWriter xml, string element, string text) =>
        xml.WriteElementString(element, Atom, Clean(text));

    private static string Time(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

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
