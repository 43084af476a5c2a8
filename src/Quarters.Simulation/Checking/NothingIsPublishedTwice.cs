using Quarters.Core.Master;

namespace Quarters.Simulation.Checking;

/// <summary>A job's packages enter the repository once.</summary>
internal sealed class NothingIsPublishedTwice : IChecker
{
    private readonly HashSet<string> _published = new(StringComparer.Ordinal);

    public string? Happened(SimulatedFarm farm, MasterEvent happened, MasterState before, MasterStep step) =>
        happened is ResultAccepted accepted && !step.Publish.IsEmpty && !_published.Add(accepted.Result.Job)
            ? $"{accepted.Result.Job} is published a second time, from {accepted.Builder}"
            : null;
}
