using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>What operators want of single packages and jobs, and whose signals are heard.</summary>
public class WishTests
{
    private int _signals;

    [Fact]
    public void A_held_package_is_not_built_until_it_is_released_and_others_are()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1", "pigz 1-1");
        Assert.Null(Send(farm, new HoldPackage { Id = Id(), Time = farm.Now, Name = "zlib", Reason = "broken" }));
        Assert.Equal(["pigz"], farm.Ready);
        farm.Commit("zlib 2-1");
        Assert.Equal(["pigz"], farm.Ready);
        Assert.Contains(Why.Of(farm.State, "zlib"), line => line.Contains("held", StringComparison.Ordinal)
            && line.Contains("broken", StringComparison.Ordinal));
        Assert.Contains("release it first", Send(farm, Build("zlib")), StringComparison.Ordinal);

        Assert.Null(Send(farm, new ReleasePackage { Id = Id(), Time = farm.Now, Name = "zlib" }));
        Assert.Equal(["pigz", "zlib"], farm.Ready.Order());
        Assert.Equal("2-1", farm.Job("zlib").Version);
    }

    [Fact]
    public void Holding_a_package_that_builds_takes_the_job_from_its_builder()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        farm.Begin("zlib");
        Send(farm, new HoldPackage { Id = Id(), Time = farm.Now, Name = "zlib" });
        Assert.Equal(JobStatus.Superseded, farm.Job("zlib").Status);
        Send(farm, new ReleasePackage { Id = Id(), Time = farm.Now, Name = "zlib" });
        Assert.Equal((JobStatus.Ready, 2), (farm.Job("zlib").Status, farm.Job("zlib").Attempt));
    }

    [Fact]
    public void A_cancelled_job_rests_until_somebody_wants_it_again()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        farm.Begin("zlib");
        var id = farm.Job("zlib").Id;
        Assert.Null(Send(farm, new CancelJob { Id = Id(), Time = farm.Now, Name = id }));
        Assert.Equal(JobStatus.Failed, farm.Job("zlib").Status);
        Assert.Contains("not open", Send(
            farm, new CancelJob { Id = Id(), Time = farm.Now, Name = id }), StringComparison.Ordinal);
        Assert.Contains("no job", Send(
            farm, new CancelJob { Id = Id(), Time = farm.Now, Name = "nothing" }), StringComparison.Ordinal);
        Assert.Null(Send(farm, Build("zlib")));
        Assert.Equal((JobStatus.Ready, 2), (farm.Job("zlib").Status, farm.Job("zlib").Attempt));
    }

    [Fact]
    public void An_older_version_is_built_when_an_operator_wants_it_and_a_published_one_is_not_built_again()
    {
        var farm = new Farm();
        farm.Commit("zlib 2-1");
        farm.Build("zlib");
        farm.Commit("zlib 1-1");
        Assert.Empty(farm.Ready);
        Assert.Null(Send(farm, Build("zlib")));
        Assert.Equal("1-1", farm.Job("zlib").Version);
        farm.Build("zlib");
        Assert.Empty(farm.Ready);
        Assert.Equal("1-1", farm.State.Repositories["core/x86_64"].Packages["zlib"].Version);
        Assert.Contains("published already", Send(farm, Build("zlib")), StringComparison.Ordinal);
        Assert.Contains("no source", Send(farm, Build("nothing")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_published_and_removed_is_not_built_again_under_its_version()
    {
        var farm = new Farm();
        farm.Commit("zlib 2-1");
        farm.Build("zlib");
        Assert.Null(Send(farm, new RemovePackages { Id = Id(), Time = farm.Now, Names = ["zlib"], From = "core" }));
        Assert.Contains("published already", Send(farm, Build("zlib")), StringComparison.Ordinal);
        farm.Commit("zlib 1-1");
        Assert.Null(Send(farm, Build("zlib")));
        Assert.Equal("1-1", farm.Job("zlib").Version);
    }

    [Fact]
    public void An_operators_signals_are_settled_once_each_in_the_order_of_their_time()
    {
        var farm = new Farm();
        farm.Commit("zlib 1-1");
        var first = new HoldPackage { Id = "b", Time = farm.Now, Name = "zlib" };
        var second = new ReleasePackage { Id = "a", Time = farm.Now.AddSeconds(1), Name = "zlib" };
        var future = new HoldPackage { Id = "c", Time = farm.Now.AddDays(2), Name = "zlib" };
        var said = new SignalsDocument { Revision = 1, Signals = [future, second, first] };
        Assert.Equal(["b", "a"], Signals.NewOf(farm.State, "olga", said, farm.Now).Select(s => s.Id));
        foreach (var signal in Signals.NewOf(farm.State, "olga", said, farm.Now).ToList())
        {
            foreach (var happened in Signals.Settle(farm.State, signal, "olga")) farm.Apply(happened);
        }

        Assert.Equal(["zlib"], farm.Ready);
        Assert.Empty(Signals.NewOf(farm.State, "olga", said, farm.Now));

        // Even when the outcomes are long forgotten an old document brings nothing back.
        for (var i = 0; i <= MasterState.MaxSignals; i++) Send(farm, Build("nothing"));
        Assert.DoesNotContain("b", farm.State.Signals.Keys);
        Assert.Empty(Signals.NewOf(farm.State, "olga", said, farm.Now));
    }

    [Fact]
    public void A_list_with_null_in_it_ended_the_master_and_is_no_signal()
    {
        var said = JsonSerializer.Deserialize("""
            {"schema": "quarters/signals/1", "revision": 1, "signals": [{"kind": "rebuild", "schema":
            "quarters/signal/1", "id": "s", "time": "2026-11-22T00:00:00Z", "name": "r", "dependentsOf": [null]}]}
            """, QuartersJson.Default.SignalsDocument)!;
        Assert.Equal("s is no signal: there is null among its dependentsOf", Signals.FindFault(said));

        // Whatever list a signal has.
        foreach (var kind in typeof(Signal).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Signal))))
        {
            foreach (var list in kind.GetProperties().Where(one => one.PropertyType == typeof(ImmutableArray<string>)))
            {
                var signal = (Signal)RuntimeHelpers.GetUninitializedObject(kind);
                Assert.Null(Signals.FindFault(signal));
                list.SetValue(signal, ImmutableArray.Create("zlib", null!));
                Assert.Equal(
                    $"there is null among its {JsonNamingPolicy.CamelCase.ConvertName(list.Name)}",
                    Signals.FindFault(signal));
            }
        }
    }

    private string Id() => $"s{++_signals}";

    private BuildNow Build(string name) => new() { Id = Id(), Time = DateTimeOffset.UnixEpoch, Name = name };

    private static string? Send(Farm farm, Signal signal)
    {
        foreach (var happened in Signals.Settle(farm.State, signal)) farm.Apply(happened);
        return farm.State.Signals[signal.Id].Refusal;
    }
}
