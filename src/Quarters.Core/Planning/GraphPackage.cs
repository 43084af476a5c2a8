using System.Collections.Immutable;

namespace Quarters.Core.Planning;

/// <summary>A package base as a line of a graph file tells of it: what it yields, what it needs and what it
/// costs.</summary>
public sealed record GraphPackage
{
    /// <summary>The package base.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>The version without epoch and release.</summary>
    public required string Pkgver { get; init; }

    /// <summary>The release.</summary>
    public required string Pkgrel { get; init; }

    /// <summary>The epoch; empty for none.</summary>
    public string Epoch { get => field ?? ""; init; }

    /// <summary>The architectures of <c>arch=()</c>.</summary>
    public ImmutableArray<string> Arch { get => field.IsDefault ? [] : field; init; }

    /// <summary>The packages that one build yields.</summary>
    public required ImmutableArray<string> Pkgnames { get; init; }

    /// <summary>Relations that building and running need.</summary>
    public ImmutableArray<string> Depends { get => field.IsDefault ? [] : field; init; }

    /// <summary>Relations that building needs.</summary>
    public ImmutableArray<string> Makedepends { get => field.IsDefault ? [] : field; init; }

    /// <summary>Relations that testing needs.</summary>
    public ImmutableArray<string> Checkdepends { get => field.IsDefault ? [] : field; init; }

    /// <summary>What its packages provide besides their names, all together.</summary>
    public ImmutableArray<string> Provides { get => field.IsDefault ? [] : field; init; }

    /// <summary>How long the build takes on a builder of weight 1, in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>The full version as makepkg prints it.</summary>
    public string Version => Epoch is "" or "0" ? $"{Pkgver}-{Pkgrel}" : $"{Epoch}:{Pkgver}-{Pkgrel}";
}
