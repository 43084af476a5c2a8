using System.Collections.Immutable;

namespace Quarters.Sources.Intake;

/// <summary>Who is named as the packager of a source's packages.</summary>
public sealed record PackagerSettings
{
    /// <summary>What the packager map says of who committed the change.</summary>
    public const string Map = "map";

    /// <summary>Who committed the change, as they call themselves.</summary>
    public const string Author = "author";

    /// <summary>The PKGBUILD's <c># Maintainer:</c> line.</summary>
    public const string Maintainer = "maintainer";

    /// <summary>Where to look, in this order, until somebody is found: <see cref="Map"/>, <see cref="Author"/>,
    /// <see cref="Maintainer"/>, or a packager to name, <c>Name &lt;address&gt;</c>. What a kind of source does not
    /// have (a directory knows no author) is passed over.</summary>
    public ImmutableArray<string> Order { get; init; } = [Map, Author, Maintainer];

    /// <summary>The map: a file; null for none.</summary>
    public string? MapFile { get; init; }

    /// <summary>What a word of <see cref="Order"/> must be.</summary>
    public static string? FindFault(string word) =>
        word is Map or Author or Maintainer || Packager.Parse(word) is not null
            ? null
            : $"\"{word}\" must be \"map\", \"author\", \"maintainer\" or \"Name <address>\"";
}
