using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>How many packages stand where: counted once, then moved by what each event touches.</summary>
internal static class Tally
{
    /// <summary>Counts every package that can be read.</summary>
    public static StatusCounts Of(MasterState state) =>
        state.Packages.Values.Aggregate(MasterState.Empty.Readable, (counts, record) => With(counts, state, record, 1));

    /// <summary>The counts after an event.</summary>
    /// <param name="before">The state before it, with its counts.</param>
    /// <param name="after">The state after it.</param>
    /// <param name="touched">Every package of which something changed.</param>
    public static StatusCounts After(MasterState before, MasterState after, IEnumerable<string> touched)
    {
        var counts = before.Readable;
        foreach (var pkgbase in touched)
        {
            counts = With(counts, before, before.Packages.GetValueOrDefault(pkgbase), -1);
            counts = With(counts, after, after.Packages.GetValueOrDefault(pkgbase), 1);
        }

        return counts;
    }

    private static StatusCounts With(StatusCounts counts, MasterState state, PackageRecord? record, int more)
    {
        if (record?.Source is null) return counts;
        counts = counts with { Packages = counts.Packages + more };
        return Projection.StatusOf(state, record) switch
        {
            JobStatus.Blocked => counts with { Blocked = counts.Blocked + more },
            JobStatus.Ready => counts with { Ready = counts.Ready + more },
            JobStatus.Building => counts with { Building = counts.Building + more },
            JobStatus.Failed => counts with { Failed = counts.Failed + more },
            _ => counts with { Built = counts.Built + more },
        };
    }
}
