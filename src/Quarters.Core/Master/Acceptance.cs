using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>What a build must yield, and whether what arrived is that. Nothing that a builder says is
/// believed.</summary>
public static class Acceptance
{
    /// <summary>The packages that a build for an architecture must yield; those of other architectures it must
    /// not.</summary>
    public static ImmutableArray<WantedPackage> Wanted(SourcePackage source, string architecture) =>
        [.. source.Packages
            .Where(p => p.Architectures.Contains("any") || p.Architectures.Contains(architecture))
            .Select(p => new WantedPackage(p.Name, p.Architectures.Contains("any") ? "any" : architecture))];

    /// <summary>The first thing that is wrong with a result, as a sentence for the journal; null when it may be
    /// published.</summary>
    /// <param name="source">The source package that the job was made for.</param>
    /// <param name="architecture">The architecture that it was built on.</param>
    /// <param name="received">What was fetched, as it was found to be, not as the builder described it.</param>
    /// <param name="surroundings">What is known of the snapshot and of the repositories.</param>
    public static string? FindFault(
        SourcePackage source, string architecture, IReadOnlyList<ReceivedPackage> received,
        IAcceptanceSurroundings surroundings)
    {
        var wanted = Wanted(source, architecture);
        foreach (var want in wanted)
        {
            var count = received.Count(r => r.Facts.Info.Name == want.Name);
            if (count != 1) return $"the package {want.Name} is there {count} times, and must be once";
        }

        if (received.FirstOrDefault(r => wanted.All(w => w.Name != r.Facts.Info.Name)) is { } extra)
            return $"{extra.FileName} holds the package {extra.Facts.Info.Name}, which {source.Pkgbase} does not yield";
        var names = received.Select(r => r.Facts.Info.Name).ToHashSet(StringComparer.Ordinal);
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var package in received)
        {
            var want = wanted.First(w => w.Name == package.Facts.Info.Name);
            var fault = FindIdentityFault(source, want, package)
                ?? FindBuildInfoFault(source, package, surroundings)
                ?? package.Facts.FindEscape()
                ?? FindCollision(package, names, paths, surroundings);
            if (fault is not null) return $"{package.FileName}: {fault}";
        }

        return null;
    }

    /// <summary>A received package as the repository will know it.</summary>
    public static RepositoryPackage Describe(ReceivedPackage received, string job) => new()
    {
        Name = received.Facts.Info.Name,
        Pkgbase = received.Facts.Info.Base,
        Version = received.Facts.Info.Version.ToString(),
        Architecture = received.Facts.Info.Architecture,
        FileName = received.FileName,
        Sha256 = received.Sha256,
        Bytes = received.Bytes,
        Depends = [.. received.Facts.Info.Depends.Select(d => d.ToString())],
        Provides = [.. received.Facts.Info.Provides.Select(p => p.ToString())],
        Sonames = [.. received.Facts.Sonames],
        NeededSonames = [.. received.Facts.NeededSonames],
        Packager = received.Facts.Info.Packager,
        Job = job,
    };

    private static string? FindIdentityFault(SourcePackage source, WantedPackage want, ReceivedPackage package)
    {
        var info = package.Facts.Info;
        return Differs("pkgbase", info.Base, source.Pkgbase)
            ?? Differs("pkgver", info.Version.ToString(), source.Version)
            ?? Differs("arch", info.Architecture, want.Architecture)
            ?? Differs("packager", info.Packager, source.Packager)
            ?? Differs("file name", package.FileName, $"{want.Name}-{source.Version}-{want.Architecture}.pkg.tar.zst");
    }

    private static string? FindBuildInfoFault(
        SourcePackage source, ReceivedPackage package, IAcceptanceSurroundings surroundings)
    {
        if (package.Facts.Build is not { } build) return "it has no .BUILDINFO";
        var info = package.Facts.Info;
        var fault = Differs(".BUILDINFO's pkgname", build.Name, info.Name)
            ?? Differs(".BUILDINFO's pkgbase", build.Base, source.Pkgbase)
            ?? Differs(".BUILDINFO's pkgver", build.Version.ToString(), source.Version)
            ?? Differs(".BUILDINFO's pkgarch", build.Architecture, info.Architecture)
            ?? Differs(".BUILDINFO's packager", build.Packager, source.Packager);
        if (fault is not null) return fault;
        foreach (var installed in build.Installed)
        {
            if (!surroundings.SnapshotHolds(installed))
                return $".BUILDINFO says that {installed} was installed, which its snapshot does not hold";
        }

        return null;
    }

    private static string? FindCollision(
        ReceivedPackage package, HashSet<string> together, Dictionary<string, string> paths,
        IAcceptanceSurroundings surroundings)
    {
        var info = package.Facts.Info;
        foreach (var path in package.Facts.Files)
        {
            if (path.EndsWith('/')) continue;
            if (!paths.TryAdd(path, info.Name)) return $"/{path} is also in {paths[path]}, built with it";
            foreach (var owner in surroundings.OwnersOf(path))
            {
                // An older build of the same packages goes away; packages that exclude each other may share a path.
                if (together.Contains(owner) || Excludes(info, owner)) continue;
                return $"/{path} is also in the package {owner}";
            }
        }

        return null;
    }

    private static bool Excludes(PackageInfo info, string owner) =>
        info.Conflicts.Any(c => c.Name == owner) || info.Replaces.Any(r => r.Name == owner);

    private static string? Differs(string what, string found, string wanted) =>
        found == wanted ? null : $"its {what} is '{Shown(found)}', and must be '{wanted}'";

    private static string Shown(string text) => text.Length <= 200 ? text : text[..200] + "…";
}

/// <summary>A package file as it arrived.</summary>
/// <param name="FileName">The name it was presented under.</param>
/// <param name="Bytes">Its size as measured.</param>
/// <param name="Sha256">Its digest as measured.</param>
/// <param name="Facts">What reading it told.</param>
public sealed record ReceivedPackage(string FileName, long Bytes, string Sha256, PackageFacts Facts);

/// <summary>What acceptance must know besides the result itself; files and databases in the master, tables in
/// tests.</summary>
public interface IAcceptanceSurroundings
{
    /// <summary>Whether the job's snapshot holds exactly this package.</summary>
    bool SnapshotHolds(InstalledPackage package);

    /// <summary>The packages of our repositories that install a file at a path (without a leading slash).</summary>
    IEnumerable<string> OwnersOf(string path);
}
