using System.Collections.Immutable;

namespace Quarters.Sources.Aur;

/// <summary>Packages of the AUR to take.</summary>
public sealed record AurSourceSettings : SourceSettings
{
    /// <summary>The AUR; ends in a slash.</summary>
    public Uri Url { get; init; } = new("https://aur.archlinux.org/");

    /// <summary>Names of packages.</summary>
    public ImmutableArray<string> Packages { get; init; } = [];

    /// <summary>A file with further names, one a line; <c>#</c> begins a comment. Null for none.</summary>
    public string? ListFile { get; init; }

    /// <summary>Whether what the packages depend on comes along, as far as the AUR has it and nobody else
    /// does.</summary>
    public bool Follow { get; init; }

    /// <summary>Gives what says whether a repository of others offers a name; null while that is not known
    /// yet.</summary>
    public Func<Func<string, bool>?> Elsewhere { get; init; } = () => _ => false;

    /// <summary>From so many names on all metadata is fetched at once, which the AUR prefers.</summary>
    public int ArchiveFrom { get; init; } = 500;

    /// <summary>How many packages are fetched at once.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>How long fetching one package may last.</summary>
    public TimeSpan FetchTimeout { get; init; } = TimeSpan.FromMinutes(2);
}
