using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Quarters.Node;

/// <summary>The <c>Prefer</c> header (RFC 7240).</summary>
internal static class Prefer
{
    /// <summary>How long the reader would wait; zero when it says nothing (readable) about it.</summary>
    internal static TimeSpan Wait(StringValues header, TimeSpan limit)
    {
        foreach (var preference in header.SelectMany(line => (line ?? "").Split(',')))
        {
            var parts = preference.Split(';')[0].Split('=', 2, StringSplitOptions.TrimEntries);
            if (parts.Length == 2 && parts[0].Equals("wait", StringComparison.OrdinalIgnoreCase)
                && int.TryParse(parts[1].Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                return seconds < limit.TotalSeconds ? TimeSpan.FromSeconds(seconds) : limit;
        }

        return TimeSpan.Zero;
    }

    /// <summary>What <c>Preference-Applied</c> says.</summary>
    internal static string Applied(TimeSpan wait) => $"wait={(long)wait.TotalSeconds}";
}
