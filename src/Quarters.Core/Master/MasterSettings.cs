using System.Collections.Immutable;
using System.IO.Enumeration;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>What the master's owner decided and planning depends on. Swapped whole when the configuration
/// changes.</summary>
public sealed record MasterSettings
{
    /// <summary>The architectures that packages are built for; the first also builds the <c>any</c> ones.</summary>
    public required ImmutableArray<string> Architectures { get; init; }

    /// <summary>The repositories that are published here, in pacman's order of precedence.</summary>
    public required ImmutableArray<string> Repositories { get; init; }

    /// <summary>The repositories of others that builds may install from, in order, after our own.</summary>
    public ImmutableArray<OutsideRepository> Outside { get => field.IsDefault ? [] : field; init; }

    /// <summary>How packages go on by themselves, from one repository to the next.</summary>
    public ImmutableArray<Promotion> Promotions { get => field.IsDefault ? [] : field; init; }

    /// <summary>The repositories that the users of one have enabled beside it, where the configuration says
    /// so.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> BuildsOn { get => field ?? NoBuildsOn; init; }

    private static ImmutableSortedDictionary<string, ImmutableArray<string>> NoBuildsOn { get; } =
        ImmutableSortedDictionary.Create<string, ImmutableArray<string>>(StringComparer.Ordinal);

    /// <summary>What is different where packages are built for an architecture, where the configuration says
    /// so.</summary>
    public ImmutableSortedDictionary<string, ArchitectureTraits> Traits { get => field ?? NoTraits; init; }

    private static ImmutableSortedDictionary<string, ArchitectureTraits> NoTraits { get; } =
        ImmutableSortedDictionary.Create<string, ArchitectureTraits>(StringComparer.Ordinal);

    /// <summary>Whether the rebuild of those who are linked with a library that went away begins by itself.</summary>
    public bool StartsRebuilds { get; init; }

    /// <summary>What several builders must build before it is published; the first that names a package base
    /// holds.</summary>
    public ImmutableArray<IndependentBuilds> Independent { get => field.IsDefault ? [] : field; init; }

    /// <summary>Names of the sources, in order of precedence where two hold one package base.</summary>
    public required ImmutableArray<string> Sources { get; init; }

    /// <summary>The builders whose results are looked at.</summary>
    public required ImmutableArray<ValidatedBuilder> Builders { get; init; }

    /// <summary>Packages of the clean chroot before any dependency.</summary>
    public required ImmutableArray<string> BasePackages { get; init; }

    /// <summary>How much one build may use.</summary>
    public BuildLimits Limits { get; init; } = new();

    /// <summary>How much of what nothing needs any more is kept all the same.</summary>
    public KeepPolicy Keep { get; init; } = new();

    /// <summary>How many attempts a job has before the environment's failures, too, are taken for its own.</summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>A builder that was not heard of for so many seconds has lost its claims.</summary>
    public int LeaseSeconds { get; init; } = 300;

    /// <summary>The architecture that a job is built on.</summary>
    public string ArchitectureOf(Job job) => job.Architecture == "any" ? Architectures[0] : job.Architecture;

    /// <summary>The architectures whose repositories have what a job yields.</summary>
    public ImmutableArray<string> ArchitecturesFor(Job job) =>
        job.Architecture == "any" ? Architectures : [job.Architecture];

    /// <summary>How many builders must build a job before it is published. What is staged in a bootstrap is built once:
    /// each stage is compared with the one before.</summary>
    public int WantedBuilds(Job job) =>
        job.IsStaged ? 1 : Independent.FirstOrDefault(one => one.Holds(job.Pkgbase))?.Builds ?? 1;

    /// <summary>Settings are compared by what they say; the arrays' own equality is by reference.</summary>
    public bool SameAs(MasterSettings other) =>
        Architectures.SequenceEqual(other.Architectures) && Repositories.SequenceEqual(other.Repositories)
        && Promotions.SequenceEqual(other.Promotions) && BuildsOn.Count == other.BuildsOn.Count
        && BuildsOn.All(pair => other.BuildsOn.TryGetValue(pair.Key, out var same) && same.SequenceEqual(pair.Value))
        && Traits.Count == other.Traits.Count && Traits.All(pair => other.Traits.TryGetValue(pair.Key, out var same)
            && same.Accepts.SequenceEqual(pair.Value.Accepts) && same.Makepkg.SequenceEqual(pair.Value.Makepkg))
        && Outside.SequenceEqual(other.Outside, OutsideRepository.Comparer) && Sources.SequenceEqual(other.Sources)
        && Builders.SequenceEqual(other.Builders, ValidatedBuilder.Comparer)
        && Independent.SequenceEqual(other.Independent, IndependentBuilds.Comparer)
        && BasePackages.SequenceEqual(other.BasePackages) && Limits == other.Limits
        && StartsRebuilds == other.StartsRebuilds && Keep == other.Keep && MaxAttempts == other.MaxAttempts
        && LeaseSeconds == other.LeaseSeconds;
}

/// <summary>Packages of one repository go on to another.</summary>
/// <param name="From">The repository that they are in.</param>
/// <param name="To">The repository that they go to.</param>
/// <param name="AfterSeconds">After how long there, by themselves; null for only when an operator says so.</param>
public sealed record Promotion(string From, string To, long? AfterSeconds);

/// <summary>Some packages that several builders must build, each for itself.</summary>
/// <param name="Builds">How many must build the same.</param>
/// <param name="Packages">Names of package bases, in which <c>*</c> stands for any characters and <c>?</c> for
/// one.</param>
public sealed record IndependentBuilds(int Builds, ImmutableArray<string> Packages)
{
    internal static IEqualityComparer<IndependentBuilds> Comparer { get; } = EqualityComparer<IndependentBuilds>.Create(
        (a, b) => a!.Builds == b!.Builds && a.Packages.SequenceEqual(b.Packages), one => one.Builds);

    /// <summary>Whether it names a package base.</summary>
    public bool Holds(string pkgbase) =>
        Packages.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, pkgbase, ignoreCase: false));
}

/// <summary>A repository of somebody else.</summary>
/// <param name="Name">Its name, as in pacman.conf.</param>
/// <param name="Servers">URLs as in <c>Server =</c>, with <c>$repo</c> and <c>$arch</c>.</param>
public sealed record OutsideRepository(string Name, ImmutableArray<string> Servers)
{
    internal static IEqualityComparer<OutsideRepository> Comparer { get; } =
        EqualityComparer<OutsideRepository>.Create(
            (a, b) => a!.Name == b!.Name && a.Servers.SequenceEqual(b.Servers),
            r => r.Name.GetHashCode(StringComparison.Ordinal));
}

/// <summary>A builder whose results are looked at.</summary>
/// <param name="Name">The name it is known by here.</param>
/// <param name="Url">The base URL of its public tree.</param>
/// <param name="PublicKey">The key that it must prove, <c>sha256:HEX</c>.</param>
/// <param name="Architectures">What it may build.</param>
public sealed record ValidatedBuilder(string Name, string Url, string PublicKey, ImmutableArray<string> Architectures)
{
    internal static IEqualityComparer<ValidatedBuilder> Comparer { get; } =
        EqualityComparer<ValidatedBuilder>.Create(
            (a, b) => a!.Name == b!.Name && a.Url == b.Url && a.PublicKey == b.PublicKey
                && a.Architectures.SequenceEqual(b.Architectures),
            r => r.Name.GetHashCode(StringComparison.Ordinal));
}
