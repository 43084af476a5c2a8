using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests;

/// <summary>What is told of a graph's cycles.</summary>
public class CycleSurveyTests
{
    [Fact]
    public void A_cycle_is_told_with_its_members_and_with_what_is_cut_and_why()
    {
        var cycle = Assert.Single(Survey(
            Package("gcc", depends: ["glibc"]), Package("glibc", makedepends: ["gcc", "binutils"]),
            Package("binutils", depends: ["glibc"], makedepends: ["gcc"], checkdepends: ["dejagnu"]),
            Package("dejagnu"), Package("hello", depends: ["glibc"])));
        Assert.Equal(["binutils", "gcc", "glibc"], cycle.Members);
        Assert.Equal(5, cycle.Dependencies);
        Assert.Equal(
            [
                new CutDependency("glibc", "binutils", DependencyKind.Make, 10),
                new CutDependency("glibc", "gcc", DependencyKind.Make, 10),
            ],
            cycle.Cut);
    }

    [Fact]
    public void The_largest_cycle_comes_first_and_the_last_line_sums_up()
    {
        var cycles = Survey(
            Package("a", makedepends: ["b"]), Package("b", checkdepends: ["a"]),
            Package("x", depends: ["y"]), Package("y", depends: ["z"]), Package("z", checkdepends: ["x"]));
        Assert.Equal(
            [
                "a cycle of 3 packages and 3 dependencies: x, y, z",
                "  z is built against the older x (checkdepends, cost 1)",
                "a cycle of 2 packages and 2 dependencies: a, b",
                "  b is built against the older a (checkdepends, cost 1)",
                "2 cycles of 5 packages among 5. 2 dependencies are not waited for, which cost 2: a checkdepends costs "
                    + "1, a makedepends 10, a depends 100, and cut is what costs least together.",
            ],
            CycleText.Lines(5, cycles));
        Assert.Equal(["No cycles among 7 packages."], CycleText.Lines(7, []));
    }

    [Fact]
    public void A_long_cycle_is_told_with_the_first_of_its_members_and_how_many_more_there_are()
    {
        var cycles = Survey([.. Enumerable.Range(0, 2412).Select(
            i => Package($"p{i:0000}", depends: [$"p{(i + 1) % 2412:0000}"]))]);
        Assert.Equal(
            "a cycle of 2412 packages and 2412 dependencies: p0000, p0001, p0002, p0003, p0004, p0005, p0006, p0007, "
                + "p0008, p0009 … and 2,402 more; --json has all",
            CycleText.Lines(2412, cycles).First());
        Assert.Equal("a, b", NameList.Of(["a", "b"]));
        Assert.Equal(11, NameList.Of([.. Enumerable.Range(0, 11).Select(i => $"{i}")]).Split(", ").Length);
    }

    [Fact]
    public void What_only_a_package_of_the_farm_needs_to_run_closes_no_cycle()
    {
        var farm = new Farm();
        farm.Commit("a 1-1 b", "b 1-1", "c 1-1 a");
        var source = farm.State.Packages["b"].Source!;
        farm.Apply(new SourcePolled(new SourceReport
        {
            Source = "main",
            Cursor = "2",
            Changed = [source with { Packages = [source.Packages[0] with { Depends = ["a"] }] }],
            Parsed = 1,
            Total = 3,
        }));
        // As no build waits for it.
        Assert.Equal(["b"], farm.Ready);
        Assert.Empty(CycleSurvey.Of(FarmGraph.Of(farm.State)));
    }

    private static ImmutableArray<PackageCycle> Survey(params GraphPackage[] packages) =>
        CycleSurvey.Of(GraphFile.GraphOf([.. packages]));

    private static GraphPackage Package(
        string name, string[]? depends = null, string[]? makedepends = null, string[]? checkdepends = null) => new()
        {
            Pkgbase = name,
            Pkgver = "1",
            Pkgrel = "1",
            Pkgnames = [name],
            Depends = [.. depends ?? []],
            Makedepends = [.. makedepends ?? []],
            Checkdepends = [.. checkdepends ?? []],
        };
}
