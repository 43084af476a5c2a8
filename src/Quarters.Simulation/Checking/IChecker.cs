using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Simulation.Nodes;

namespace Quarters.Simulation.Checking;

/// <summary>Watches a simulated farm for one thing that must never happen. What it sees is said in a
/// sentence.</summary>
internal interface IChecker
{
    /// <summary>A build began.</summary>
    string? BuildBegan(SimulatedFarm farm, SimulatedBuilder builder, QueueJob job) => null;

    /// <summary>An event was applied to the master's state.</summary>
    string? Happened(SimulatedFarm farm, MasterEvent happened, MasterState before, MasterStep step) => null;

    /// <summary>The master started again after a crash.</summary>
    string? Restarted(SimulatedFarm farm) => null;

    /// <summary>A minute has passed.</summary>
    string? MinutePassed(SimulatedFarm farm) => null;

    /// <summary>The farm has nothing more to do, or its time is over.</summary>
    string? Ended(SimulatedFarm farm) => null;
}
