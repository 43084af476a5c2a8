using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Node;

namespace Quarters.Builder.Tests;

/// <summary>A builder that nobody can reach: what it says goes to a web space.</summary>
public sealed class PublishingTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private StandInMaster _master = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The web space: what the owner's command copied there.</summary>
    private string Space => _directory["space"];

    public async ValueTask InitializeAsync() => _master = await StandInMaster.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _master.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_result_is_in_the_web_space_until_it_is_settled()
    {
        var job = _master.Offer("hello");
        await using var builder = await StartAsync("""
            mkdir -p SPACE
            case $1 in
              files) [[ ! -d $2/out ]] || cp -r "$2/out" SPACE/ ;;
              documents) cp -r "$2/v1" SPACE/ ;;
              cleanup) [[ -d $2/out ]] && [[ -n $(ls "$2/out") ]] || rm -rf SPACE/out ;;
            esac
            """);
        (await builder.NextBuildAsync()).Succeed("hello-1-1-any.pkg.tar.zst");
        var file = Path.Combine(Space, "out", job.Id + ".1", "hello-1-1-any.pkg.tar.zst");

        await EventuallyAsync(() => Said() is { Results.Length: 1 } && File.Exists(file), "the result is public");
        Assert.Equal("the package hello-1-1-any.pkg.tar.zst", await File.ReadAllTextAsync(file, Cancellation));
        Assert.True(File.Exists(Path.Combine(Space, "v1", "node.json")));
        Assert.Contains("buildEnded", string.Concat(Directory.GetFiles(Path.Combine(Space, "v1", "journal"))
            .Select(File.ReadAllText)), StringComparison.Ordinal);

        _master.Settle(job, AttemptEnd.Accepted, JobStatus.Built);
        await EventuallyAsync(() => Said() is { Results.Length: 0 } && !File.Exists(file), "the result is gone");
    }

    [Fact]
    public async Task A_copy_that_fails_is_the_builders_trouble_until_one_succeeds()
    {
        await using var builder = await StartAsync("[[ -e GO ]] || { echo no route >&2; exit 7; }");

        var state = await builder.UntilAsync(said => said.Trouble is not null);
        Assert.Contains("is not published", state.Trouble, StringComparison.Ordinal);
        Assert.Contains("exited with code 7 (no route)", state.Trouble, StringComparison.Ordinal);

        await File.WriteAllTextAsync(_directory["go"], "", Cancellation);
        await builder.UntilAsync(said => said.Trouble is null);
    }

    private async Task<RunningBuilder> StartAsync(string script)
    {
        var command = script.Replace("SPACE", Space, StringComparison.Ordinal)
            .Replace("GO", _directory["go"], StringComparison.Ordinal);
        return await RunningBuilder.StartAsync(RunningBuilder.Options(_master, _directory["state"]) with
        {
            Publish = new PublishSettings
            {
                Folder = _directory["web"],
                Command = ["bash", "-c", command, "copy"],
                Interval = TimeSpan.FromMilliseconds(50),
                FirstPause = TimeSpan.FromMilliseconds(50),
                LongestPause = TimeSpan.FromMilliseconds(200),
            },
        });
    }

    private BuilderStateDocument? Said()
    {
        try
        {
            return JsonSerializer.Deserialize(
                File.ReadAllBytes(Path.Combine(Space, "v1", "state.json")), QuartersJson.Default.BuilderStateDocument);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            // The command of this test copies file by file.
            return null;
        }
    }

    private static async Task EventuallyAsync(Func<bool> isSo, string what)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (!isSo())
        {
            Assert.False(deadline.IsCancellationRequested, $"it is still not so that {what}");
            await Task.Delay(20, Cancellation);
        }
    }
}
