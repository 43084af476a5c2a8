using System.Collections.Immutable;
using Quarters.Core.Sources;

namespace Quarters.Sources.Intake;

/// <summary>Who made a change, as a version control system has it: any text, or none.</summary>
/// <param name="Name">The name; Subversion's only.</param>
/// <param name="Address">The mail address; empty where the system has none.</param>
internal readonly record struct Author(string Name, string Address)
{
    /// <summary>Reads what people write in one line: <c>Name &lt;address&gt;</c>, an address, or a name.</summary>
    internal static Author Parse(string text)
    {
        var open = text.IndexOf('<');
        var close = text.IndexOf('>', open + 1);
        return open >= 0 && close >= 0 ? new Author(text[..open].Trim(), text[(open + 1)..close].Trim())
            : text.Contains('@') && !text.Contains(' ') ? new Author("", text)
            : new Author(text, "");
    }
}

/// <summary>Finds who is named in a package: the settings, with the map as it is now.</summary>
internal sealed class Packagers
{
    private readonly ImmutableArray<string> _order;
    private readonly PackagerMap _map;

    private Packagers(ImmutableArray<string> order, PackagerMap map)
    {
        _order = order;
        _map = map;
    }

    /// <summary>What a change of settings or map is noticed by: then every package is reported anew.</summary>
    internal string Text => $"{string.Join('\n', _order)}\n{_map.Text}";

    /// <exception cref="SourceUnreachableException">The map cannot be read.</exception>
    internal static Packagers Load(PackagerSettings settings) =>
        new(settings.Order, PackagerMap.Load(settings.MapFile));

    /// <summary>Who is named for a tree, in the form of <c>.PKGINFO</c>.</summary>
    /// <param name="author">Who made the last change of it; null where nobody can know.</param>
    /// <param name="tree">Its files; null where they cannot be had.</param>
    internal string Name(Author? author, SourceTree? tree)
    {
        foreach (var place in _order)
        {
            var found = place switch
            {
                PackagerSettings.Map => author is { } one ? _map.Find(one) : null,
                PackagerSettings.Author => author is { } one ? Packager.Create(one.Name, one.Address) : null,
                PackagerSettings.Maintainer => tree is null ? null : MaintainerLine.Find(tree),
                _ => Packager.Parse(place),
            };
            if (found is not null)
                return found;
        }

        return PackageIntake.UnknownPackager;
    }
}
