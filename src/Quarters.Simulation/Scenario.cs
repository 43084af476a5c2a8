using Quarters.Core.Documents;
using Quarters.Simulation.Nodes;
using Quarters.Simulation.World;

namespace Quarters.Simulation;

/// <summary>What happens in builds: how long they take and how they end.</summary>
internal sealed class Scenario(IReadOnlyDictionary<string, SimulatedPackage> packages, Dice dice, FaultLevel faults)
{
    /// <summary>How one build goes.</summary>
    public BuildRun Run(SimulatedBuilder builder, QueueJob job)
    {
        var package = packages[job.Pkgbase];
        var takes = TimeSpan.FromSeconds(package.Seconds / builder.Listed.Weight);
        if (faults == FaultLevel.None) return Builds(job.SourceSha256, takes);
        // No two builds take the same; and what is known of costs was never quite right.
        takes *= 0.7 + (0.6 * dice.Next());
        if (package.IsPoisonous && dice.Chance(0.7)) return new BuildRun(takes, null, Kills: true);
        if (package.IsBroken) return Fails(FailureKind.Package, takes);
        if (builder.IsSick) return Fails(FailureKind.Environment, takes * 0.1);
        if (dice.Chance(0.01)) return Fails(dice.Chance(0.5) ? FailureKind.Timeout : FailureKind.Environment, takes);
        // Where nobody compares it does not matter what they are.
        var isOdd = job.Wanted > 1 && dice.Chance(0.02);
        return Builds(isOdd ? $"{builder.Number:x64}" : job.SourceSha256, takes);
    }

    private static BuildRun Builds(string sha256, TimeSpan takes) => new(takes, null, Kills: false)
    {
        Sha256 = sha256,
    };

    private static BuildRun Fails(FailureKind kind, TimeSpan takes) => new(
        takes,
        new BuildFailure { Stage = "build", Kind = kind, Message = $"a simulated failure: {kind}" },
        Kills: false);
}

/// <summary>One build.</summary>
/// <param name="Takes">How long it runs.</param>
/// <param name="Failure">How it fails; null when it does not.</param>
/// <param name="Kills">Whether the builder dies of it.</param>
internal sealed record BuildRun(TimeSpan Takes, BuildFailure? Failure, bool Kills)
{
    /// <summary>The digest of what it yields: now and then another one than that of other builds.</summary>
    public string Sha256 { get; init; } = "";
}

/// <summary>A package base of the simulated distribution.</summary>
/// <param name="Name">Its name, also that of the one package it yields.</param>
/// <param name="Seconds">How long its build takes on a builder of weight 1.</param>
/// <param name="Depends">Names that building and running need.</param>
/// <param name="Makedepends">Names that building needs.</param>
/// <param name="Checkdepends">Names that testing needs.</param>
internal sealed record SimulatedPackage(
    string Name, double Seconds, IReadOnlyList<string> Depends, IReadOnlyList<string> Makedepends,
    IReadOnlyList<string> Checkdepends)
{
    /// <summary>Whether it builds nowhere.</summary>
    public bool IsBroken { get; init; }

    /// <summary>Whether it takes down most builders that try it.</summary>
    public bool IsPoisonous { get; init; }
}
