using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Quarters.Alpm;

namespace Quarters.Sources.Web;

/// <summary>A source package that a list names.</summary>
/// <param name="Path">What it is known by.</param>
/// <param name="Url">Where it is.</param>
/// <param name="Mark">What a change is noticed by.</param>
/// <param name="Sha256">What its hash must be; null where the list does not say.</param>
/// <param name="Time">When it was made; null where the list does not say.</param>
/// <param name="Author">Who made the change; null where the list does not say.</param>
internal sealed record WebEntry(
    string Path, Uri Url, string Mark, string? Sha256, DateTimeOffset? Time, string? Author);

/// <summary>Reads lists of source packages: an index document of schema <see cref="Schema"/>, or what nginx's
/// <c>autoindex</c> makes of a directory, JSON or HTML.</summary>
internal static partial class WebIndex
{
    internal const string Schema = "quarters/source-index/1";
    private const int MaxPackages = 100_000;

    /// <exception cref="SourceUnreachableException">It is none of these.</exception>
    internal static SortedDictionary<string, WebEntry> Parse(ReadOnlySpan<byte> body, Uri url)
    {
        var text = body.TrimStart(" \t\r\n"u8);
        try
        {
            var entries = text switch
            {
                [(byte)'{', ..] => OfDocument(text, url),
                [(byte)'[', ..] => OfListing(JsonSerializer.Deserialize(text, WebJson.Default.ListedFileArray)!, url),
                [(byte)'<', ..] => OfListing(OfHtml(Encoding.UTF8.GetString(text)), url),
                _ => throw Refuse(url, "is neither an index document nor a directory listing of nginx"),
            };
            return entries.Count <= MaxPackages
                ? entries
                : throw Refuse(url, $"names more than {MaxPackages} packages");
        }
        catch (Exception damage) when (damage is JsonException or UriFormatException)
        {
            throw Refuse(url, $"cannot be read: {damage.Message}");
        }
    }

    private static SortedDictionary<string, WebEntry> OfDocument(ReadOnlySpan<byte> text, Uri url)
    {
        var document = JsonSerializer.Deserialize(text, WebJson.Default.IndexDocument)!;
        if (document.Schema != Schema)
            throw Refuse(url, $"must have the schema {Schema}");
        var entries = new SortedDictionary<string, WebEntry>(StringComparer.Ordinal);
        foreach (var package in document.Packages ?? [])
        {
            if (!Name().IsMatch(package.Name) || !Hash().IsMatch(package.Sha256))
                throw Refuse(url, "has a package without a fit name (letters, digits, @._+-) or without sha256");
            entries[package.Name] = new WebEntry(
                package.Name, Inside(url, package.Url),
                $"{package.Sha256} {package.Time:O} {package.Author}", package.Sha256, package.Time, package.Author);
        }

        return entries;
    }

    /// <summary>Of several versions of a package the newest counts.</summary>
    private static SortedDictionary<string, WebEntry> OfListing(ListedFile[] files, Uri url)
    {
        var entries = new SortedDictionary<string, WebEntry>(StringComparer.Ordinal);
        var versions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (file.Type != "file" || Archive().Match(file.Name) is not { Success: true } match)
                continue;
            var (name, version) = (match.Groups["name"].Value, match.Groups["version"].Value);
            if (versions.TryGetValue(name, out var other) && PackageVersion.Compare(version, other) <= 0)
                continue;
            versions[name] = version;
            DateTimeOffset? time = DateTimeOffset.TryParse(
                file.Mtime, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
            entries[name] = new WebEntry(
                name, Inside(url, Uri.EscapeDataString(file.Name)), $"{file.Name} {file.Mtime} {file.Size}", null, time,
                null);
        }

        return entries;
    }

    private static ListedFile[] OfHtml(string text) =>
    [
        .. Row().Matches(text).Select(row => new ListedFile
        {
            Name = Uri.UnescapeDataString(WebUtility.HtmlDecode(row.Groups["name"].Value)),
            Type = "file",
            Mtime = row.Groups["time"].Value,
            Size = long.TryParse(row.Groups["size"].Value, CultureInfo.InvariantCulture, out var size) ? size : 0,
        }),
    ];

    private static Uri Inside(Uri list, string address)
    {
        var url = new Uri(list, address);
        return url.Scheme is "https" or "http" ? url : throw Refuse(list, "names an address that is not on the web");
    }

    private static SourceUnreachableException Refuse(Uri url, string why) => new($"The list {url} {why}.");

    [GeneratedRegex(@"^[A-Za-z0-9@_+][A-Za-z0-9@._+-]{0,254}$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    [GeneratedRegex("^[0-9a-f]{64}$", RegexOptions.CultureInvariant)]
    private static partial Regex Hash();

    [GeneratedRegex(
        @"^(?<name>[A-Za-z0-9@_+][A-Za-z0-9@._+-]{0,200})-(?<version>[^-/]+-[0-9.]+)\.src\.tar(\.(gz|zst|xz))?$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Archive();

    // As nginx writes it: the link, then time and size in columns.
    [GeneratedRegex(
        "<a href=\"(?<name>[^\"/]+)\">[^<]*</a> +(?<time>[0-9]{2}-[A-Za-z]{3}-[0-9]{4} [0-9:]{5}) +(?<size>[0-9]+)",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Row();

    /// <summary>The index document.</summary>
    internal sealed record IndexDocument
    {
        public string Schema { get; init; } = "";

        public IndexedPackage[]? Packages { get; init; }
    }

    /// <summary>A package of the index document.</summary>
    internal sealed record IndexedPackage
    {
        public string Name { get; init; } = "";

        public string Url { get; init; } = "";

        public string Sha256 { get; init; } = "";

        public DateTimeOffset? Time { get; init; }

        public string? Author { get; init; }
    }

    /// <summary>A file of nginx's listing.</summary>
    internal sealed record ListedFile
    {
        public string Name { get; init; } = "";

        public string Type { get; init; } = "";

        public string Mtime { get; init; } = "";

        public long Size { get; init; }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(WebIndex.IndexDocument))]
[JsonSerializable(typeof(WebIndex.ListedFile[]))]
internal sealed partial class WebJson : JsonSerializerContext;
