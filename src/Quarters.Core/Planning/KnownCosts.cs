using System.Collections.Immutable;

namespace Quarters.Core.Planning;

/// <summary>
/// The recorded costs of one kind of package, in their order: what a package of that kind will cost of which nothing
/// is known is their median.
/// </summary>
public sealed record KnownCosts
{
    /// <summary>Nothing was ever built.</summary>
    public static KnownCosts None { get; } = new();

    private ImmutableSortedSet<(double Seconds, string Pkgbase)> Sorted { get; init; } =
        ImmutableSortedSet.Create<(double, string)>(Comparer<(double Seconds, string Pkgbase)>.Create(static (a, b) =>
            a.Seconds != b.Seconds ? a.Seconds.CompareTo(b.Seconds) : string.CompareOrdinal(a.Pkgbase, b.Pkgbase)));

    /// <summary>The median; <see cref="BuildCost.Guess"/> if nothing is known.</summary>
    public double MedianSeconds => Sorted.IsEmpty ? BuildCost.Guess : Sorted[Sorted.Count / 2].Seconds;

    /// <summary>With a package base at another cost.</summary>
    public KnownCosts With(string pkgbase, BuildCost? before, BuildCost? now)
    {
        var sorted = Sorted;
        if (before is not null) sorted = sorted.Remove((before.Seconds, pkgbase));
        if (now is not null) sorted = sorted.Add((now.Seconds, pkgbase));
        return this with { Sorted = sorted };
    }
}
