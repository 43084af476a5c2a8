using Quarters.Master.Tests;

namespace Quarters.Builder.Tests;

/// <summary>What a live builder serves is as schema/ says.</summary>
public sealed class SchemaTests
{
    [Fact]
    public async Task Every_document_of_a_live_builder_is_valid()
    {
        using var directory = new TemporaryDirectory();
        await using var master = await StandInMaster.StartAsync();
        master.Offer("hello");
        await using var builder = await RunningBuilder.StartAsync(
            RunningBuilder.Options(master, directory["builder"]));
        var build = await builder.NextBuildAsync();
        await builder.UntilAsync(state => state.Claims is [{ Stage: not null }]);
        await ValidAsync(builder, "v1/node.json");
        await ValidAsync(builder, "v1/state.json");
        build.Succeed("hello-1-1-any.pkg.tar.zst");
        await builder.UntilAsync(state => state.Results.Length == 1);
        await ValidAsync(builder, "v1/state.json");
    }

    private static async Task ValidAsync(RunningBuilder builder, string path) => Assert.Empty(
        await ServedDocument.ErrorsAsync((await builder.GetAsync(path))!, TestContext.Current.CancellationToken));
}
