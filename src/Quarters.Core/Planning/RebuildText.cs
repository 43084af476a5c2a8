using System.Globalization;

namespace Quarters.Core.Planning;

/// <summary>A rebuild's plan as people read it, a line each.</summary>
public static class RebuildText
{
    /// <summary>The plan in lines: cycles and where they are cut, the builds in order, what it costs.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="versions">What each becomes; nothing is said of those that are not there.</param>
    /// <param name="fastest">The greatest weight of a builder.</param>
    /// <param name="together">The weights of all builders.</param>
    public static IEnumerable<string> Lines(
        RebuildPlan plan, IReadOnlyDictionary<string, string> versions, double fastest, double together)
    {
        foreach (var cycle in plan.Cycles)
            yield return $"a cycle of {cycle.Length}: {NameList.Of(cycle, "the plan below has all")}";
        foreach (var (pkgbase, older, kind) in plan.Cut)
            yield return $"{pkgbase} is built against the older {older}, which waits for it ({CycleText.Name(kind)})";
        foreach (var build in plan.Builds)
        {
            var becomes = versions.GetValueOrDefault(build.Pkgbase) is { } version ? " " + version : "";
            yield return $"{build.Stage.ToString(CultureInfo.InvariantCulture),4}  {build.Pkgbase}{becomes}"
                + $"  {Duration(build.Seconds)}";
        }

        var stages = plan.Builds.Select(build => build.Stage).DefaultIfEmpty(0).Max();
        yield return $"{plan.Builds.Length} packages in {stages} stages, {plan.Cycles.Length} cycles; "
            + $"{Duration(plan.WorkSeconds)} of work, the longest chain {Duration(plan.PathSeconds)}; "
            + $"at least {Duration(plan.SecondsWith(fastest, together))} with the builders that there are";
    }

    /// <summary>What of a plan is built once more in the end; no line when nothing is.</summary>
    public static IEnumerable<string> Settling(RebuildPlan plan)
    {
        var again = plan.Cut.Select(cut => cut.Pkgbase).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal).ToList();
        if (again.Count > 0)
            yield return $"then once more, against what was built: {NameList.Of(again)}";
    }

    private static string Duration(double seconds) => seconds switch
    {
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
    };
}
