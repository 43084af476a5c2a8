using System.Collections.Immutable;
using Quarters.Simulation.World;

namespace Quarters.Simulation;

/// <summary>Runs farms on virtual time: how long would it take, and what can go wrong?</summary>
public static class Simulator
{
    /// <summary>A farm that has not finished by then is called stuck.</summary>
    private static readonly TimeSpan Stuck = TimeSpan.FromDays(60);

    /// <summary>A small random distribution on a few builders, everything decided by the seed.</summary>
    public static SimulationReport RunRandom(ulong seed, FaultLevel faults)
    {
        var dice = new Dice(seed).For("shape");
        var packages = Distribution.Random(dice, 20 + dice.Below(100), faults);
        ImmutableArray<double> choice = [0.5, 1, 1, 2];
        var count = 2 + dice.Below(11);
        var weights = Enumerable.Range(0, count).Select(_ => choice[dice.Below(choice.Length)]);
        return Run(packages, [.. weights], seed, faults);
    }

    private static SimulationReport Run(
        IReadOnlyList<SimulatedPackage> packages, ImmutableArray<double> weights, ulong seed, FaultLevel faults)
    {
        var farm = new SimulatedFarm(packages, weights, seed, faults);
        farm.Run(Stuck);
        return SimulationReport.Of(farm, packages, weights, seed, faults);
    }
}
