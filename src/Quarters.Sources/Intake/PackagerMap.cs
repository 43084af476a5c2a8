using System.Collections.Immutable;

namespace Quarters.Sources.Intake;

/// <summary>
/// Who is named for which committer. A line is <c>address = Name &lt;address&gt;</c> (Subversion's committers have a
/// name in the place of the first address), or one of git's mailmap,
/// <c>Name &lt;address&gt; &lt;committer's address&gt;</c>; <c>#</c> begins a comment.
/// </summary>
internal sealed class PackagerMap
{
    private const int MaxFileBytes = 8 << 20;

    private readonly ImmutableDictionary<string, string> _byAddress;

    private PackagerMap(ImmutableDictionary<string, string> byAddress, string text)
    {
        _byAddress = byAddress;
        Text = text;
    }

    /// <summary>A map that knows nobody.</summary>
    internal static PackagerMap Empty { get; } = new(ImmutableDictionary<string, string>.Empty, "");

    /// <summary>The file's content: what a change of the map is noticed by.</summary>
    internal string Text { get; }

    /// <exception cref="SourceUnreachableException">The file cannot be read, or a line is neither form.</exception>
    internal static PackagerMap Load(string? path) =>
        path is null ? Empty : Parse(OperatorFile.Read("The packager map", path, MaxFileBytes), path);

    /// <summary>Who is named for an author; null when the map does not know them. Without an address, as in Subversion,
    /// the name is what is looked up.</summary>
    internal string? Find(Author author) =>
        _byAddress.GetValueOrDefault(author.Address.Length > 0 ? author.Address : author.Name);

    private static PackagerMap Parse(string text, string path)
    {
        var map = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.OrdinalIgnoreCase);
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Split('#')[0].Trim();
            if (line.Length == 0)
                continue;
            var equals = line.IndexOf('=');
            var last = line.LastIndexOf('<');
            var (address, packager) = equals > 0 && equals < line.IndexOf('<')
                ? (line[..equals].Trim(), Packager.Parse(line[(equals + 1)..]))
                : (last < 0 ? "" : line[(last + 1)..].TrimEnd('>').Trim(), last <= 0 ? null : Packager.Parse(
                    line[..last]));
            if (address.Length == 0 || packager is null)
                throw new SourceUnreachableException(
                    $"Line {number} of the packager map {path} is neither 'address = Name <address>' nor "
                    + "'Name <address> <committer's address>'.");
            map[address] = packager;
        }

        return new PackagerMap(map.ToImmutable(), text);
    }
}
