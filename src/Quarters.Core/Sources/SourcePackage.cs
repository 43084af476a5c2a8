using System.Collections.Immutable;

namespace Quarters.Core.Sources;

/// <summary>
/// One package base as its source holds it: the uniform record that every parser returns, whatever the kind of source.
/// Relations are kept as the PKGBUILD writes them (<c>zlib&gt;=1.2</c>); versions as makepkg prints them
/// (<c>epoch:pkgver-pkgrel</c>, the epoch omitted when it is 0).
/// </summary>
public sealed record SourcePackage
{
    /// <summary>The package base: the name under which it is built and failed.</summary>
    public required string Pkgbase { get; init; }

    /// <summary>The full version, <c>[epoch:]pkgver-pkgrel</c>.</summary>
    public required string Version { get; init; }

    /// <summary>The architectures of <c>arch=()</c>; <c>any</c> alone for architecture independent packages.</summary>
    public required ImmutableArray<string> Architectures { get; init; }

    /// <summary>What must be installed to build it, on every architecture.</summary>
    public BuildDependencies Dependencies { get => field ?? BuildDependencies.None; init; }

    /// <summary>What must be installed in addition, by architecture (<c>depends_x86_64</c> and the like).</summary>
    public ImmutableSortedDictionary<string, BuildDependencies> DependenciesByArchitecture
    {
        get => field ?? ImmutableSortedDictionary<string, BuildDependencies>.Empty;
        init;
    }

    /// <summary>The packages that one build yields; at least one. Overrides of <c>package_NAME()</c> are
    /// applied.</summary>
    public required ImmutableArray<PackageOutput> Packages { get; init; }

    /// <summary>Who is named in <c>.PKGINFO</c>: <c>Name &lt;address&gt;</c>, from the SCM's author or a maintainer
    /// map.</summary>
    public required string Packager { get; init; }

    /// <summary>The repository that its builds go to.</summary>
    public required string Repository { get; init; }

    /// <summary>Where it came from.</summary>
    public required SourceOrigin Origin { get; init; }

    /// <summary>SHA-256 (lower-case hex) over the tree's paths, modes and contents: equal trees, equal
    /// digests.</summary>
    public required string TreeSha256 { get; init; }

    /// <summary>SHA-256 (lower-case hex) of the source package archive, served at <c>/src/SHA256.tar.zst</c>.</summary>
    public required string ArchiveSha256 { get; init; }

    /// <summary>Size of the archive in bytes.</summary>
    public required long ArchiveBytes { get; init; }

    /// <summary>What must be installed to build it on an architecture: the run-time dependencies too, since makepkg
    /// insists on them.</summary>
    public ImmutableArray<string> DependenciesOn(string architecture)
    {
        var all = new List<string>();
        Add(Dependencies);
        if (DependenciesByArchitecture.TryGetValue(architecture, out var more)) Add(more);
        return [.. all.Distinct(StringComparer.Ordinal)];

        void Add(BuildDependencies dependencies)
        {
            all.AddRange(dependencies.Depends);
            all.AddRange(dependencies.Makedepends);
            all.AddRange(dependencies.Checkdepends);
        }
    }
}

/// <summary>The three kinds of relations that must be installed before makepkg starts.</summary>
public sealed record BuildDependencies
{
    /// <summary>No dependency at all.</summary>
    public static BuildDependencies None { get; } = new();

    /// <summary><c>depends</c> of the package base: needed to build and to run.</summary>
    public ImmutableArray<string> Depends { get => field.IsDefault ? [] : field; init; }

    /// <summary><c>makedepends</c>: needed to build only.</summary>
    public ImmutableArray<string> Makedepends { get => field.IsDefault ? [] : field; init; }

    /// <summary><c>checkdepends</c>: needed to run <c>check()</c> only.</summary>
    public ImmutableArray<string> Checkdepends { get => field.IsDefault ? [] : field; init; }
}

/// <summary>One package of a package base, with the overrides of its <c>package_NAME()</c> function applied.</summary>
public sealed record PackageOutput
{
    /// <summary>The package's name.</summary>
    public required string Name { get; init; }

    /// <summary>The architectures of this package; a split package may hold an <c>any</c> one.</summary>
    public required ImmutableArray<string> Architectures { get; init; }

    /// <summary>Run-time dependencies on every architecture.</summary>
    public ImmutableArray<string> Depends { get => field.IsDefault ? [] : field; init; }

    /// <summary>Names and versions that it provides besides its own.</summary>
    public ImmutableArray<string> Provides { get => field.IsDefault ? [] : field; init; }

    /// <summary>What it cannot be installed beside.</summary>
    public ImmutableArray<string> Conflicts { get => field.IsDefault ? [] : field; init; }

    /// <summary>What it takes the place of on an upgrade.</summary>
    public ImmutableArray<string> Replaces { get => field.IsDefault ? [] : field; init; }

    /// <summary>Provides that hold on one architecture only, by architecture.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> ProvidesByArchitecture
    {
        get => field ?? ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;
        init;
    }
}

/// <summary>Where a source package came from, precise enough to have it again.</summary>
public sealed record SourceOrigin
{
    /// <summary>The source's name in the configuration.</summary>
    public required string Source { get; init; }

    /// <summary>The kind of source: <c>git</c>, <c>directory</c>, …</summary>
    public required string Kind { get; init; }

    /// <summary>The repository's URL or the directory's path.</summary>
    public required string Location { get; init; }

    /// <summary>The package's directory inside it; empty for the top.</summary>
    public required string Path { get; init; }

    /// <summary>The commit or revision that last touched the package; empty where the kind has none.</summary>
    public required string Revision { get; init; }

    /// <summary>When that commit was made (UTC); it becomes <c>SOURCE_DATE_EPOCH</c>.</summary>
    public required DateTimeOffset Time { get; init; }
}
