using System.Globalization;
using Quarters.Linux;

namespace Quarters.Chroots.Health;

/// <summary>
/// The ids that an ordinary user may use besides its own (subuid(5)). Without them the user that builds and the root of
/// the chroot would be one user, and a build could change the tools that it is built with: so there is no going on
/// without.
/// </summary>
internal static class SubordinateIds
{
    private const long Wanted = 65536;
    private const long FirstUsual = 100_000;
    private static readonly string[] Files = ["/etc/subuid", "/etc/subgid"];

    /// <summary>Looks whether this user has enough of them.</summary>
    internal static HealthCheck Check()
    {
        var user = Environment.UserName;
        var id = LibC.EffectiveUserId;
        var texts = Files.Select(file => File.Exists(file) ? File.ReadAllText(file) : "").ToList();
        if (texts.TrueForAll(text => HasRange(text, user, id)))
            return new HealthCheck("subordinate ids", true, true, $"{user} has subordinate ids.", null);
        var first = texts.Max(NextFree);
        return new HealthCheck(
            "subordinate ids",
            false,
            Needed: true,
            $"{user} has no {Wanted} subordinate ids in /etc/subuid and /etc/subgid, so packages cannot be built "
            + "without root.",
            string.Create(
                CultureInfo.InvariantCulture,
                $"echo {user}:{first}:{Wanted} | sudo tee -a /etc/subuid /etc/subgid"));
    }

    /// <summary>True when a line gives the user a range that is large enough.</summary>
    internal static bool HasRange(string text, string user, uint id) => Ranges(text).Any(range =>
        range.Count >= Wanted
        && (range.Owner == user || range.Owner == id.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The first id behind all ranges that are given away.</summary>
    internal static long NextFree(string text) =>
        Ranges(text).Select(range => range.First + range.Count).Append(FirstUsual).Max();

    private static IEnumerable<(string Owner, long First, long Count)> Ranges(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            if (line.Split(':') is [var owner, var first, var count]
                && long.TryParse(first, CultureInfo.InvariantCulture, out var start)
                && long.TryParse(count, CultureInfo.InvariantCulture, out var length))
                yield return (owner, start, length);
        }
    }
}
