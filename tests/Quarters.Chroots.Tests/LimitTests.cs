using System.Globalization;
using Quarters.Core.Documents;

namespace Quarters.Chroots.Tests;

/// <summary>Builds that misbehave: each ends with the right kind of failure and leaves nothing behind.</summary>
public abstract class LimitTests(Workbench bench)
{
    private protected async Task<BuildFailure> FailAsync(string name, string build, BuildLimits? limits = null)
    {
        var source = bench.Package(name, $"build() {{ {build}; }}\npackage() {{ :; }}");
        var request = bench.Request(source);
        var failure = await bench.FailedAsync(limits is null ? request : request with { Limits = limits });
        Assert.Equal("build", failure.Stage);
        Assert.Empty(Workbench.MountsBelow(bench[$"store/work/{name}.1"]));
        Assert.False(Directory.Exists(bench[$"store/work/{name}.1"]));
        return failure;
    }

    private protected Task SucceedAsync(string name, string build, BuildLimits limits) => bench.BuiltAsync(
        bench.Request(bench.Package(name, $"build() {{\n{build}\n}}\npackage() {{ :; }}")) with { Limits = limits });

    private protected static BuildLimits Limits => new()
    {
        MemoryBytes = 1L << 30,
        Processes = 300,
        DiskBytes = 2L << 30,
        TimeSeconds = 900,
        SilenceSeconds = 600,
    };
}

public sealed class ForkBombTests(Workbench bench) : LimitTests(bench)
{
    [Fact]
    public async Task A_fork_bomb_hits_its_own_limit()
    {
        const string Word = "71000001";

        var failure = await FailAsync("fork-bomb", $"while :; do sleep {Word} & done", Limits);

        Assert.Equal(FailureKind.Package, failure.Kind);
        Assert.Equal("It started more than the 300 processes that it may have at once.", failure.Message);
        Assert.Empty(Workbench.ProcessesWith(Word));
    }
}

public sealed class MemoryHogTests(Workbench bench) : LimitTests(bench)
{
    [Fact]
    public async Task A_memory_hog_is_stopped_at_its_limit()
    {
        var failure = await FailAsync(
            "memory-hog", "head -c 600m /dev/zero | tail > /dev/null", Limits with { MemoryBytes = 200 << 20 });

        Assert.Equal("It used more than the 200 MiB of memory that it may use.", failure.Message);
        Assert.Equal(FailureKind.Package, failure.Kind);
    }
}

public sealed class DiskFillerTests(Workbench bench) : LimitTests(bench)
{
    [Fact]
    public async Task A_build_that_fills_the_disk_is_stopped_and_a_sparse_file_does_not_count()
    {
        var failure = await FailAsync(
            "disk-filler",
            "truncate -s 100G sparse; while :; do head -c 10m /dev/zero >> full; done",
            Limits with { DiskBytes = 300 << 20 });

        Assert.Equal(FailureKind.Package, failure.Kind);
        Assert.Equal("It wrote more than the 300 MiB that it may write.", failure.Message);
    }
}

public sealed class HangTests(Workbench bench) : LimitTests(bench)
{
    [Fact]
    public async Task A_build_that_is_silent_and_idle_has_hung()
    {
        const string Word = "71000002";

        // It ignores what it can ignore, and its child has left the session.
        var failure = await FailAsync(
            "hang", $"trap '' TERM INT HUP; setsid sleep {Word} & wait", Limits with { SilenceSeconds = 20 });

        Assert.Equal(FailureKind.Timeout, failure.Kind);
        Assert.Equal("It printed nothing and used no processor for 20 s, so it hangs.", failure.Message);
        Assert.Empty(Workbench.ProcessesWith(Word));
    }

    [Fact]
    public async Task A_build_that_computes_in_silence_or_talks_while_it_sleeps_has_not_hung()
    {
        await SucceedAsync("patient", """
            while ((SECONDS < 15)); do :; done
            for second in {1..15}; do echo "$second"; sleep 1; done
            """, Limits with { SilenceSeconds = 6 });
    }

