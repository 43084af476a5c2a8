using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Master.Repositories;

namespace Quarters.Master.Bootstrapping;

/// <summary>Compares the packages of a complete stage of a bootstrap with those of the stage before.</summary>
internal sealed class StageReview(MasterFolders folders, TimeProvider time)
{
    /// <summary>Of so many packages that differ it is told, and of so many it is looked at which files do.</summary>
    private const int MaxPackages = 200, MaxOpened = 50;

    /// <summary>So many files of a package are told at most.</summary>
    private const int MaxFiles = 20;

    /// <summary>So many packages of the seeds are told at most.</summary>
    private const int MaxFromSeeds = 1000;

    /// <summary>What is to be said of a stage.</summary>
    /// <exception cref="UnreadablePackageException">A package file is not there any more as it was
    /// accepted.</exception>
    public FinishedStage Compare(MasterState state, Bootstrap bootstrap, Rebuild stage)
    {
        var now = Repositories(state, stage.Name).ToList();
        var before = stage.Stage!.Before is { } name
            ? Repositories(state, name).ToDictionary(Key, StringComparer.Ordinal)
            : [];
        var differing = now.Where(one => before.GetValueOrDefault(Key(one)).Package?.Sha256 != one.Package.Sha256)
            .OrderBy(Key, StringComparer.Ordinal).ToList();
        var fromSeeds = FromSeeds(now);
        return new FinishedStage
        {
            Number = bootstrap.Stage,
            Begun = stage.Begun,
            Finished = time.GetUtcNow(),
            Packages = now.Count,
            Differing = differing.Count,
            Differences = before.Count == 0
                ? []
                :
                [
                    .. differing.Take(MaxPackages).Select((one, index) => Difference(
                        one, before.TryGetValue(Key(one), out var old) ? old : null, index < MaxOpened)),
                ],
            FromSeeds = [.. fromSeeds.Take(MaxFromSeeds)],
            MoreFromSeeds = Math.Max(0, fromSeeds.Count - MaxFromSeeds),
        };
    }

    private PackageDifference Difference(
        (RepositoryState In, RepositoryPackage Package) one, (RepositoryState In, RepositoryPackage Package)? before,
        bool open)
    {
        if (before is not { } old || !open) return new PackageDifference(one.Package.Name, [], 0);
        var (was, has) = (Fingerprints(old), Fingerprints(one));
        var files = was.Keys.Union(has.Keys, StringComparer.Ordinal)
            .Where(path => was.GetValueOrDefault(path) != has.GetValueOrDefault(path))
            .Order(StringComparer.Ordinal).ToList();
        return new PackageDifference(
            one.Package.Name, [.. files.Take(MaxFiles)], Math.Max(0, files.Count - MaxFiles));
    }

    /// <summary>What was installed for the builds that no package of the stage is.</summary>
    private SortedSet<string> FromSeeds(List<(RepositoryState In, RepositoryPackage Package)> packages)
    {
        var own = packages.Select(one => one.Package.Name).ToHashSet(StringComparer.Ordinal);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var one in packages.DistinctBy(one => one.Package.Sha256))
        {
            var (_, build) = StoredPackage.Read(
                folders.Package(one.In, one.Package), one.Package,
                file => PackageFile.ReadInfo(file, new PackageReadLimits()));
            found.UnionWith((build?.Installed ?? []).Select(installed => installed.Name)
                .Where(name => !own.Contains(name)));
        }

        return found;
    }

    private SortedDictionary<string, string> Fingerprints((RepositoryState In, RepositoryPackage Package) one) =>
        StoredPackage.Read(
            folders.Package(one.In, one.Package), one.Package,
            file => PackageFile.Fingerprints(file, new PackageReadLimits()));

    private static IEnumerable<(RepositoryState In, RepositoryPackage Package)> Repositories(
        MasterState state, string name) => state.Repositories.Values.Where(one => one.Name == name)
        .SelectMany(one => one.Packages.Values.Select(package => (one, package)));

    private static string Key((RepositoryState In, RepositoryPackage Package) one) =>
        $"{one.Package.Name}/{one.In.Architecture}";
}
