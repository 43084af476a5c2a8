using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Tests;

/// <summary>What two builders must have built the same is collected from both.</summary>
public sealed class IndependentBuildsTests : IAsyncLifetime
{
    private TestFarm _farm = null!;
    private TestBuilder _ben = null!;
    private QueueJob _zlib = null!;

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync();
        _ben = await TestBuilder.StartAsync("ben");
        _farm.Settings = _farm.NewSettings() with { Independent = [new IndependentBuilds(2, ["*"])] };
        await _farm.StopMasterAsync();
        await _farm.StartMasterAsync();
        await _farm.SignalAsync(_ben.Add("s1"));
        _farm.Source.Commit("zlib 1.3-1");
        _zlib = await _farm.QueuedAsync("zlib");
        Assert.Equal(2, _zlib.Wanted);
    }

    public async ValueTask DisposeAsync()
    {
        await _farm.DisposeAsync();
        await _ben.DisposeAsync();
    }

    [Fact]
    public async Task Two_that_come_at_once_are_each_counted_and_published_once()
    {
        await _farm.StopMasterAsync();
        var package = TestFarm.Package(_zlib);
        foreach (var builder in new[] { _farm.Anna, _ben })
        {
            builder.WriteLog(_zlib, "==> Making package: zlib\n");
            var result = TestFarm.Built(_zlib, builder.Present(_zlib, TestFarm.FileName(_zlib), package));
            builder.Say([], [result with { LogBytes = 25 }]);
        }

        await _farm.StartMasterAsync();

        var built = await _farm.JobAsync(_zlib.Id, job => job.Status == JobStatus.Built, "both are counted");
        Assert.Equal([AttemptEnd.Witnessed, AttemptEnd.Accepted], built.Attempts.Select(attempt => attempt.End));
        Assert.Equal(["anna", "ben"], built.Attempts.Select(attempt => attempt.Builder).Order());
        var logs = Path.Combine(_farm.State, "public", "logs");
        Assert.Equal(
            built.Attempts.Select(attempt => attempt.LogName(_zlib.Id) + ".log").Order(StringComparer.Ordinal),
            Directory.GetFiles(logs).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        await TestFarm.UntilAsync(
            () => Task.FromResult(
                Directory.GetFileSystemEntries(Path.Combine(_farm.State, "incoming")).Length == 0 ? "empty" : null),
            "what was fetched is where pacman finds it, or nowhere");
    }

    [Fact]
    public async Task Where_a_builders_package_is_gone_the_difference_is_told_by_its_name()
    {
        _farm.Anna.SayBuilt(_zlib, "usr/lib/libz.so");
        await _farm.JobAsync(_zlib.Id, job => job.Attempts.Length == 1, "anna's is counted");
        foreach (var kept in Directory.GetDirectories(Path.Combine(_farm.State, "incoming"), "zlib*"))
            Directory.Delete(kept, recursive: true);

        _ben.SayBuilt(_zlib, "usr/lib/libz.so.1");

        var torn = await _farm.JobAsync(_zlib.Id, job => job.Attempts.Length == 2, "ben's is counted");
        Assert.Equal([AttemptEnd.Witnessed, AttemptEnd.Witnessed], torn.Attempts.Select(attempt => attempt.End));
        Assert.Equal($"not what anna built: {TestFarm.FileName(_zlib)} differs", torn.Attempts[1].Reason);
    }
}
