using System.Collections.Immutable;

namespace Quarters.Core.Planning;

/// <summary>One package in a repository: what planning, acceptance and the pages need to know of it.</summary>
public sealed record RepositoryPackage
{
    /// <summary>The package's name.</summary>
    public required string Name { get; init; }

    /// <summary>The package base it was built from.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>The full version.</summary>
    public required string Version { get; init; }

    /// <summary>Its architecture.</summary>
    public required string Architecture { get; init; }

    /// <summary>The package file's name.</summary>
    public required string FileName { get; init; }

    /// <summary>The file's SHA-256.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The file's size in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Its run-time dependencies.</summary>
    public ImmutableArray<string> Depends { get => field.IsDefault ? [] : field; init; }

    /// <summary>What it provides besides its name.</summary>
    public ImmutableArray<string> Provides { get => field.IsDefault ? [] : field; init; }

    /// <summary>The shared libraries in it, as <c>libfoo.so=2-64</c>.</summary>
    public ImmutableArray<string> Sonames { get => field.IsDefault ? [] : field; init; }

    /// <summary>The shared libraries of others that its programs and libraries are linked with.</summary>
    public ImmutableArray<string> NeededSonames { get => field.IsDefault ? [] : field; init; }

    /// <summary>Who packaged it.</summary>
    public string Packager { get; init; } = "";

    /// <summary>Since when the repository holds it.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>The job whose result it is; empty for packages that were not built here.</summary>
    public string Job { get; init; } = "";
}
