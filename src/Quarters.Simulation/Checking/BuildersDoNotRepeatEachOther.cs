using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Simulation.Nodes;

namespace Quarters.Simulation.Checking;

/// <summary>
/// No two builders within reach of each other build one attempt, beyond the number that is wanted. A builder that the
/// master could not read for a lease has lost its claims, and may be repeated.
/// </summary>
internal sealed class BuildersDoNotRepeatEachOther : IChecker
{
    public string? BuildBegan(SimulatedFarm farm, SimulatedBuilder builder, QueueJob job)
    {
        var rivals = farm.Watch.RunningOn(JobId.AttemptName(job.Id, job.Attempt))
            .Where(other => other != builder && farm.Network.IsReachable(builder, other)
                && farm.Network.IsReachable(other, builder) && !farm.Master.HasLost(other))
            .ToList();
        return rivals.Count < job.Wanted
            ? null
            : $"{builder.Name} begins {job.Id}.{job.Attempt}, which {rivals[0].Name} builds, and they reach each other";
    }
}
