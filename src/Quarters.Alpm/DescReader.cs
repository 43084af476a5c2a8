using System.Globalization;
using System.Text;

namespace Quarters.Alpm;

/// <summary>Reads the <c>desc</c> and <c>files</c> of one entry after the other.</summary>
/// <remarks>A database says the same few words again and again: they are shared between its entries. Relations are
/// checked, and not taken apart before somebody asks for them.</remarks>
internal sealed class DescReader : IDescReader<SyncEntry>
{
    private readonly SharedTexts _texts = new();
    private readonly List<string> _someTexts = [];
    private char[] _chars = new char[16 << 10];
    private SyncEntry? _entry;
    private IReadOnlyList<string>? _files;

    /// <summary>The entry that was read, if it is the one that its directory promises.</summary>
    public SyncEntry Finish(string directory)
    {
        var entry = _entry ?? throw DescError.NoDesc(directory);
        if (_files is not null) entry = entry with { Files = _files };
        _entry = null;
        _files = null;
        DescError.CheckDirectory(directory, entry.Name, entry.Version.ToString());
        return entry;
    }

    public void ReadFiles(string directory, ReadOnlySpan<byte> utf8)
    {
        if (_files is not null) throw DescError.Of(directory, "it has two files");
        var rest = Decode(directory, utf8);
        var files = new List<string>();
        var within = false;
        while (NextLine(ref rest, out var line))
        {
            if (line.IsEmpty) within = false;
            else if (within) files.Add(line.ToString());
            else if (line is "%FILES%") within = true;
        }
        _files = files;
    }

    public void ReadDesc(string directory, ReadOnlySpan<byte> utf8)
    {
        if (_entry is not null) throw DescError.TwoDescs(directory);
        var rest = Decode(directory, utf8);
        var fields = new Fields();
        while (NextLine(ref rest, out var line))
        {
            if (line.IsEmpty) continue;
            if (line.Length < 3 || line[0] != '%' || line[^1] != '%')
                throw DescError.NoSection(directory, line);
            ReadSection(directory, line[1..^1], ref rest, ref fields);
        }
        _entry = ToEntry(directory, in fields);
    }

    private void ReadSection(
        string directory, scoped ReadOnlySpan<char> section, ref ReadOnlySpan<char> rest, ref Fields fields)
    {
        switch (section)
        {
            case "FILENAME": fields.FileName = One(ref rest).ToString(); break;
            case "NAME": fields.Name = One(ref rest).ToString(); break;
            case "BASE":
                var text = One(ref rest);
                // Nearly always the name, which no other entry has.
                fields.Base = text.SequenceEqual(fields.Name) ? fields.Name : _texts.Get(text);
                break;
            case "VERSION": fields.Version = One(ref rest).ToString(); break;
            case "DESC": fields.Description = One(ref rest).ToString(); break;
            case "GROUPS": fields.Groups = Texts(ref rest); break;
            case "CSIZE": fields.CompressedSize = Number(directory, section, One(ref rest)); break;
            case "ISIZE": fields.InstalledSize = Number(directory, section, One(ref rest)); break;
            case "MD5SUM": fields.Md5 = One(ref rest).ToString(); break;
            case "SHA256SUM": fields.Sha256 = One(ref rest).ToString(); break;
            case "PGPSIG": fields.PgpSignature = One(ref rest).ToString(); break;
            case "URL": fields.Url = One(ref rest).ToString(); break;
            case "LICENSE": fields.Licenses = Texts(ref rest); break;
            case "ARCH": fields.Architecture = _texts.Get(One(ref rest)); break;
            case "BUILDDATE": fields.BuildDate = Number(directory, section, One(ref rest)); break;
            case "PACKAGER": fields.Packager = _texts.Get(One(ref rest)); break;
            case "REPLACES": fields.Replaces = Relations(directory, section, ref rest); break;
            case "CONFLICTS": fields.Conflicts = Relations(directory, section, ref rest); break;
            case "PROVIDES": fields.Provides = Relations(directory, section, ref rest); break;
            case "DEPENDS": fields.Depends = Relations(directory, section, ref rest); break;
            case "OPTDEPENDS": fields.OptDepends = Relations(directory, section, ref rest); break;
            case "MAKEDEPENDS": fields.MakeDepends = Relations(directory, section, ref rest); break;
            case "CHECKDEPENDS": fields.CheckDepends = Relations(directory, section, ref rest); break;
            default:
                while (NextLine(ref rest, out var line) && !line.IsEmpty)
                {
                }
                break;
        }
    }

