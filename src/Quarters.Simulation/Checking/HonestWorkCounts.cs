using Quarters.Core.Master;

namespace Quarters.Simulation.Checking;

/// <summary>Nobody lies here, so no result is refused.</summary>
internal sealed class HonestWorkCounts : IChecker
{
    public string? Happened(SimulatedFarm farm, MasterEvent happened, MasterState before, MasterStep step) =>
        happened is ResultRefused refused
            ? $"{refused.Result.Job} of {refused.Builder} is refused: {refused.Reason}"
            : null;
}
