using System.Text.Json;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>Who is listed as a builder, and what signals bring about.</summary>
public class ListingTests
{
    private const string Url = "https://ben.example.org:7374/";

    private int _signals;

    [Fact]
    public void Builders_of_the_configuration_and_those_that_an_operator_adds_are_listed()
    {
        var farm = new Farm();
        Assert.Null(Send(farm, Add("ben")));
        Assert.Equal(["anna", "ben"], Projection.Builders(farm.State).Builders.Select(b => b.Name));

        // Another configuration takes off what it named, and nothing else.
        farm.Apply(new Configured(Farm.Settings() with { Builders = [] }));
        Assert.Equal(["ben"], farm.State.Builders.Keys);
    }

    [Theory]
    [InlineData("ben", "http://ben.example.org/", 'b', "https://")]
    [InlineData("ben", "https://user@ben.example.org/", 'b', "https://")]
    [InlineData("../ben", Url, 'b', "name must be")]
    [InlineData("ben", Url, 'g', "sha256:")]
    [InlineData("anna", Url, 'b', "named by the master's configuration")]
    public void A_builder_that_cannot_be_listed_is_refused_with_the_reason(
        string name, string url, char digit, string reason)
    {
        var farm = new Farm();
        var refusal = Send(farm, Add(name) with { Url = url, PublicKey = Key(digit) });
        Assert.Contains(reason, refusal, StringComparison.Ordinal);
        Assert.Equal(["anna"], farm.State.Builders.Keys);
    }