    private static SyncEntry ToEntry(string directory, in Fields fields)
    {
        var name = fields.Name ?? throw DescError.Missing(directory, "NAME");
        DescError.CheckName(directory, name);
        var fileName = fields.FileName ?? throw DescError.Missing(directory, "FILENAME");
        if (!PackagePaths.IsFileName(fileName))
            throw DescError.Of(directory, $"{AlpmFormatException.Quote(fileName)} is not the name of a file");
        if (!PackageVersion.TryParse(fields.Version ?? throw DescError.Missing(directory, "VERSION"), out var version))
            throw DescError.NoVersion(directory, fields.Version);
        if (fields.BuildDate > KeyValueLines.MaxUnixSeconds)
            throw DescError.Of(directory, "BUILDDATE is after the year 9999");
        return new SyncEntry
        {
            FileName = fileName,
            Name = name,
            Base = fields.Base ?? name,
            Version = version,
            Description = fields.Description,
            Groups = fields.Groups,
            CompressedSize = fields.CompressedSize,
            InstalledSize = fields.InstalledSize,
            Md5 = fields.Md5,
            Sha256 = fields.Sha256,
            PgpSignature = fields.PgpSignature,
            Url = fields.Url,
            Licenses = fields.Licenses,
            Architecture = fields.Architecture ?? throw DescError.Missing(directory, "ARCH"),
            BuildDate = DateTimeOffset.FromUnixTimeSeconds(fields.BuildDate),
            Packager = fields.Packager,
            Replaces = fields.Replaces,
            Conflicts = fields.Conflicts,
            Provides = fields.Provides,
            Depends = fields.Depends,
            OptDepends = fields.OptDepends,
            MakeDepends = fields.MakeDepends,
            CheckDepends = fields.CheckDepends,
        };
    }

    private ReadOnlySpan<char> Decode(string directory, ReadOnlySpan<byte> utf8)
    {
        if (_chars.Length < utf8.Length) _chars = new char[utf8.Length];
        try
        {
            return _chars.AsSpan(0, KeyValueLines.StrictUtf8.GetChars(utf8, _chars));
        }
        catch (DecoderFallbackException e)
        {
            throw DescError.NoUtf8(directory, e);
        }
    }

    private static bool NextLine(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> line)
    {
        line = default;
        if (rest.IsEmpty) return false;
        var end = rest.IndexOf('\n');
        line = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return true;
    }

    /// <summary>The first line of a section; empty if there is none.</summary>
    private static ReadOnlySpan<char> One(ref ReadOnlySpan<char> rest)
    {
        NextLine(ref rest, out var line);
        return line;
    }

    private string[] Texts(ref ReadOnlySpan<char> rest)
    {
        _someTexts.Clear();
        while (NextLine(ref rest, out var line) && !line.IsEmpty) _someTexts.Add(_texts.Get(line));
        return [.. _someTexts];
    }

    private static RelationLines Relations(
        string directory, scoped ReadOnlySpan<char> section, ref ReadOnlySpan<char> rest)
    {
        var lines = rest;
        var length = 0;
        while (NextLine(ref rest, out var line) && !line.IsEmpty)
        {
            if (Relation.Problem(line) is { } problem)
                throw DescError.Of(directory, $"{section} {AlpmFormatException.Quote(line)} is refused: {problem}");
            length += line.Length + 1;
        }
        return length == 0 ? RelationLines.Empty : new RelationLines(lines[..(length - 1)].ToString());
    }

    private static long Number(string directory, ReadOnlySpan<char> section, ReadOnlySpan<char> text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : throw DescError.Of(directory, $"{section} {AlpmFormatException.Quote(text)} is not a number");

    /// <summary>The sections of one desc as they are met.</summary>
    private struct Fields()
    {
        public string? FileName, Name, Base, Version, Md5, Sha256, PgpSignature, Architecture;
        public string Description = "", Url = "", Packager = "";
        public long CompressedSize, InstalledSize, BuildDate;
        public string[] Groups = [], Licenses = [];
        public RelationLines Replaces = RelationLines.Empty, Conflicts = RelationLines.Empty,
            Provides = RelationLines.Empty, Depends = RelationLines.Empty, OptDepends = RelationLines.Empty,
            MakeDepends = RelationLines.Empty, CheckDepends = RelationLines.Empty;
    }
}

/// <summary>One string for equal texts.</summary>
internal sealed class SharedTexts
{
    private readonly HashSet<string> _texts = new(StringComparer.Ordinal);
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public SharedTexts() => _lookup = _texts.GetAlternateLookup<ReadOnlySpan<char>>();

    public string Get(ReadOnlySpan<char> text)
    {
        if (_lookup.TryGetValue(text, out var shared)) return shared;
        shared = text.ToString();
        _texts.Add(shared);
        return shared;
    }
}
