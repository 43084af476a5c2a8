using System.Collections.Immutable;

namespace Quarters.Core.Master;

/// <summary>A shared library that our repositories offered, offer no longer, and that packages in them are linked
/// with: these do not run until they are built again.</summary>
public sealed record LostLibrary
{
    /// <summary>Its name, as <c>libfoo.so=2-64</c>.</summary>
    public required string Soname { get; init; }

    /// <summary>The architecture of the repositories.</summary>
    public required string Architecture { get; init; }

    /// <summary>The package base that had it.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>The last version that did.</summary>
    public required string Version { get; init; }

    /// <summary>When that was replaced.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The package bases that are linked with it still, sorted.</summary>
    public required ImmutableArray<string> Dependents { get; init; }

    /// <summary>The rebuild that was begun for it; null for none yet.</summary>
    public string? Rebuild { get; init; }

    /// <summary>Its key in the state.</summary>
    public string Key() => $"{Architecture}/{Soname}";
}
