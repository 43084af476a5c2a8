using System.Text;

namespace Quarters.Alpm;

/// <summary>Takes no more of an entry than a list needs: the rest of a desc is 2 KiB that nobody asked for.</summary>
internal sealed class DescLister : IDescReader<ListedPackage>
{
    private ListedPackage? _package;

    public ListedPackage Finish(string directory)
    {
        var package = _package ?? throw DescError.NoDesc(directory);
        _package = null;
        DescError.CheckDirectory(directory, package.Name, package.Version.ToString());
        return package;
    }

    public void ReadFiles(string directory, ReadOnlySpan<byte> utf8)
    {
    }

    public void ReadDesc(string directory, ReadOnlySpan<byte> utf8)
    {
        if (_package is not null) throw DescError.TwoDescs(directory);
        string? name = null, version = null;
        // They are among the first sections in what every tool writes.
        while ((name is null || version is null) && !utf8.IsEmpty)
        {
            var section = NextLine(ref utf8);
            if (section.IsEmpty) continue;
            if (section.Length < 3 || section[0] != '%' || section[^1] != '%')
                throw DescError.NoSection(directory, Text(directory, section));
            var value = NextLine(ref utf8);
            if (section.SequenceEqual("%NAME%"u8)) name = Text(directory, value);
            else if (section.SequenceEqual("%VERSION%"u8)) version = Text(directory, value);
            while (!value.IsEmpty) value = NextLine(ref utf8);
        }

        if (name is null) throw DescError.Missing(directory, "NAME");
        DescError.CheckName(directory, name);
        if (version is null) throw DescError.Missing(directory, "VERSION");
        if (!PackageVersion.TryParse(version, out var parsed)) throw DescError.NoVersion(directory, version);
        _package = new ListedPackage(name, parsed);
    }

    private static ReadOnlySpan<byte> NextLine(ref ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOf((byte)'\n');
        var line = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return line;
    }

    private static string Text(string directory, ReadOnlySpan<byte> utf8)
    {
        try
        {
            return KeyValueLines.StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException e)
        {
            throw DescError.NoUtf8(directory, e);
        }
    }
}
