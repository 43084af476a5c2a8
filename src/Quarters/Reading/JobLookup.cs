using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Reading;

/// <summary>Finds the job that a person means: by its id, or the newest one of a package base.</summary>
internal static class JobLookup
{
    /// <exception cref="MistakeException">There is no such job.</exception>
    internal static async Task<byte[]> FindAsync(NodeLink link, string name, CancellationToken cancellationToken)
    {
        Check(name);
        if (await link.FindAsync(JobPath(name), cancellationToken) is { } job)
            return job;
        if (await link.FindAsync(PackagePath(name), cancellationToken) is { } package
            && Parse(link, package) is { Jobs: [var newest, ..] })
            return await link.ReadAsync(JobPath(newest.Id), cancellationToken);
        throw new MistakeException($"there is no job \"{name}\", and no package base of that name with one; "
            + "`quarters jobs` lists those that are not done");
    }

    /// <summary>Where the document of a job is.</summary>
    internal static string JobPath(string id) => $"v1/jobs/{Escaped(id)}.json";

    /// <summary>Where the document of a package base is.</summary>
    internal static string PackagePath(string pkgbase) => $"v1/packages/{Escaped(pkgbase)}.json";

    /// <summary>Makes the document of a package base of bytes.</summary>
    internal static PackageDocument Parse(NodeLink link, byte[] bytes) => link.Parse(
        bytes, QuartersJson.Default.PackageDocument, Schemas.Package, document => document.Schema);

    /// <exception cref="MistakeException">It cannot be a name of a job or a package base, and so not a part of a URL.
    /// </exception>
    internal static void Check(string name)
    {
        if (!JobId.IsValid(name))
            throw new MistakeException(
                $"\"{Terminal.Printable(name)}\" is no id of a job and no name of a package base");
    }

    private static string Escaped(string name) => Uri.EscapeDataString(name);
}
