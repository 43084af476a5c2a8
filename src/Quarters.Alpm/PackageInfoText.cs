using System.Globalization;
using System.Text;

namespace Quarters.Alpm;

/// <summary>Reads and writes the text of a .PKGINFO.</summary>
internal static class PackageInfoText
{
    private const string Document = ".PKGINFO";

    public static PackageInfo Read(ReadOnlySpan<byte> utf8)
    {
        string? name = null, pkgbase = null, description = null, url = null, packager = null, architecture = null;
        string? size = null, date = null;
        PackageVersion? version = null;
        var installedSize = 0L;
        var buildDate = DateTimeOffset.UnixEpoch;
        List<string> licenses = [], groups = [], backup = [], xdata = [];
        List<Relation> replaces = [], conflicts = [], provides = [], depends = [], optDepends = [], makeDepends = [],
            checkDepends = [];
        var lines = KeyValueLines.Of(Document, KeyValueLines.Decode(Document, utf8, PackageInfo.MaxLength));
        while (lines.Next())
        {
            switch (lines.Key)
            {
                case "pkgname": lines.Once(ref name, lines.Name()); break;
                case "pkgbase": lines.Once(ref pkgbase, lines.Name()); break;
                case "pkgver": lines.Once(ref version, lines.Version()); break;
                case "pkgdesc": lines.Once(ref description, lines.Value.ToString()); break;
                case "url": lines.Once(ref url, lines.Value.ToString()); break;
                case "builddate":
                    lines.Once(ref date, "seen");
                    buildDate = lines.Time();
                    break;
                case "packager": lines.Once(ref packager, lines.Value.ToString()); break;
                case "size":
                    lines.Once(ref size, "seen");
                    installedSize = lines.Number();
                    break;
                case "arch": lines.Once(ref architecture, lines.Architecture()); break;
                case "license": licenses.Add(lines.Value.ToString()); break;
                case "replaces": replaces.Add(lines.Relation()); break;
                case "group": groups.Add(lines.Value.ToString()); break;
                case "conflict": conflicts.Add(lines.Relation()); break;
                case "provides": provides.Add(lines.Relation()); break;
                case "backup": backup.Add(lines.Value.ToString()); break;
                case "depend": depends.Add(lines.Relation()); break;
                case "optdepend": optDepends.Add(lines.Relation()); break;
                case "makedepend": makeDepends.Add(lines.Relation()); break;
                case "checkdepend": checkDepends.Add(lines.Relation()); break;
                case "xdata": xdata.Add(lines.Value.ToString()); break;
                // Old makepkg wrote these; libalpm ignores them, and so do we.
                case "basever" or "makepkgopt" or "force": break;
                default: throw lines.Error($"there is no field {AlpmFormatException.Quote(lines.Key)}");
            }
        }
        return new PackageInfo
        {
            Name = name ?? throw Missing("pkgname"),
            Base = pkgbase ?? name,
            Version = version ?? throw Missing("pkgver"),
            Description = description ?? "",
            Url = url ?? "",
            BuildDate = buildDate,
            Packager = packager ?? "",
            InstalledSize = installedSize,
            Architecture = architecture ?? throw Missing("arch"),
            Licenses = licenses,
            Replaces = replaces,
            Groups = groups,
            Conflicts = conflicts,
            Provides = provides,
            Backup = backup,
            Depends = depends,
            OptDepends = optDepends,
            MakeDepends = makeDepends,
            CheckDepends = checkDepends,
            Xdata = xdata,
        };
    }

    public static string Write(PackageInfo info)
    {
        var text = new StringBuilder();
        text.Line("pkgname", info.Name).Line("pkgbase", info.Base);
        // makepkg 6.1 writes xdata here.
        text.Lines("xdata", info.Xdata);
        text.Line("pkgver", info.Version.ToString()).Line("pkgdesc", info.Description).Line("url", info.Url)
            .Line("builddate", info.BuildDate.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture))
            .Line("packager", info.Packager)
            .Line("size", info.InstalledSize.ToString(CultureInfo.InvariantCulture))
            .Line("arch", info.Architecture)
            .Lines("license", info.Licenses).Lines("replaces", info.Replaces).Lines("group", info.Groups)
            .Lines("conflict", info.Conflicts).Lines("provides", info.Provides).Lines("backup", info.Backup)
            .Lines("depend", info.Depends).Lines("optdepend", info.OptDepends)
            .Lines("makedepend", info.MakeDepends).Lines("checkdepend", info.CheckDepends);
        return text.ToString();
    }

    /// <summary>Writes one line, and refuses a value that would be read as two.</summary>
    internal static StringBuilder Line(this StringBuilder text, string key, string value) =>
        value.AsSpan().ContainsAny('\n', '\r')
            ? throw new AlpmFormatException(key, "the value has a line break")
            : text.Append(key).Append(" = ").Append(value).Append('\n');

    internal static StringBuilder Lines<T>(this StringBuilder text, string key, IReadOnlyList<T> values)
    {
        foreach (var value in values) text.Line(key, value?.ToString() ?? "");
        return text;
    }

    private static AlpmFormatException Missing(string key) => new(Document, $"the field {key} is missing");
}
