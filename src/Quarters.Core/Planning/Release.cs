using Quarters.Alpm;
using Quarters.Core.Documents;

namespace Quarters.Core.Planning;

/// <summary>Releases, <c>pkgrel</c>: how a rebuild raises them.</summary>
public static class Release
{
    /// <summary>
    /// The release that a rebuild of a version gets: higher than the source's own and than the published one of the
    /// same version. N becomes N.1 and N.1 becomes N.2, as Arch Linux does it; or, as whole numbers, N+1.
    /// </summary>
    /// <param name="version">The source's version.</param>
    /// <param name="published">The newest published version; null for none.</param>
    /// <param name="bump">How to raise it.</param>
    /// <returns>Null when the source's version has no release to raise.</returns>
    public static string? Next(string version, string? published, BumpKind bump)
    {
        var (stem, release) = Split(version);
        if (published is not null && PackageVersion.Compare(published, version) > 0
            && Split(published) is var (same, higher) && same == stem)
            release = higher;
        var parts = release.Split('.');
        if (parts.Length > 2 || !long.TryParse(parts[0], out var whole)) return null;
        var fraction = 0L;
        if (parts.Length == 2 && !long.TryParse(parts[1], out fraction)) return null;
        return bump == BumpKind.Integer
            ? FormattableString.Invariant($"{whole + 1}")
            : FormattableString.Invariant($"{whole}.{fraction + 1}");
    }

    /// <summary>A version with another release.</summary>
    public static string With(string version, string release) => Split(version).Stem + "-" + release;

    /// <summary>Whether two versions are the same but for their releases.</summary>
    internal static bool DiffersInReleaseOnly(string left, string right) => Split(left).Stem == Split(right).Stem;

    private static (string Stem, string Release) Split(string version)
    {
        var dash = version.LastIndexOf('-');
        return dash < 0 ? (version, "") : (version[..dash], version[(dash + 1)..]);
    }
}
