using System.Buffers;
using System.Globalization;
using System.Text;

namespace Quarters.Alpm;

/// <summary>The text of <c>desc</c> and <c>files</c>, with the sections in the order of repo-add.</summary>
internal sealed class DescWriter
{
    private readonly ArrayBufferWriter<byte> _text = new(16 << 10);
    private string _where = "";

    public ReadOnlySpan<byte> Utf8 => _text.WrittenSpan;

    public void SetDesc(SyncEntry entry)
    {
        Begin(entry.DirectoryName);
        if (!PackagePaths.IsFileName(entry.FileName))
            throw new AlpmFormatException(
                _where, $"{AlpmFormatException.Quote(entry.FileName)} is not the name of a file");
        Section("FILENAME"u8, entry.FileName);
        Section("NAME"u8, entry.Name);
        Section("BASE"u8, entry.Base);
        Section("VERSION"u8, entry.Version.ToString());
        Section("DESC"u8, entry.Description);
        Section("GROUPS"u8, entry.Groups);
        Section("CSIZE"u8, entry.CompressedSize.ToString(CultureInfo.InvariantCulture));
        Section("ISIZE"u8, entry.InstalledSize.ToString(CultureInfo.InvariantCulture));
        Section("MD5SUM"u8, entry.Md5);
        Section("SHA256SUM"u8, entry.Sha256);
        Section("PGPSIG"u8, entry.PgpSignature);
        Section("URL"u8, entry.Url);
        Section("LICENSE"u8, entry.Licenses);
        Section("ARCH"u8, entry.Architecture);
        Section("BUILDDATE"u8, entry.BuildDate.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        Section("PACKAGER"u8, entry.Packager);
        Section("REPLACES"u8, entry.Replaces);
        Section("CONFLICTS"u8, entry.Conflicts);
        Section("PROVIDES"u8, entry.Provides);
        Section("DEPENDS"u8, entry.Depends);
        Section("OPTDEPENDS"u8, entry.OptDepends);
        Section("MAKEDEPENDS"u8, entry.MakeDepends);
        Section("CHECKDEPENDS"u8, entry.CheckDepends);
    }

    public void SetFiles(IReadOnlyList<string> files)
    {
        _text.Clear();
        _text.Write("%FILES%\n"u8);
        foreach (var file in files) Line(file);
    }

    private void Begin(string where)
    {
        _where = where;
        _text.Clear();
    }

    private void Section(ReadOnlySpan<byte> name, string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        Head(name);
        Line(value);
        _text.Write("\n"u8);
    }

    private void Section<T>(ReadOnlySpan<byte> name, IReadOnlyList<T> values)
    {
        if (values.Count == 0) return;
        Head(name);
        foreach (var value in values) Line(value!.ToString()!);
        _text.Write("\n"u8);
    }

    private void Head(ReadOnlySpan<byte> name)
    {
        _text.Write("%"u8);
        _text.Write(name);
        _text.Write("%\n"u8);
    }

    /// <summary>A line break or a blank line would end the value, and what follows would be read as other
    /// fields.</summary>
    private void Line(string value)
    {
        if (value.Length == 0 || value.AsSpan().ContainsAny('\n', '\r', '\0'))
            throw new AlpmFormatException(
                _where, $"the value {AlpmFormatException.Quote(value)} has a line break or is empty");
        KeyValueLines.StrictUtf8.GetBytes(value, _text);
        _text.Write("\n"u8);
    }
}
