using Quarters.Core.Planning;

namespace Quarters.Simulation.Checking;

/// <summary>Every job ends built or broken, or waits for one that is broken.</summary>
internal sealed class EverythingEnds : IChecker
{
    public string? Ended(SimulatedFarm farm)
    {
        var open = farm.Master.State.Jobs.Values
            .Where(j => j.Status is JobStatus.Ready or JobStatus.Building
                || (j.Status == JobStatus.Blocked && !WaitsForBroken(farm, j)))
            .OrderBy(j => j.Id, StringComparer.Ordinal)
            .ToList();
        return open.Count == 0
            ? null
            : $"{open.Count} jobs never ended, the first one {open[0].Id}, which is {open[0].Status}";
    }

    private static bool WaitsForBroken(SimulatedFarm farm, Job job)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var next = new Stack<Job>([job]);
        while (next.TryPop(out var at))
        {
            foreach (var blocker in at.Blockers)
            {
                if (blocker.Kind == BlockerKind.Failed) return true;
                if (blocker.Pkgbase is { } pkgbase && seen.Add(pkgbase)
                    && farm.Master.State.Packages.TryGetValue(pkgbase, out var record))
                {
                    foreach (var id in record.Jobs) next.Push(farm.Master.State.Jobs[id]);
                }
            }
        }

        return false;
    }
}
