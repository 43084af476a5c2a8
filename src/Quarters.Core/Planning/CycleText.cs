using System.Collections.Immutable;
using System.Globalization;
using Quarters.Core.Documents;

namespace Quarters.Core.Planning;

/// <summary>Cycles as people read them, a line each.</summary>
public static class CycleText
{
    /// <summary>The word of a PKGBUILD for a kind of dependency.</summary>
    public static string Name(DependencyKind kind) => kind switch
    {
        DependencyKind.Check => "checkdepends",
        DependencyKind.Make => "makedepends",
        _ => "depends",
    };

    /// <summary>Each cycle with where it is cut, and a last line that sums up.</summary>
    /// <param name="packages">How many packages were looked at.</param>
    /// <param name="cycles">The cycles.</param>
    public static IEnumerable<string> Lines(int packages, ImmutableArray<PackageCycle> cycles)
    {
        foreach (var cycle in cycles)
        {
            yield return $"a cycle of {cycle.Members.Length} packages and {cycle.Dependencies} dependencies: "
                + NameList.Of(cycle.Members, "--json has all");
            foreach (var cut in cycle.Cut)
            {
                yield return $"  {cut.Pkgbase} is built against the older {cut.Older} "
                    + $"({Name(cut.Kind)}, cost {cut.Cost.ToString(CultureInfo.InvariantCulture)})";
            }
        }

        var cuts = cycles.Sum(cycle => cycle.Cut.Length);
        var cost = cycles.Sum(cycle => cycle.Cut.Sum(cut => cut.Cost));
        yield return cycles.IsEmpty
            ? $"No cycles among {packages} packages."
            : $"{cycles.Length} cycles of {cycles.Sum(cycle => cycle.Members.Length)} packages among {packages}. "
                + $"{cuts} dependencies are not waited for, which cost {cost}: a checkdepends costs 1, a makedepends "
                + "10, a depends 100, and cut is what costs least together.";
    }
}
