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

    [Theory]
    [InlineData(FaultLevel.None, 2)]
    [InlineData(FaultLevel.Bad, 2)]
    [InlineData(FaultLevel.Terrible, 2)]
    [InlineData(FaultLevel.Terrible, 3)]
    public void Every_promise_is_kept_where_several_must_build_the_same(FaultLevel faults, int independent)
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var report = Simulator.RunRandom(seed, faults, independent);
            Assert.True(report.Findings.IsEmpty, $"{string.Join('\n', report.Findings)}\n  again: {report.Again}");
            Assert.True(report.Builds >= independent * report.Built, report.Again);
        }
    }

    /// <summary>In both a builder was killed over an attempt that others could still take, and claimed it
    /// again.</summary>
    [Theory]
    [InlineData(732)]
    [InlineData(977)]
    public void A_builder_that_claims_again_what_it_lost_is_not_taken_for_one_that_builds(ulong seed) =>
        Assert.Empty(Simulator.RunRandom(seed, FaultLevel.Terrible, independent: 2).Findings);

    /// <summary>Two results came at once, each as the first of two.</summary>
    [Fact]
    public void What_enough_have_built_alike_does_not_wait_for_more() =>
        Assert.Empty(Simulator.RunRandom(495, FaultLevel.Terrible, independent: 2).Findings);

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
