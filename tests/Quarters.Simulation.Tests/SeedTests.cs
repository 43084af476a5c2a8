namespace Quarters.Simulation.Tests;

/// <summary>Whole farms on virtual time, with everything that goes wrong in the world. More seeds: see
/// docs/internals/simulation.md.</summary>
public class SeedTests
{
    private const int Seeds = 40;

    [Theory]
    [InlineData(FaultLevel.None)]
    [InlineData(FaultLevel.Bad)]
    [InlineData(FaultLevel.Terrible)]
    public void Every_promise_is_kept_whatever_goes_wrong(FaultLevel faults)
    {
        var broken = new List<string>();
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var report = Simulator.RunRandom(seed, faults);
            broken.AddRange(report.Findings.Select(finding => $"{finding}\n  again: {report.Again}"));
        }

        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }

    /// <summary>In both a builder that was starting again was looked at before it had dropped what it had
    /// claimed.</summary>
    [Theory]
    [InlineData(193)]
    [InlineData(314)]
    public void A_builder_shows_nothing_of_its_life_before(ulong seed) =>
        Assert.Empty(Simulator.RunRandom(seed, FaultLevel.Terrible).Findings);

    [Fact]
    public void The_same_seed_gives_the_same_farm_and_another_seed_another()
    {
        var first = Text(7);
        Assert.Equal(first, Text(7));
        Assert.NotEqual(first, Text(8));

        static string Text(ulong seed)
        {
            var report = Simulator.RunRandom(seed, FaultLevel.Terrible);
            return string.Join('\n', report.Findings) + (report with { Findings = [] });
        }
    }
}