    [Fact]
    public void A_listed_builder_may_move_but_another_key_must_first_be_removed_and_a_key_has_one_name()
    {
        var farm = new Farm();
        Send(farm, Add("ben"));
        Assert.Null(Send(farm, Add("ben") with { Url = "https://elsewhere.example.org/" }));
        Assert.Equal("https://elsewhere.example.org/", farm.State.Builders["ben"].Url);
        Assert.Contains(
            "remove it first", Send(farm, Add("ben") with { PublicKey = Key('c') }), StringComparison.Ordinal);
        Assert.Contains("listed as ben", Send(farm, Add("cleo")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_signal_is_acted_on_once_however_often_it_is_read()
    {
        var farm = new Farm();
        var add = Add("ben");
        Send(farm, add);
        Send(farm, new RemoveBuilder { Id = "r", Time = farm.Now, Name = "ben" });
        Assert.Empty(Signals.Settle(farm.State, add));
        Assert.Equal(["anna"], farm.State.Builders.Keys);
        Assert.Equal(SignalEnd.Done, Projection.Signal(farm.State.Signals[add.Id]).Outcome);
    }

    [Fact]
    public void The_outcomes_of_the_newest_signals_are_remembered()
    {
        var farm = new Farm();
        for (var i = 0; i <= MasterState.MaxSignals; i++)
            Send(farm, new RemoveBuilder { Id = $"s{i}", Time = farm.Now, Name = "nobody" });
        Assert.Equal(MasterState.MaxSignals, farm.State.Signals.Count);
        Assert.DoesNotContain("s0", farm.State.Signals.Keys);
        Assert.Contains("no builder of that name", farm.State.Signals["s1"].Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_drained_builder_says_so_in_the_list_and_what_it_builds_counts()
    {
        var farm = new Farm();
        Send(farm, Add("ben"));
        farm.Commit("zlib 1-1");
        farm.Begin("zlib", "ben");
        Send(farm, Drain("ben", undo: false));
        Assert.True(Listed(farm, "ben").Draining);
        Assert.False(Listed(farm, "anna").Draining);
        var said = State() with { Results = [farm.Result(farm.Job("zlib"), ResultOutcome.Built)] };
        Assert.Single(BuilderReview.Read(farm.State, "ben", said, farm.Now).Collect);

        Send(farm, Drain("ben", undo: true));
        Assert.False(Listed(farm, "ben").Draining);
    }

    [Fact]
    public void What_a_removed_builder_builds_is_lost_at_once_and_its_results_are_looked_at_no_more()
    {
        var farm = new Farm();
        Send(farm, Add("ben"));
        farm.Commit("zlib 1-1");
        farm.Begin("zlib", "ben");
        var result = farm.Result(farm.Job("zlib"), ResultOutcome.Built);
        Assert.Null(Send(farm, new RemoveBuilder { Id = "r", Time = farm.Now, Name = "ben" }));

        Assert.Equal((JobStatus.Ready, 2), (farm.Job("zlib").Status, farm.Job("zlib").Attempt));
        Assert.Contains("not listed", farm.Job("zlib").Attempts[0].Reason, StringComparison.Ordinal);
        var said = State() with { Results = [result, result with { Attempt = 2 }] };
        var review = BuilderReview.Read(farm.State, "ben", said, farm.Now);
        Assert.Empty(review.Collect);
        Assert.Empty(review.Events);
        Assert.Contains("configuration", Send(
            farm, new RemoveBuilder { Id = "r2", Time = farm.Now, Name = "anna" }), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_builder_says_of_itself_is_journaled_when_it_changes_and_listed()
    {
        var farm = new Farm();
        Send(farm, Add("ben"));
        var said = State() with { Weight = 2, Slots = 4, MemoryBytes = 1 << 30, Draining = true };
        var described = Assert.IsType<BuilderDescribed>(
            Assert.Single(BuilderReview.Read(farm.State, "ben", said, farm.Now).Events));
        farm.Apply(described);
        Assert.Empty(BuilderReview.Read(farm.State, "ben", said with { Revision = 9 }, farm.Now).Events);
        var listed = Listed(farm, "ben");
        Assert.Equal((2.0, 4, 1L << 30, true), (listed.Weight, listed.Slots, listed.MemoryBytes, listed.Draining));
        Assert.Equal(["x86_64"], listed.Architectures);
    }

    [Fact]
    public void A_retry_opens_what_failed_and_refuses_what_did_not()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1", "pigz 1-1");
        farm.Begin("zlib");
        farm.Fail("zlib", FailureKind.Package);
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
        Assert.Null(Send(farm, Retry("zlib")));
        Assert.Equal(JobStatus.Ready, farm.Job("zlib").Status);
        Assert.Contains("did not fail", Send(farm, Retry("pigz")), StringComparison.Ordinal);
        Assert.Contains("unknown", Send(farm, Retry("jq")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(100.5)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void An_impossible_weight_is_a_fault(double weight) => Assert.Contains(
        "weight", BuilderReview.FindFault(State() with { Weight = weight }), StringComparison.Ordinal);

    [Fact]
    public void Impossible_numbers_are_faults_and_possible_ones_are_not()
    {
        Assert.Null(BuilderReview.FindFault(State()));
        Assert.NotNull(BuilderReview.FindFault(State() with { Slots = 0 }));
        Assert.NotNull(BuilderReview.FindFault(State() with { Slots = BuilderReview.MaxSlots + 1 }));
        Assert.NotNull(BuilderReview.FindFault(State() with { MemoryBytes = -1 }));
        Assert.NotNull(BuilderReview.FindFault(State() with { Architectures = [] }));
        Assert.NotNull(BuilderReview.FindFault(State() with { Architectures = ["a/../b"] }));
    }

    [Fact]
    public void Signals_and_the_list_are_the_same_after_they_were_written_and_read()
    {
        var farm = new Farm();
        Send(farm, Add("ben"));
        Send(farm, Drain("ben", undo: false));
        var bytes = JsonSerializer.SerializeToUtf8Bytes(farm.State, QuartersJson.Default.MasterState);
        var read = JsonSerializer.Deserialize(bytes, QuartersJson.Default.MasterState)!;
        Assert.Equal(farm.State.Builders, read.Builders);
        Assert.Equal(farm.State.Signals.OrderBy(s => s.Key), read.Signals.OrderBy(s => s.Key));
        Assert.Contains(
            "\"kind\":\"addBuilder\"",
            JsonSerializer.Serialize(Add("ben"), QuartersJson.Default.Signal), StringComparison.Ordinal);
    }

    private static string? Send(Farm farm, Signal signal)
    {
        foreach (var happened in Signals.Settle(farm.State, signal)) farm.Apply(happened);
        return farm.State.Signals[signal.Id].Refusal;
    }

    private AddBuilder Add(string name) => new()
    {
        Id = $"add-{++_signals}",
        Time = DateTimeOffset.UnixEpoch,
        Name = name,
        Url = Url,
        PublicKey = Key('b'),
    };

    private DrainBuilder Drain(string name, bool undo) => new()
    {
        Id = $"drain-{++_signals}",
        Time = DateTimeOffset.UnixEpoch,
        Name = name,
        Undo = undo,
    };

    private RetryJob Retry(string name) =>
        new() { Id = $"retry-{++_signals}", Time = DateTimeOffset.UnixEpoch, Name = name };

    private static string Key(char digit) => "sha256:" + new string(digit, 64);

    private static ListedBuilder Listed(Farm farm, string name) =>
        Projection.Builders(farm.State).Builders.Single(b => b.Name == name);

    private static BuilderStateDocument State() => new()
    {
        Revision = 1,
        Name = "ben",
        Architectures = ["x86_64"],
        Slots = 1,
        Alive = DateTimeOffset.UnixEpoch,
        Claims = [],
        Results = [],
    };
}
