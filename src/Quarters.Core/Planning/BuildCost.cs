using Quarters.Core.Documents;

namespace Quarters.Core.Planning;

/// <summary>What a package base costs to build, as its builds so far tell.</summary>
/// <param name="Seconds">Expected seconds on a builder of weight 1.</param>
/// <param name="MemoryBytes">The most memory that was in use at once; 0 where no build told.</param>
/// <param name="IsAny">Whether its packages are for any architecture: whose kind it is of, when others are
/// guessed.</param>
public sealed record BuildCost(double Seconds, long MemoryBytes, bool IsAny)
{
    /// <summary>What a package costs of whose kind nothing was ever built.</summary>
    public const double Guess = 60;

    /// <summary>No builder is believed to be faster or slower than this, by its own word.</summary>
    private const double MaxWeight = 100, MinWeight = 0.01;

    /// <summary>
    /// What a result tells. Nothing of it is believed beyond the limits that every build has: a builder that lies can
    /// make a package look as dear as is allowed, or as cheap as nothing.
    /// </summary>
    public static BuildCost Of(BuildResult result, BuildLimits limits, bool isAny)
    {
        var seconds = result.Costs.IsEmpty
            ? (result.Finished - result.Started).TotalSeconds
            : result.Costs.Sum(phase => Math.Max(0, phase.ElapsedSeconds));
        var weight = result.Weight > 0 ? Math.Clamp(result.Weight, MinWeight, MaxWeight) : 1;
        var memory = result.Costs.Select(phase => phase.PeakMemoryBytes).DefaultIfEmpty(0).Max();
        seconds *= weight;
        return new BuildCost(
            double.IsNaN(seconds) ? 0 : Rounded(Math.Clamp(seconds, 0, limits.TimeSeconds)),
            Math.Clamp(memory, 0, limits.MemoryBytes),
            isAny);
    }

    /// <summary>
    /// With another build known: half of what is expected is that one, since packages grow and one build may have been
    /// unlucky; memory goes up at once and comes down slowly, since too little of it kills a build.
    /// </summary>
    public BuildCost With(BuildCost latest) => new(
        Rounded((Seconds + latest.Seconds) / 2),
        Math.Max(latest.MemoryBytes, (MemoryBytes + latest.MemoryBytes) / 2),
        latest.IsAny);

    /// <summary>With an attempt known that failed: it tells only that a build takes at least as much.</summary>
    public BuildCost AtLeast(BuildCost failed) => this with
    {
        Seconds = Math.Max(Seconds, failed.Seconds),
        MemoryBytes = Math.Max(MemoryBytes, failed.MemoryBytes),
    };

    private static double Rounded(double seconds) => Math.Round(seconds, 3);
}
