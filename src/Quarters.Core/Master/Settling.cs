using System.Collections.Immutable;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>
/// The end of a rebuild that is to settle: where a cycle was cut, a package was built against something older than what
/// the rebuild then built. Those are built once more, once, against what the rebuild built of the dependencies that
/// were cut. Only what a package base declares itself is looked at: what else its build had installed, base packages
/// among it, may be older.
/// </summary>
public static class Settling
{
    /// <summary>The rebuilds whose first pass is over, with what is to be built once more.</summary>
    public static IEnumerable<RebuildSettling> Due(MasterState state) =>
        from rebuild in state.Rebuilds.Values
        let packages = Of(state, rebuild)
        where !packages.IsEmpty
        select new RebuildSettling(rebuild.Name, packages);

    /// <summary>What of a rebuild is due to be built once more; nothing while something of it is yet to be
    /// built.</summary>
    internal static ImmutableArray<string> Of(MasterState state, Rebuild rebuild)
    {
        if (!rebuild.Settle || rebuild.Settled || !rebuild.IsPrepared()) return [];
        var older = ImmutableArray.CreateBuilder<string>();
        foreach (var (pkgbase, member) in rebuild.Members)
        {
            var jobs = JobsOf(state, rebuild, pkgbase).ToList();
            if (jobs.Exists(job => job.IsOpen)) return [];
            if (jobs.Exists(job => job.Version == member.Source?.Version && job.Status == JobStatus.Built
                && !job.BuiltAgainstOlder.IsEmpty))
                older.Add(pkgbase);
        }

        return older.ToImmutable();
    }

    internal static void Begin(Transition transition, RebuildSettling settling)
    {
        if (!transition.Rebuilds.TryGetValue(settling.Name, out var rebuild) || rebuild.Settled) return;
        var members = rebuild.Members;
        foreach (var pkgbase in settling.Pkgbases)
        {
            // Its source package is made anew, with a higher release than that in the side repository.
            if (members.TryGetValue(pkgbase, out var member))
                members = members.SetItem(pkgbase, member with { Of = null, Source = null, Diff = [] });
            transition.TouchPackage(pkgbase);
        }

        transition.Rebuilds[settling.Name] = rebuild with { Settled = true, Members = members };
    }

    private static IEnumerable<Job> JobsOf(MasterState state, Rebuild rebuild, string pkgbase) =>
        (state.Packages.GetValueOrDefault(pkgbase)?.Jobs ?? []).Select(id => state.Jobs[id])
        .Where(job => job.Rebuild == rebuild.Name);
}
