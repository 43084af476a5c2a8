using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Simulation.Checking;

/// <summary>What was once accepted is in the repository for ever, whatever crashes.</summary>
internal sealed class NothingAcceptedIsLost : IChecker
{
    private readonly Dictionary<string, string> _accepted = new(StringComparer.Ordinal);

    public string? Happened(SimulatedFarm farm, MasterEvent happened, MasterState before, MasterStep step)
    {
        if (happened is ResultAccepted accepted && step.State.Jobs[accepted.Result.Job].Status == JobStatus.Built)
            _accepted[accepted.Result.Job] = before.Jobs[accepted.Result.Job].Pkgbase;
        return null;
    }

    public string? Restarted(SimulatedFarm farm) => Look(farm);

    public string? Ended(SimulatedFarm farm) => Look(farm);

    private string? Look(SimulatedFarm farm)
    {
        foreach (var (job, pkgbase) in _accepted)
        {
            if (!farm.Master.State.Repositories.Values.Any(r => r.Packages.Values.Any(p => p.Pkgbase == pkgbase)))
                return $"{job} was accepted, and its package is in no repository";
        }

        return null;
    }
}
