using System.Collections.Immutable;
using System.Text.Json;
using CsCheck;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>Recorded costs, what is expected from them, and what goes first.</summary>
public class PriorityTests
{
    [Fact]
    public void A_build_is_expected_to_take_what_it_took_before_by_a_builder_of_weight_1()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        Accept(farm, "zlib", seconds: 100, weight: 2, memory: 5000);
        farm.Commit("zlib 2-1");
        var job = Assert.Single(Projection.Queue(farm.State, farm.Now).Jobs);
        Assert.Equal(200, job.EstimatedSeconds);
        Assert.Equal(5000, job.MemoryBytes);
    }

    [Fact]
    public void What_is_not_known_is_expected_to_cost_the_median_of_its_kind()
    {
        var farm = new Farm();
        farm.Commit("a 1-1", "b 1-1", "c 1-1", "doc 1-1 @any");
        Assert.Equal(BuildCost.Guess, farm.Job("a").EstimatedSeconds);
        Accept(farm, "a", 10);
        Accept(farm, "b", 20);
        Accept(farm, "c", 5000);
        Accept(farm, "doc", 3);
        farm.Commit("new 1-1", "scripts 1-1 @any");
        Assert.Equal(20, farm.Job("new").EstimatedSeconds);
        Assert.Equal(3, farm.Job("scripts").EstimatedSeconds);
    }

    [Fact]
    public void No_builder_is_believed_beyond_the_limits_of_a_build()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        Accept(farm, "zlib", seconds: double.MaxValue, weight: 1e9, memory: long.MaxValue);
        farm.Commit("zlib 2-1");
        var job = Assert.Single(Projection.Queue(farm.State, farm.Now).Jobs);
        Assert.Equal(farm.State.Settings!.Limits.TimeSeconds, job.EstimatedSeconds);
        Assert.Equal(farm.State.Settings.Limits.MemoryBytes, job.MemoryBytes);
    }

    [Fact]
    public void What_blocks_the_most_expected_work_goes_first_and_the_outlook_says_how_much_there_is()
    {
        var farm = new Farm();
        farm.Commit("long 1-1", "short 1-1", "head 1-1");
        Accept(farm, "long", 1000);
        Accept(farm, "short", 10);
        Accept(farm, "head", 20);
        farm.Commit("short 2-1", "head 2-1", "long 2-1 head");
        var queue = Projection.Queue(farm.State, farm.Now);
        Assert.Equal([("head", 1020.0), ("short", 10.0)], queue.Jobs.Select(j => (j.Pkgbase, j.Priority)));
        Assert.Equal(new Outlook(1030, 1020), queue.Outlook);
        Accept(farm, "head", 20);
        Assert.Equal(new Outlook(1010, 1000), Projection.Outlook(farm.State, farm.Now));
    }

    [Fact]
    public void Against_what_a_build_was_really_made_is_said_by_its_snapshot()
    {
        var farm = new Farm();
        farm.Pin("x86_64", ("a", "1-1"), ("b", "1-1"));
        farm.Commit("a 2-1 b", "b 2-1 a");
        var first = Assert.Single(farm.Ready);
        var second = first == "a" ? "b" : "a";
        Assert.Equal([second], farm.Job(first).BuiltAgainstOlder);
        farm.Build(first);
        Assert.Equal([second], farm.Job(first).BuiltAgainstOlder);
        farm.Build(second);
        Assert.Empty(farm.Job(second).BuiltAgainstOlder);
    }

    [Fact]
    public void A_cycle_of_which_nothing_older_is_there_is_named()
    {
        var farm = new Farm();
        farm.Commit("egg 1-1 hen", "hen 1-1 egg");
        Assert.Contains(Why.Of(farm.State, "egg"), line => line.Contains(
            "egg waits for hen waits for egg: a cycle", StringComparison.Ordinal));
    }

    [Fact]
    public void A_cycle_that_could_not_be_cut_is_cut_when_something_older_comes_into_reach()
    {
        var farm = new Farm();
        farm.Commit("egg 1-1 hen", "hen 1-1 egg");
        Assert.Empty(farm.Ready);
        farm.Pin("x86_64", ("hen", "0-1"));
        Assert.Equal(["egg"], farm.Ready);
    }

    [Fact]
    public void A_cycle_is_cut_although_one_of_it_lacks_something_else()
    {
        var farm = new Farm();
        farm.Pin("x86_64", ("a", "0-1"), ("b", "0-1"));
        farm.Commit("a 1-1 b nowhere", "b 1-1 a");
        Assert.Equal(["b"], farm.Ready);
    }

    [Fact]
    public void Priorities_are_those_of_the_graph_whatever_happened_before() => Stories.Sample(
        story =>
        {
            var farm = Play(story);
            var open = farm.State.Open.Select(place => farm.State.Jobs[place.Job]).ToList();
            var nodes = open.Select(job => new GraphNode(job.Id, job.EstimatedSeconds)).ToImmutableArray();
            var graph = new DependencyGraph(nodes, open.SelectMany((job, index) => job.Blockers
                .Where(b => b.Kind == BlockerKind.Waiting)
                .Select(b => new GraphEdge(
                    index, open.FindIndex(o => o.Pkgbase == b.Pkgbase), DependencyKind.Run))));
            if (graph.Ranks() is { } ranks) Assert.Equal(ranks, open.Select(job => job.Priority));
            Assert.Equal(
                open.Sum(job => job.EstimatedSeconds), Projection.Outlook(farm.State, farm.Now).WorkSeconds, 0.001);
            Assert.True(farm.State.Ready.SetEquals(farm.State.Queue.Select(place => place.Job)));
        }, iter: 300);

    [Fact]
    public void As_long_as_anything_can_be_built_something_is_ready_or_builds() => Stories.Sample(
        story =>
        {
            var farm = Play(story);
            if (farm.State.Ready.Count + farm.State.Building.Count > 0) return;
            foreach (var job in farm.State.Blocked.Select(id => farm.State.Jobs[id]))
            {
                // It lacks something, waits for somebody of whom nothing older is there, or for one outside its cycle.
                Assert.Contains(job.Blockers, b => b.Kind != BlockerKind.Waiting
                    || !IsThere(farm.State, b.Relation) || !WaitsFor(farm.State, b.Pkgbase!, job.Pkgbase));
            }
        }, iter: 500);

    [Fact]
    public void Costs_and_priorities_survive_a_restart() => Stories.Sample(
        story =>
        {
            var farm = Play(story);
            var json = JsonSerializer.SerializeToUtf8Bytes(farm.State, QuartersJson.Default.MasterState);
            var restored = MasterMachine.Restore(
                JsonSerializer.Deserialize(json, QuartersJson.Default.MasterState)!,
                pinned => farm.State.Outside.Values.First(o => o.Sha256 == pinned.Sha256).Index, default);
            Assert.Equal(farm.State.Queue, restored.Queue);
            Assert.Equal(farm.State.Open, restored.Open);
            Assert.Equal(Projection.Outlook(farm.State, farm.Now), Projection.Outlook(restored, farm.Now));
            Assert.Equal(farm.State.CostsOfCompiled.MedianSeconds, restored.CostsOfCompiled.MedianSeconds);
        }, iter: 100);

    /// <summary>What happens, one after the other: a commit of packages, or a step of building.</summary>
    private static Gen<List<(List<string> Commit, int Step)>> Stories { get; } = Gen.Select(
        Gen.Select(Gen.Int[0, 7], Gen.Int[1, 3], Gen.Int[0, 9].List[0, 3], (name, version, needs) =>
            $"p{name} {version}-1" + string.Concat(needs.Where(n => n != name).Distinct().Select(n => $" p{n}")))
            .List[0, 6],
        Gen.Int[0, 9]).List[1, 12];

    private static Farm Play(List<(List<string> Commit, int Step)> story)
    {
        var farm = new Farm();
        farm.Pin("x86_64", ("p8", "1-1"), ("p0", "0-1"), ("p1", "0-1"), ("p2", "0-1"), ("p3", "0-1"));
        foreach (var (commit, step) in story)
        {
            if (step < 3) farm.Commit([.. commit.DistinctBy(line => line.Split(' ')[0])]);
            else if (step < 5 && farm.State.Ready.Count > 0) farm.Begin(Name(farm.State.Ready[^1]));
            else if (step < 6 && farm.State.Building.Count > 0)
                farm.Fail(Name(farm.State.Building[0]), FailureKind.Package);
            else if (farm.State.Building.Count > 0) Accept(farm, Name(farm.State.Building[0]), step * 10);
            else if (farm.State.Ready.Count > 0) farm.Build(Name(farm.State.Ready[step % farm.State.Ready.Count]));
        }

        return farm;

        string Name(string job) => farm.State.Jobs[job].Pkgbase;
    }

    private static bool IsThere(MasterState state, string name) =>
        state.Repositories.Values.Any(r => r.Packages.ContainsKey(name))
        || name is "p8" or "p0" or "p1" or "p2" or "p3";

    private static bool WaitsFor(MasterState state, string from, string to)
    {
        var seen = new HashSet<string>();
        var next = new Queue<string>([from]);
        while (next.TryDequeue(out var name))
        {
            if (name == to) return true;
            if (!seen.Add(name)) continue;
            foreach (var job in state.Blocked.Select(id => state.Jobs[id]).Where(job => job.Pkgbase == name))
            {
                foreach (var blocker in job.Blockers.Where(b => b.Kind == BlockerKind.Waiting))
                    next.Enqueue(blocker.Pkgbase!);
            }
        }

        return false;
    }

    private static void Accept(Farm farm, string pkgbase, double seconds, double weight = 0, long memory = 0)
    {
        var job = farm.Job(pkgbase);
        if (job.Status != JobStatus.Building) farm.Begin(pkgbase);
        farm.Told = result => result with
        {
            Weight = weight,
            Costs = [new PhaseCost { Phase = "build", ElapsedSeconds = seconds, PeakMemoryBytes = memory }],
        };
        farm.Accept(pkgbase);
        farm.Told = result => result;
    }
}
