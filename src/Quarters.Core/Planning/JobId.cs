using System.Globalization;

namespace Quarters.Core.Planning;

/// <summary>
/// The name of a job: <c>PKGBASE-VERSION-ARCH-HASH</c>, HASH being the first 8 digits of the source package's SHA-256
/// and <c>_</c> standing for what a version may hold and an id may not, such as the epoch's colon. The same source
/// always gives the same name, so that a job is never made twice. In a stage of a bootstrap <c>@</c> and the stage's
/// name follow: there the same source is built again.
/// </summary>
public static class JobId
{
    /// <summary>No id is longer than this many characters.</summary>
    public const int MaxLength = 300;

    /// <summary>The id of the job that builds this source for this architecture.</summary>
    public static string Of(
        string pkgbase, string version, string architecture, string sourceSha256, string? stage = null) =>
        $"{pkgbase}-{Written(version)}-{architecture}-{sourceSha256[..8]}{(stage is null ? "" : "@" + stage)}";

    /// <summary>Whether a text that came from elsewhere may be an id, and so a part of a path.</summary>
    public static bool IsValid(string text)
    {
        if (text.Length is 0 or > MaxLength || text[0] is '.' or '-')
            return false;
        foreach (var c in text)
        {
            if (!IsAllowed(c))
                return false;
        }

        return true;
    }

    /// <summary>The folder of an attempt's results and the stem of its log: <c>ID.ATTEMPT</c>.</summary>
    public static string AttemptName(string id, int attempt) =>
        id + "." + attempt.ToString(CultureInfo.InvariantCulture);

    /// <summary>The stem of the log of an attempt of which several builders' results are waited for:
    /// <c>ID.ATTEMPT-BUILDER</c>, with <c>+</c> for dots in the builder's name, which never has one, so that the job's
    /// is found in it all the same.</summary>
    public static string WitnessName(string id, int attempt, string builder) =>
        AttemptName(id, attempt) + "-" + builder.Replace('.', '+');

    private static string Written(string version) =>
        string.Create(version.Length, version, (id, text) =>
        {
            for (var i = 0; i < id.Length; i++) id[i] = IsAllowed(text[i]) ? text[i] : '_';
        });

    private static bool IsAllowed(char c) => char.IsAsciiLetterOrDigit(c) || c is '@' or '.' or '_' or '+' or '-';
}
