using System.Globalization;

namespace Quarters.Core.Planning;

/// <summary>Names in a line that a person reads.</summary>
public static class NameList
{
    /// <summary>How many are named of a list that is longer.</summary>
    public const int Longest = 10;

    /// <summary>All of a short list; the first of a long one, and how many more there are.</summary>
    /// <param name="names">In the order in which they are to be read.</param>
    /// <param name="whole">Where all of them are found, as the rest of a sentence; null to say nothing of it.</param>
    public static string Of(IReadOnlyCollection<string> names, string? whole = null)
    {
        ArgumentNullException.ThrowIfNull(names);
        // One more takes no more room than to say that there is one more.
        if (names.Count <= Longest + 1) return string.Join(", ", names);
        var more = (names.Count - Longest).ToString("N0", CultureInfo.InvariantCulture);
        return $"{string.Join(", ", names.Take(Longest))} … and {more} more{(whole is null ? "" : "; " + whole)}";
    }
}
