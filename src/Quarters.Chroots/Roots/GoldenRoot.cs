using Quarters.Alpm;
using Quarters.Chroots.Repositories;

namespace Quarters.Chroots.Roots;

/// <summary>A root with a base set installed, from which working copies are made. It is never written to
/// again.</summary>
internal sealed class GoldenRoot(string id, string tree, IReadOnlyList<InstalledPackageRecord> installed)
{
    private readonly List<(string Name, PackageVersion Version, List<Relation> Provides)> _packages =
        [.. installed.Select(package => (
            package.Name, PackageVersion.Parse(package.Version), package.Provides.Select(Relation.Parse).ToList()))];

    /// <summary>SHA-256 over what is installed.</summary>
    internal string Id => id;

    /// <summary>The path of its tree.</summary>
    internal string Tree => tree;

    /// <summary>Those dependencies that nothing installed here satisfies. When there are none, pacman need not
    /// run.</summary>
    internal IReadOnlyList<string> Unsatisfied(IEnumerable<string> dependencies) =>
        [.. dependencies.Where(dependency => !Relation.TryParse(dependency, out var relation)
            || !_packages.Exists(package => relation.IsSatisfiedBy(package.Name, package.Version, package.Provides)))];
}