    [Fact]
    public async Task A_build_that_somebody_kills_may_be_tried_elsewhere()
    {
        // Within its own namespace makepkg is what the shell became that the sandbox started.
        var failure = await FailAsync("killed", "kill -KILL $$; sleep 71000004");

        Assert.Equal(FailureKind.Environment, failure.Kind);
    }
}

/// <summary>Apart from the others, for nothing else waits so long: the limit leaves a slow machine the time to come to
/// <c>build()</c>.</summary>
public sealed class EndlessTests(Workbench bench) : LimitTests(bench)
{
    [Fact]
    public async Task A_build_that_never_ends_runs_out_of_time()
    {
        var failure = await FailAsync("endless", "while :; do echo; sleep 1; done", Limits with { TimeSeconds = 120 });

        Assert.Equal(FailureKind.Timeout, failure.Kind);
        Assert.Equal("It ran longer than the 120 s that it may.", failure.Message);
    }
}

public sealed class BrokenBuildTests(Workbench bench)
{
    [Fact]
    public async Task A_build_that_fails_says_where_and_is_kept_to_look_inside()
    {
        var source = bench.Package(
            "broken", "build() { touch /build/trace; echo the compiler weeps; false; }\npackage() { :; }");

        var outcome = await bench.Chroots.BuildAsync(
            bench.Request(source) with { KeepFailed = true }, Workbench.Cancellation);

        var failed = Assert.IsType<Builds.BuildOutcome.Failed>(outcome);
        Assert.Equal("build", failed.Failure.Stage);
        Assert.Equal(FailureKind.Package, failed.Failure.Kind);
        Assert.Equal("A failure occurred in build().", failed.Failure.Message);
        Assert.Contains("the compiler weeps", failed.Failure.LastLines);
        Assert.NotNull(failed.Kept);
        await bench.Chroots.CleanAsync(Workbench.Cancellation);
        Assert.True(File.Exists(Path.Combine(failed.Kept, "upper/build/trace")));
        await bench.Chroots.RemoveKeptAsync(failed.Kept, Workbench.Cancellation);
        Assert.False(Directory.Exists(failed.Kept));
    }

    [Fact]
    public async Task A_dependency_that_nobody_provides_is_named()
    {
        var source = bench.Package("lonely", "package() { :; }");

        var failure = await bench
            .FailedAsync(bench.Request(source) with { Dependencies = ["glibc", "no-such-thing>=2"] });

        Assert.Equal("dependencies", failure.Stage);
        Assert.Equal(FailureKind.Package, failure.Kind);
        Assert.Contains("target not found: no-such-thing>=2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_without_PKGBUILD_cannot_be_built()
    {
        var source = Directory.CreateDirectory(bench["sources/nothing"]).FullName;

        var failure = await bench.FailedAsync(bench.Request(source));

        Assert.Equal($"{source} holds no PKGBUILD.", failure.Message);
    }

    [Fact]
    public async Task A_package_base_that_is_a_path_is_refused()
    {
        var request = bench.Request(bench.Package("fine", "package() { :; }")) with { Pkgbase = "../fine" };

        await Assert.ThrowsAsync<ArgumentException>(() => bench.Chroots.BuildAsync(request, Workbench.Cancellation));
    }

    [Fact]
    public async Task Cancelling_ends_the_build_and_all_that_it_started()
    {
        const string Word = "71000003";
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Workbench.Cancellation);
        // The PKGBUILD itself hangs: no need to wait for build().
        var source = bench.Package("cancelled", $"setsid sleep {Word}");
        var build = bench.Chroots.BuildAsync(bench.Request(source), cancel.Token);
        await Workbench.Until(
            () => build.IsCompleted
                || Workbench.ProcessesWith(Word).Any(line => line.StartsWith("sleep", StringComparison.Ordinal)),
            "the build hangs");

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => build);
        Assert.Empty(Workbench.ProcessesWith(Word));
        Assert.False(Directory.Exists(bench["store/work/cancelled.1"]));
        Assert.Empty(Directory.EnumerateDirectories("/sys/fs/cgroup", "*cancelled.1", new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
        }).Select(path => path.ToString(CultureInfo.InvariantCulture)));
    }
}
