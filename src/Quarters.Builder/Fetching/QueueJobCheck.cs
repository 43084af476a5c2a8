using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Builder.Fetching;

/// <summary>Looks whether a job can be what the master says before any of it becomes a path, an argument or a
/// size.</summary>
internal static class QueueJobCheck
{
    /// <summary>A source package holds a PKGBUILD and what lies beside it, not what it downloads.</summary>
    internal const long MaxSourceBytes = 256L << 20;

    private const int MaxRelations = 10_000;
    private const int MaxPackages = 1000;
    private const int MaxPackagerLength = 500;

    /// <summary>Why a job cannot be taken, to follow "a job …"; null when it can.</summary>
    internal static string? FindFault(QueueJob job)
    {
        if (!JobId.IsValid(job.Id))
            return "whose id could not be a file name";
        if (job.Attempt < 1)
            return $"whose attempt is {job.Attempt}";
        if (!PackageName.IsValid(job.Pkgbase) || !PackageVersion.TryParse(job.Version, out _))
            return "whose package base or version is none";
        if (!IsSha256(job.SourceSha256) || !IsSha256(job.Snapshot))
            return "whose source or snapshot is no SHA-256";
        if (job.SourceBytes is < 0 or > MaxSourceBytes)
            return $"whose source package has {job.SourceBytes} bytes";
        if (job.Dependencies.Length > MaxRelations
            || job.Dependencies.Any(relation => relation is null || !Relation.TryParse(relation, out _)))
            return "whose dependencies cannot be read";
        if (job.BasePackages.Length > MaxRelations
            || job.BasePackages.Any(name => name is null || !PackageName.IsValid(name)))
            return "whose base packages cannot be read";
        if (ArchitectureTraits.FindFault(job.Accepts, job.Makepkg) is { } fault)
            return $"whose {fault}";
        if (job.Packages.Length is 0 or > MaxPackages
            || job.Packages.Any(package => !PackageName.IsValid(package?.Name)))
            return "whose packages have no names";
        if (job.Packager.Length is 0 or > MaxPackagerLength || job.Packager.Any(char.IsControl))
            return "whose packager is nobody";
        // The years 1970 to 9999, as DateTimeOffset has them.
        if (job.SourceDateEpoch is < 0 or > 253_402_300_799)
            return $"whose date is {job.SourceDateEpoch}";
        return job.Limits is { MemoryBytes: > 0, Processes: > 0, DiskBytes: > 0, TimeSeconds: > 0, SilenceSeconds: > 0 }
            ? null
            : "whose limits leave nothing";
    }

    /// <summary>Whether a text is 64 lower-case hexadecimal digits.</summary>
    internal static bool IsSha256(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);
}
