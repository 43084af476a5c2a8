using System.Threading.Channels;
using Quarters.Core.Sources;
using Quarters.Master.Polling;
using Quarters.Sources;

namespace Quarters.Master.Tests;

/// <summary>Every source has a loop, a deadline and a back-off of its own.</summary>
[Collection(Forking.Name)]
public class SourcePollingTests
{
    [Fact]
    public async Task A_source_that_hangs_is_given_up_at_its_deadline_and_delays_no_other()
    {
        await using var farm = await TestFarm.StartAsync();
        await farm.Master.DisposeAsync();
        farm.OtherSources =
        [
            new PolledSource(
                "stuck", "test", new StuckSource(), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(300)),
            new PolledSource(
                "slow", "test", new StuckSource(), TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)),
        ];
        farm.Settings = farm.NewSettings() with { Sources = ["main", "stuck", "slow"] };
        await farm.StartMasterAsync();

        farm.Source.Commit("zlib 1.3-1 glibc");
        await farm.QueuedAsync("zlib");
        var status = await TestFarm.UntilAsync(
            async () => await farm.StatusAsync() is var seen && seen.Sources[1].Error is not null ? seen : null,
            "the source that hangs was given up");
        var sources = status.Sources;

        Assert.Contains("did not end within", sources[1].Error, StringComparison.Ordinal);
        Assert.NotNull(sources[0].LastSuccess);
        Assert.Equal((null, null), (sources[2].LastSuccess, sources[2].Error));
    }

    [Fact]
    public async Task A_source_that_is_told_of_a_change_does_not_wait_for_its_time()
    {
        await using var farm = await TestFarm.StartAsync();
        await farm.Master.DisposeAsync();
        var told = new ToldSource();
        farm.OtherSources =
            [new PolledSource("told", "test", told, TimeSpan.FromDays(1), TimeSpan.FromHours(1))];
        farm.Settings = farm.NewSettings() with { Sources = ["main", "told"] };
        await farm.StartMasterAsync();
        for (var polls = 1; polls <= 3; polls++)
        {
            await told.PolledAsync(TestContext.Current.CancellationToken);
            told.Change();
        }
    }

    [Fact]
    public void A_source_that_fails_is_asked_less_and_less_often_but_not_for_ever()
    {
        var minute = TimeSpan.FromMinutes(1);
        Assert.Equal(minute, SourcePolling.PauseAfter(0, minute));
        Assert.Equal(4 * minute, SourcePolling.PauseAfter(2, minute));
        Assert.Equal(15 * minute, SourcePolling.PauseAfter(4, minute));
        Assert.Equal(15 * minute, SourcePolling.PauseAfter(int.MaxValue, minute));
        // What is polled once a day anyway is polled once a day.
        Assert.Equal(TimeSpan.FromDays(1), SourcePolling.PauseAfter(3, TimeSpan.FromDays(1)));
    }

    /// <summary>Changes when the test says so.</summary>
    private sealed class ToldSource : ISource
    {
        private readonly Channel<bool> _changes = Channel.CreateUnbounded<bool>();
        private readonly Channel<bool> _polls = Channel.CreateUnbounded<bool>();

        public string Name => "told";

        public ValueTask<bool> PolledAsync(CancellationToken cancellationToken) =>
            _polls.Reader.ReadAsync(cancellationToken);

        public void Change() => _changes.Writer.TryWrite(true);

        public Task ChangedAsync(CancellationToken cancellationToken) =>
            _changes.Reader.ReadAsync(cancellationToken).AsTask();

        public Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
        {
            _polls.Writer.TryWrite(true);
            return Task.FromResult(new SourceReport { Source = Name, Cursor = "1" });
        }
    }

    private sealed class StuckSource : ISource
    {
        public string Name => "stuck";

        public async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            throw new InvalidOperationException("the wait has no end");
        }
    }
}
