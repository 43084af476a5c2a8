using System.Collections.Immutable;
using System.Globalization;
using Quarters.Core.Planning;
using Quarters.Simulation.World;

namespace Quarters.Simulation;

/// <summary>Runs farms on virtual time: how long would it take, and what can go wrong?</summary>
public static class Simulator
{
    /// <summary>A farm that has not finished by then is called stuck.</summary>
    private static readonly TimeSpan Stuck = TimeSpan.FromDays(60);

    /// <summary>A small random distribution on a few builders, everything decided by the seed.</summary>
    /// <param name="seed">Decides all chances.</param>
    /// <param name="faults">How much goes wrong.</param>
    /// <param name="independent">How many builders must build each package.</param>
    public static SimulationReport RunRandom(ulong seed, FaultLevel faults, int independent = 1)
    {
        var dice = new Dice(seed).For("shape");
        var packages = Distribution.Random(dice, 20 + dice.Below(100), faults);
        ImmutableArray<double> choice = [0.5, 1, 1, 2];
        var count = Math.Max(independent, 2 + dice.Below(11));
        var weights = Enumerable.Range(0, count).Select(_ => choice[dice.Below(choice.Length)]);
        var again = $"quarters simulate{Name(independent)} --seed {seed} --faults {Name(faults)}";
        return Run(packages, [.. weights], independent, seed, faults, again, _ => { });
    }

    /// <summary>A rebuild of everything in a graph.</summary>
    /// <param name="graph">What there is to build, what of it needs what, and what it costs.</param>
    /// <param name="wish">The farm.</param>
    /// <param name="progress">Told every simulated minute.</param>
    public static SimulationReport RunGraph(
        DependencyGraph graph, SimulationWish wish, Action<SimulationProgress> progress)
    {
        var said = string.Join(',', wish.Weights.Select(w => w.ToString(CultureInfo.InvariantCulture)));
        var again = $"quarters simulate --graph {wish.GraphName} --builders {wish.Builders} --weights {said}"
            + $"{Name(wish.Independent)} --seed {wish.Seed} --faults {Name(wish.Faults)}";
        var weights = Enumerable.Range(0, wish.Builders).Select(number => wish.Weights[number % wish.Weights.Length]);
        return Run(
            Distribution.Of(graph), [.. weights], wish.Independent, wish.Seed, wish.Faults, again, progress);
    }

    private static SimulationReport Run(
        IReadOnlyList<SimulatedPackage> packages, ImmutableArray<double> weights, int independent, ulong seed,
        FaultLevel faults, string again, Action<SimulationProgress> progress)
    {
        var farm = new SimulatedFarm(packages, weights, independent, seed, faults);
        farm.Run(Stuck, progress);
        return SimulationReport.Of(farm, packages, weights, independent, seed, faults, again);
    }

    private static string Name(int independent) => independent > 1 ? $" --independent {independent}" : "";

    private static string Name(FaultLevel faults) => faults.ToString().ToLowerInvariant();
}

/// <summary>A farm to be simulated.</summary>
/// <param name="GraphName">What the graph is called in the command that does it again.</param>
/// <param name="Builders">How many builders there are.</param>
/// <param name="Weights">Their weights, taken in turn.</param>
/// <param name="Independent">How many of them must build each package.</param>
/// <param name="Seed">Decides all chances.</param>
/// <param name="Faults">How much goes wrong.</param>
public sealed record SimulationWish(
    string GraphName, int Builders, ImmutableArray<double> Weights, int Independent, ulong Seed, FaultLevel Faults);

/// <summary>How far a simulation has come.</summary>
/// <param name="Time">Simulated time since the start.</param>
/// <param name="Built">Jobs that are built.</param>
/// <param name="Jobs">Jobs in all.</param>
public sealed record SimulationProgress(TimeSpan Time, int Built, int Jobs);
