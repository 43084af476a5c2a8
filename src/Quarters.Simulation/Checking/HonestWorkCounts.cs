using Quarters.Core.Master;

namespace Quarters.Simulation.Checking;

/// <summary>Nobody lies here, so a result is refused only if the job was blocked meanwhile, and what it was built
/// against is from before that.</summary>
internal sealed class HonestWorkCounts : IChecker
{
    public string? Happened(SimulatedFarm farm, MasterEvent happened, MasterState before, MasterStep step) =>
        happened is ResultRefused refused && !before.Snapshots.ContainsKey(refused.Result.Snapshot)
            ? $"{refused.Result.Job} of {refused.Builder} is refused: {refused.Reason}"
            : null;
}
