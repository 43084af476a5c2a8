using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Builder.Tests;

/// <summary>The whole builder, chroots and makepkg included, with a distribution that it fetches from the
/// master.</summary>
public sealed class RealBuildTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private StandInMaster _master = null!;

    private static string Distribution => Environment.GetEnvironmentVariable("QUARTERS_TEST_REPO") is { } repository
        && File.Exists(Path.Combine(repository, "core.db"))
            ? repository
            : throw new InvalidOperationException(
                "This test builds a real package: set QUARTERS_TEST_REPO to a pacman repository with core.db and its "
                + "packages. eng/mini-distribution makes one.");

    public async ValueTask InitializeAsync() => _master = await StandInMaster.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _master.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_package_is_built_from_what_the_master_serves_and_says_what_the_job_asked_for()
    {
        var database = await File.ReadAllBytesAsync(
            Path.Combine(Distribution, "core.db"), TestContext.Current.CancellationToken);
        _master.Serve($"/repo/core/os/{StandInMaster.Architecture}/", Distribution);
        var snapshot = _master.Snapshot("core", database);
        var job = _master.Offer(
            "hello",
            but: offered => offered with { Snapshot = snapshot },
            pkgbuild: """
                pkgname=hello
                pkgver=1
                pkgrel=1
                arch=(any)
                license=(MIT)
                package() { install -Dm755 /dev/stdin "$pkgdir/usr/bin/hello" <<<'echo hello'; }

                """);
        var options = RunningBuilder.Options(_master, _directory["builder"]);
        await using var builder = RunningBuilder.Over(
            await BuilderNode.StartAsync(options, TestContext.Current.CancellationToken));
        var state = await builder.UntilAsync(s => s.Results.Length == 1);
        var result = state.Results[0];
        Assert.True(result.Outcome == ResultOutcome.Built, result.Failure?.Message + string.Join('\n',
            result.Failure?.LastLines ?? []));
        var file = Assert.Single(result.Files);
        Assert.Equal("hello-1-1-any.pkg.tar.zst", file.Name);
        using var package = new MemoryStream((await builder.GetAsync($"out/{job.Id}.1/{file.Name}"))!);
        var info = PackageFile.ReadInfo(package, new PackageReadLimits());
        Assert.Equal(job.Packager, info.Info.Packager);
        Assert.Equal(job.SourceDateEpoch, info.Info.BuildDate.ToUnixTimeSeconds());
        _master.Settle(job, AttemptEnd.Accepted, JobStatus.Built);
        Assert.Empty((await builder.UntilAsync(s => s.Results.IsEmpty)).Claims);
    }
}
