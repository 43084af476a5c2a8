using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Versioned;

/// <summary>A change of a repository: a commit, a revision, a changeset.</summary>
internal sealed record Change(string Revision, DateTimeOffset Time, Author Author);

/// <summary>
/// What git, Subversion and Mercurial have in common: files in directories, and revisions of all of them. Every method
/// throws <see cref="SourceUnreachableException"/> where the repository does not answer, and
/// <see cref="IOException"/> where this machine fails.
/// </summary>
internal interface IVersionedTree
{
    /// <summary>Where it is, as shown to people.</summary>
    string Location { get; }

    /// <summary>Learns what is new.</summary>
    /// <param name="before">The revision that is known; null when none is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The newest revision, without a blank in it; null when the repository has none at all.</returns>
    Task<string?> FetchAsync(string? before, CancellationToken cancellationToken);

    /// <summary>The packages in which two revisions may differ; null when that cannot be said, and everything must be
    /// looked at.</summary>
    Task<HashSet<string>?> TouchedAsync(string before, string now, CancellationToken cancellationToken);

    /// <summary>The packages of a revision.</summary>
    /// <param name="revision">The revision.</param>
    /// <param name="only">Only these, as far as they are there; null for all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<Dictionary<string, ListedPackage>> ListAsync(
        string revision, IReadOnlySet<string>? only, CancellationToken cancellationToken);

    /// <summary>The packages of a revision whose files follow from those of a revision before and what changed in them,
    /// with their files; all others are to be listed and read.</summary>
    Task<Dictionary<string, ListedPackage>> PatchAsync(
        string before, string now, IReadOnlyDictionary<string, SourceTree> known,
        CancellationToken cancellationToken) =>
        Task.FromResult(new Dictionary<string, ListedPackage>());

    /// <summary>The last change of each package.</summary>
    /// <param name="packages">Packages that are, or were, there.</param>
    /// <param name="before">A revision after which all of them were touched; null when nothing is known.</param>
    /// <param name="now">The revision that is read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<Dictionary<string, Change>> LastChangesAsync(
        IReadOnlyCollection<string> packages, string? before, string now, CancellationToken cancellationToken);

    /// <summary>The files of packages, in the order asked for; their paths are those inside the package.</summary>
    Task<List<List<TreeEntry>>> ReadAsync(
        string revision, IReadOnlyList<ListedPackage> packages, CancellationToken cancellationToken);
}
