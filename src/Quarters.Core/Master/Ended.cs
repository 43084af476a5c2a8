using System.Collections.Immutable;

namespace Quarters.Core.Master;

/// <summary>A job and when it came to its end.</summary>
public readonly record struct Ended(DateTimeOffset Since, string Job)
{
    /// <summary>No jobs yet; the latest will come first, so that who shows the last ten looks at ten.</summary>
    public static ImmutableSortedSet<Ended> None { get; } = ImmutableSortedSet.Create<Ended>(
        Comparer<Ended>.Create((one, other) => other.Since.CompareTo(one.Since) is not 0 and var order
            ? order
            : string.CompareOrdinal(one.Job, other.Job)));
}
