using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Quarters.Sources.Intake;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Svn;

/// <summary>A path that a revision touched.</summary>
/// <param name="Action">A, D, M or R.</param>
/// <param name="IsFile">True for a file; false for a directory, and where an old server does not say.</param>
/// <param name="Path">The path in the repository, without the first slash.</param>
internal readonly record struct TouchedPath(char Action, bool IsFile, string Path);

/// <summary>An entry of a listing.</summary>
internal readonly record struct SvnEntry(string Path, bool IsFile, long Size, Change Change);

/// <summary>Reads what svn prints with <c>--xml</c>. Neither entities nor anything elsewhere is looked up.</summary>
internal static class SvnXml
{
    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        CheckCharacters = false,
    };

    private const string NoDate = "1970-01-01T00:00:00.000000Z";

    /// <exception cref="SourceUnreachableException">It is not XML.</exception>
    internal static XElement Parse(ReadOnlyMemory<byte> output, string url)
    {
        try
        {
            using var bytes = new MemoryStream(output.ToArray(), writable: false);
            using var reader = XmlReader.Create(bytes, Settings);
            return XElement.Load(reader);
        }
        catch (XmlException failure)
        {
            throw new SourceUnreachableException($"{url} was answered with what is not XML: {failure.Message}");
        }
    }

    /// <summary>The revision that an element's <c>revision</c>, <c>author</c> and <c>date</c> tell of.</summary>
    internal static Change Change(XElement? element)
    {
        var time = DateTimeOffset.TryParse(
            Text(element, "date"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed)
            ? parsed
            : DateTimeOffset.UnixEpoch;
        var revision = element?.Attribute("revision")?.Value ?? "";
        return new Change(revision, time, new Author(Text(element, "author"), ""));
    }

    /// <summary>What a cursor says of a revision: its number, and its time, by which another history is
    /// noticed.</summary>
    internal static string Revision(XElement? element)
    {
        // A revision without a date is one of 1970 to `svn info`, and has none in `svn log`.
        var date = Text(element, "date") is { Length: > 0 } given ? given.Replace(' ', '_') : NoDate;
        return $"{element?.Attribute("revision")?.Value}:{date}";
    }

    /// <summary>The paths of an entry of <c>svn log --verbose</c>.</summary>
    internal static IEnumerable<TouchedPath> Paths(XElement entry) =>
        (entry.Element("paths")?.Elements("path") ?? []).Select(path => new TouchedPath(
            path.Attribute("action")?.Value is [var action, ..] ? action : '?',
            path.Attribute("kind")?.Value == "file",
            path.Value.TrimStart('/')));

    /// <summary>The entries of <c>svn list</c>, with the directory that each list is of before their names.</summary>
    internal static IEnumerable<SvnEntry> Entries(XElement lists, Func<string, string> directoryOf)
    {
        foreach (var list in lists.Elements("list"))
        {
            var directory = directoryOf(list.Attribute("path")?.Value ?? "");
            foreach (var entry in list.Elements("entry"))
            {
                var name = Text(entry, "name");
                var size = long.TryParse(Text(entry, "size"), CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;
                yield return new SvnEntry(
                    directory.Length == 0 ? name : $"{directory}/{name}",
                    entry.Attribute("kind")?.Value == "file", size, Change(entry.Element("commit")));
            }
        }
    }

    internal static string Text(XElement? element, string name) => element?.Element(name)?.Value ?? "";
}
