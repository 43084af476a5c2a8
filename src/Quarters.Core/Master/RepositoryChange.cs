using System.Collections.Immutable;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>What a repository holds under a name, before and after a change.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Architecture">Its architecture.</param>
/// <param name="Name">The package's name.</param>
/// <param name="Before">The package before; null for none.</param>
/// <param name="After">The package after; null for none.</param>
public sealed record Replacement(
    string Repository, string Architecture, string Name, RepositoryPackage? Before, RepositoryPackage? After)
{
    /// <summary>The repository's key in the state.</summary>
    public string Key() => MasterState.RepositoryKey(Repository, Architecture);

    /// <summary>The same change back.</summary>
    public Replacement Back() => this with { Before = After, After = Before };
}

/// <summary>A change of the repositories that can be taken back.</summary>
/// <param name="Revision">The revision of the state with it: its name.</param>
/// <param name="Time">When it happened.</param>
/// <param name="Why">What it was, for people.</param>
/// <param name="Replacements">What it changed.</param>
public sealed record RecordedChange(
    long Revision, DateTimeOffset Time, string Why, ImmutableArray<Replacement> Replacements);
