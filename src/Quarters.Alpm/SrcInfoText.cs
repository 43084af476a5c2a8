using System.Text;

namespace Quarters.Alpm;

/// <summary>Reads and writes the text of a .SRCINFO; the order of fields is that of makepkg's srcinfo.sh.</summary>
internal static class SrcInfoText
{
    private const string Document = ".SRCINFO";

    private static readonly string[] Sums =
        ["cksums", "md5sums", "sha1sums", "sha224sums", "sha256sums", "sha384sums", "sha512sums", "b2sums"];

    private static readonly string[] BaseOrder =
    [
        "pkgdesc", "pkgver", "pkgrel", "epoch", "url", "install", "changelog",
        "arch", "groups", "license", "checkdepends", "makedepends", "depends", "optdepends", "provides", "conflicts",
        "replaces", "noextract", "options", "backup", "source", "validpgpkeys", .. Sums,
    ];

    private static readonly string[] PackageOrder =
    [
        "pkgdesc", "url", "install", "changelog",
        "arch", "groups", "license", "checkdepends", "depends", "optdepends", "provides", "conflicts", "replaces",
        "options", "backup",
    ];

    private static readonly string[] ArchitectureOrder =
    [
        "source", "provides", "conflicts", "depends", "replaces", "optdepends", "makedepends", "checkdepends", .. Sums,
    ];

    public static bool IsSingle(string field) =>
        field is "pkgdesc" or "pkgver" or "pkgrel" or "epoch" or "url" or "install" or "changelog";

    public static SrcInfo Read(ReadOnlySpan<byte> utf8)
    {
        var lines = KeyValueLines.Of(Document, KeyValueLines.Decode(Document, utf8, SrcInfo.MaxLength));
        SrcInfoSection? pkgbase = null;
        var packages = new List<SrcInfoSection>();
        string? name = null;
        var fields = new OrderedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        while (lines.Next())
        {
            var key = lines.Key.ToString();
            if (key is "pkgbase" or "pkgname")
            {
                if (key == "pkgbase" && name is not null) throw lines.Error("pkgbase is not the first field");
                if (key == "pkgname" && name is null) throw lines.Error("pkgname stands before pkgbase");
                Close();
                name = lines.Name();
                continue;
            }
            if (name is null) throw lines.Error($"{key} stands before pkgbase");
            if (!fields.TryGetValue(key, out var values)) fields.Add(key, values = new List<string>());
            else if (IsSingle(key)) throw lines.Error($"{key} stands there twice in one section");
            ((List<string>)values).Add(lines.Value.ToString());
        }
        Close();
        return new SrcInfo(pkgbase ?? throw new AlpmFormatException(Document, "it has no pkgbase"), packages);

        void Close()
        {
            if (name is null) return;
            var section = new SrcInfoSection(name, fields);
            if (pkgbase is null) pkgbase = section;
            else packages.Add(section);
            fields.Clear();
        }
    }

    public static string Write(SrcInfo info)
    {
        var text = new StringBuilder();
        text.Append("pkgbase = ").Append(info.Base.Name).Append('\n');
        WriteFields(text, info.Base, BaseOrder, info.Architectures(info.Base));
        foreach (var package in info.Packages)
        {
            text.Append("\npkgname = ").Append(package.Name).Append('\n');
            WriteFields(text, package, PackageOrder, info.Architectures(package));
        }
        return text.ToString();
    }

    private static void WriteFields(
        StringBuilder text, SrcInfoSection section, string[] order, IReadOnlyList<string> architectures)
    {
        var written = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in order) WriteField(field);
        foreach (var architecture in architectures)
        {
            // makepkg has no depends_any.
            if (architecture == "any") continue;
            foreach (var field in ArchitectureOrder) WriteField($"{field}_{architecture}");
        }
        foreach (var field in section.Fields.Keys)
        {
            if (!written.Contains(field)) WriteField(field);
        }

        void WriteField(string field)
        {
            if (!section.Fields.TryGetValue(field, out var values) || !written.Add(field)) return;
            if (values.Count == 0) text.Append('\t').Append(field).Append(" = \n");
            foreach (var value in values)
                text.Append('\t').Append(field).Append(" = ").Append(Blanks.Fold(value)).Append('\n');
        }
    }
}
