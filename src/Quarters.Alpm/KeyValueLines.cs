using System.Globalization;
using System.Text;

namespace Quarters.Alpm;

/// <summary>The lines <c>key = value</c> of .PKGINFO, .BUILDINFO and .SRCINFO, with comments and blanks
/// skipped.</summary>
internal ref struct KeyValueLines
{
    private ReadOnlySpan<char> _rest;
    private readonly string _document;
    private int _line;

    private KeyValueLines(string document, ReadOnlySpan<char> text)
    {
        _document = document;
        _rest = text;
    }

    /// <summary>The value of the present line, trimmed.</summary>
    public ReadOnlySpan<char> Value { get; private set; }

    /// <summary>The key of the present line.</summary>
    public ReadOnlySpan<char> Key { get; private set; }

    /// <summary>The document and line, for messages.</summary>
    public readonly string Where => string.Create(CultureInfo.InvariantCulture, $"{_document} line {_line}");

    public static KeyValueLines Of(string document, ReadOnlySpan<char> text) => new(document, text);

    /// <summary>Decodes bytes strictly: text that is not UTF-8 could not be written back as it was.</summary>
    public static string Decode(string document, ReadOnlySpan<byte> utf8, int maxLength)
    {
        if (utf8.Length > maxLength)
            throw new AlpmFormatException(document, $"it is longer than {maxLength} bytes");
        try
        {
            return StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException e)
        {
            throw new AlpmFormatException(document, $"byte {e.Index} is not UTF-8", e);
        }
    }

    /// <summary>Goes to the next line with a key; false at the end.</summary>
    public bool Next()
    {
        while (!_rest.IsEmpty)
        {
            _line++;
            var end = _rest.IndexOf('\n');
            var line = (end < 0 ? _rest : _rest[..end]).Trim(" \t\r");
            _rest = end < 0 ? default : _rest[(end + 1)..];
            if (line.IsEmpty || line[0] == '#') continue;
            var equals = line.IndexOf('=');
            if (equals < 0) throw Error($"{AlpmFormatException.Quote(line)} is not of the form 'key = value'");
            Key = line[..equals].TrimEnd(" \t");
            Value = line[(equals + 1)..].TrimStart(" \t");
            foreach (var c in Key)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c != '_')
                    throw Error($"{AlpmFormatException.Quote(Key)} is no key");
            }
            if (Key.IsEmpty) throw Error("there is no key before the equals sign");
            foreach (var c in Value)
            {
                if (char.IsControl(c) && c != '\t') throw Error("the value has a control character");
            }
            return true;
        }
        return false;
    }

    public readonly AlpmFormatException Error(string what) => new(Where, what);

    /// <summary>Stores a value that may stand only once.</summary>
    public readonly void Once<T>(ref T? field, T value) where T : class =>
        field = field is null ? value : throw Error($"{Key} stands there twice");

    public readonly Relation Relation() =>
        Alpm.Relation.TryRead(Value, out var relation) is { } problem
            ? throw Error($"{Key} {AlpmFormatException.Quote(Value)} is refused: {problem}")
            : relation!;

    public readonly PackageVersion Version() =>
        PackageVersion.TryParse(Value.ToString(), out var version)
            ? version : throw Error($"{AlpmFormatException.Quote(Value)} is not a version that makepkg accepts");

    public readonly string Name() =>
        PackageName.Problem(Value) is { } problem
            ? throw Error($"the name {AlpmFormatException.Quote(Value)} is refused: {problem}") : Value.ToString();

    public readonly string Architecture() =>
        PackageName.IsArchitecture(Value)
            ? Value.ToString() : throw Error($"{AlpmFormatException.Quote(Value)} is not an architecture");

    public readonly long Number() =>
        long.TryParse(Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : throw Error($"{Key} {AlpmFormatException.Quote(Value)} is not a number");

    /// <summary>Seconds since 1970.</summary>
    public readonly DateTimeOffset Time() =>
        Number() is var seconds && seconds <= MaxUnixSeconds
            ? DateTimeOffset.FromUnixTimeSeconds(seconds) : throw Error($"{Key} is after the year 9999");

    internal static readonly long MaxUnixSeconds = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    internal static readonly UTF8Encoding StrictUtf8 = new(
        encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
