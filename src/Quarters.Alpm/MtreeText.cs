using System.Globalization;
using System.Text;

namespace Quarters.Alpm;

/// <summary>Reads the text of a .MTREE: lines of a path and <c>keyword=value</c>, and defaults by
/// <c>/set</c>.</summary>
internal static class MtreeText
{
    private const string Document = ".MTREE";

    public static IReadOnlyList<MtreeEntry> Read(Stream mtree, int maxLength)
    {
        using var decoded = Compression.Decode(mtree, Document, maxLength);
        using var bytes = new MemoryStream();
        decoded.CopyTo(bytes);
        var text = KeyValueLines.Decode(Document, bytes.GetBuffer().AsSpan(0, (int)bytes.Length), maxLength);

        var entries = new List<MtreeEntry>();
        var defaults = new Dictionary<string, string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            number++;
            var line = text.AsSpan(range).Trim();
            if (line.IsEmpty || line[0] == '#') continue;
            var where = string.Create(CultureInfo.InvariantCulture, $"{Document} line {number}");
            var end = line.IndexOf(' ');
            var head = end < 0 ? line : line[..end];
            var words = end < 0 ? default : line[(end + 1)..];
            if (head is "/set")
            {
                ReadWords(words, defaults);
            }
            else if (head is "/unset")
            {
                foreach (var word in words.Split(' ')) defaults.Remove(words[word].ToString());
            }
            else if (head.StartsWith("./"))
            {
                entries.Add(ReadEntry(where, head[2..], words, defaults));
            }
            else
            {
                throw new AlpmFormatException(
                    where, $"{AlpmFormatException.Quote(head)} is not a path that begins with ./");
            }
        }
        return entries;
    }

    private static MtreeEntry ReadEntry(
        string where, ReadOnlySpan<char> path, ReadOnlySpan<char> words, Dictionary<string, string> defaults)
    {
        var values = new Dictionary<string, string>(defaults, StringComparer.Ordinal);
        ReadWords(words, values);
        var type = values.GetValueOrDefault("type") switch
        {
            "file" => PackageEntryType.File,
            "dir" => PackageEntryType.Directory,
            "link" => PackageEntryType.SymbolicLink,
            var other => throw new AlpmFormatException(
                where, $"the type {AlpmFormatException.Quote(other)} is not file, dir or link"),
        };
        var isFile = type == PackageEntryType.File;
        return new MtreeEntry(
            Unescape(where, path),
            type,
            ReadMode(where, values.GetValueOrDefault("mode")),
            isFile ? ReadNumber(where, "size", values.GetValueOrDefault("size")) : 0,
            ReadTime(where, values.GetValueOrDefault("time")),
            isFile ? values.GetValueOrDefault("sha256digest") ?? values.GetValueOrDefault("sha256") : null,
            type == PackageEntryType.SymbolicLink
                ? Unescape(where, values.GetValueOrDefault("link")
                    ?? throw new AlpmFormatException(where, "the link points nowhere"))
                : null);
    }

    private static void ReadWords(ReadOnlySpan<char> words, Dictionary<string, string> values)
    {
        foreach (var range in words.Split(' '))
        {
            var word = words[range];
            var equals = word.IndexOf('=');
            if (equals > 0) values[word[..equals].ToString()] = word[(equals + 1)..].ToString();
        }
    }

    private static int ReadMode(string where, string? text)
    {
        var mode = 0;
        foreach (var digit in text is { Length: > 0 and <= 6 } ? text
            : throw new AlpmFormatException(where, "there is no mode"))
        {
            if (digit is < '0' or > '7') throw new AlpmFormatException(where, "the mode is not octal");
            mode = (mode << 3) | (digit - '0');
        }
        return mode & 0xFFF;
    }

    /// <summary>Seconds and, behind a dot, what should be a fraction; libarchive writes whole nanoseconds
    /// there.</summary>
    private static DateTimeOffset ReadTime(string where, string? text)
    {
        var seconds = ReadNumber(where, "time", text?.Split('.')[0]);
        return seconds <= KeyValueLines.MaxUnixSeconds
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new AlpmFormatException(where, "the time is after the year 9999");
    }

    private static long ReadNumber(string where, string keyword, string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : throw new AlpmFormatException(where, $"{keyword} is missing or is not a number");

    /// <summary>Bytes that are not plain stand there as a backslash and three octal digits.</summary>
    private static string Unescape(string where, ReadOnlySpan<char> text)
    {
        if (!text.Contains('\\')) return text.ToString();
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && IsOctal(text.Slice(i + 1, 3), out var value))
            {
                bytes.Add(value);
                i += 3;
            }
            else if (char.IsAscii(text[i]) && text[i] != '\\')
            {
                bytes.Add((byte)text[i]);
            }
            else
            {
                throw new AlpmFormatException(
                    where, $"the path {AlpmFormatException.Quote(text)} is not escaped as mtree demands");
            }
        }
        try
        {
            return KeyValueLines.StrictUtf8.GetString([.. bytes]);
        }
        catch (DecoderFallbackException e)
        {
            throw new AlpmFormatException(where, $"the path {AlpmFormatException.Quote(text)} is not UTF-8", e);
        }
    }

    private static bool IsOctal(ReadOnlySpan<char> digits, out byte value)
    {
        value = 0;
        if (digits.ContainsAnyExceptInRange('0', '7')) return false;
        var number = ((digits[0] - '0') << 6) | ((digits[1] - '0') << 3) | (digits[2] - '0');
        value = (byte)number;
        return number <= 0xFF;
    }
}
