using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Sources;

namespace Quarters.Sources;

/// <summary>What a package's archive is called and how large it is.</summary>
/// <param name="Sha256">SHA-256 in lower-case hex.</param>
/// <param name="Bytes">Its size.</param>
public sealed record ArchiveFacts(string Sha256, long Bytes);

/// <summary>Makes the uniform record of what a PKGBUILD says.</summary>
internal static class SourcePackages
{
    internal static SourcePackage Create(
        SrcInfo info, SourceOrigin origin, string packager, string repository, string treeSha256, ArchiveFacts archive)
    {
        var architectures = info.Architectures(info.Base).ToImmutableArray();
        var suffixed = architectures.Where(architecture => architecture != "any").Distinct(StringComparer.Ordinal)
            .ToList();
        return new SourcePackage
        {
            Pkgbase = info.Base.Name,
            Version = info.Version.ToString(),
            Architectures = architectures,
            Dependencies = Dependencies(info.Base, ""),
            DependenciesByArchitecture = suffixed
                .Select(architecture => KeyValuePair.Create(architecture, Dependencies(info.Base, "_" + architecture)))
                .Where(one => !one.Value.Depends.IsEmpty || !one.Value.Makedepends.IsEmpty
                    || !one.Value.Checkdepends.IsEmpty)
                .ToImmutableSortedDictionary(StringComparer.Ordinal),
            Packages = [.. info.Packages.Select(package => Output(info, package, suffixed))],
            Packager = packager,
            Repository = repository,
            Origin = origin,
            TreeSha256 = treeSha256,
            ArchiveSha256 = archive.Sha256,
            ArchiveBytes = archive.Bytes,
        };
    }

    private static BuildDependencies Dependencies(SrcInfoSection section, string suffix) => new()
    {
        Depends = [.. section.Values("depends" + suffix)],
        Makedepends = [.. section.Values("makedepends" + suffix)],
        Checkdepends = [.. section.Values("checkdepends" + suffix)],
    };

    private static PackageOutput Output(SrcInfo info, SrcInfoSection package, List<string> architectures) => new()
    {
        Name = package.Name,
        Architectures = [.. info.Architectures(package)],
        Depends = [.. info.Values(package, "depends", null)],
        Provides = [.. info.Values(package, "provides", null)],
        Conflicts = [.. info.Values(package, "conflicts", null)],
        Replaces = [.. info.Values(package, "replaces", null)],
        ProvidesByArchitecture = architectures
            .Select(architecture => KeyValuePair.Create(
                architecture, OfArchitecture(info, package, "provides_" + architecture)))
            .Where(one => !one.Value.IsEmpty)
            .ToImmutableSortedDictionary(StringComparer.Ordinal),
    };

    private static ImmutableArray<string> OfArchitecture(SrcInfo info, SrcInfoSection package, string field) =>
        [.. (package.Has(field) ? package : info.Base).Values(field)];
}
