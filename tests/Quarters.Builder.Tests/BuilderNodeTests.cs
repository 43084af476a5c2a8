using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Node;

namespace Quarters.Builder.Tests;

public sealed class BuilderNodeTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private StandInMaster _master = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _master = await StandInMaster.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _master.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_claim_is_shown_and_journaled_before_the_build_starts()
    {
        var job = _master.Offer("hello");
        await using var builder = await StartAsync();
        var build = await builder.NextBuildAsync();
        // The build delegate was called: what it could read at this moment is what matters.
        var state = await builder.UntilAsync(_ => true);
        var claim = Assert.Single(state.Claims);
        Assert.Equal((job.Id, 1, ClaimPhase.Building), (claim.Job, claim.Attempt, claim.Phase));
        var journal = Encoding.UTF8.GetString((await builder.GetAsync("v1/journal/000000000001.jsonl"))!);
        Assert.Contains("\"kind\":\"claimed\"", journal, StringComparison.Ordinal);
        Assert.Contains("\"kind\":\"buildBegun\"", journal, StringComparison.Ordinal);
        Assert.Equal("Jane Dev <jane@example.org>", build.Request.Packager);
        Assert.Equal(job.SourceDateEpoch, build.Request.SourceDate.ToUnixTimeSeconds());
        Assert.StartsWith("pkgname=hello", await File.ReadAllTextAsync(Path.Combine(build.Request.SourceDirectory,
            "PKGBUILD"), Cancellation));
    }

    [Fact]
    public async Task The_stage_of_a_running_build_and_its_growing_log_can_be_read()
    {
        var job = _master.Offer("hello");
        await using var builder = await StartAsync();
        var build = await builder.NextBuildAsync();
        await builder.UntilAsync(state => state.Claims is [{ Stage: "fetch" }]);
        build.Request.OnPhase!(Chroots.Builds.BuildPhase.Check);
        await builder.UntilAsync(state => state.Claims is [{ Stage: "check" }]);
        build.Request.Log!("one line\n"u8);
        Assert.Equal("one line\n", Encoding.UTF8.GetString((await builder.GetAsync($"v1/logs/{job.Id}.1.log"))!));
    }

    [Fact]
    public async Task A_built_package_is_presented_until_the_master_has_settled_it()
    {
        var job = _master.Offer("hello");
        await using var builder = await StartAsync();
        (await builder.NextBuildAsync()).Succeed("hello-1-1-any.pkg.tar.zst");
        var state = await builder.UntilAsync(s => s.Results.Length == 1);
        Assert.Empty(state.Claims);
        var result = state.Results[0];
        Assert.Equal((ResultOutcome.Built, job.Snapshot), (result.Outcome, result.Snapshot));
        Assert.Equal(["fetch", "build"], result.Costs.Select(cost => cost.Phase));
        var file = Assert.Single(result.Files);
        var bytes = await builder.GetAsync($"out/{job.Id}.1/{file.Name}");
        Assert.Equal(file.Sha256, Convert.ToHexStringLower(SHA256.HashData(bytes!)));
        Assert.Equal(file.Bytes, bytes!.Length);

        _master.Settle(job, AttemptEnd.Accepted, JobStatus.Built);
        await builder.UntilAsync(s => s.Results.IsEmpty);
        await EventuallyAsync(async () => await builder.GetAsync($"out/{job.Id}.1/{file.Name}") is null);
        Assert.NotNull(await builder.GetAsync($"v1/logs/{job.Id}.1.log"));
    }

    [Fact]
    public async Task A_package_for_any_architecture_is_built_on_one_that_the_builder_has()
    {
        _master.Offer("hello", but: job => job with { Architecture = "any" });
        await using var builder = await StartAsync();
        var build = await builder.NextBuildAsync();
        Assert.Equal(StandInMaster.Architecture, build.Request.Snapshot.Architecture);
        build.Succeed("hello-1-1-any.pkg.tar.zst");
        await builder.UntilAsync(s => s.Results is [{ Outcome: ResultOutcome.Built }]);
    }

    [Fact]
    public async Task What_is_different_for_an_architecture_reaches_pacman_and_makepkg()
    {
        _master.Offer("hello", but: job => job with { Accepts = ["other"], Makepkg = ["CFLAGS+=' -g'"] });
        await using var builder = await StartAsync();
        var build = await builder.NextBuildAsync();
        Assert.Equal(["other"], build.Request.Snapshot.Accepts);
        Assert.Equal("CFLAGS+=' -g'", build.Request.MakepkgLines[^1]);
        build.Succeed("hello-1-1-any.pkg.tar.zst");
        await builder.UntilAsync(s => s.Results is [{ Outcome: ResultOutcome.Built }]);
    }

    [Fact]
    public async Task A_failure_is_told_with_stage_kind_reason_and_the_builders_weight()
    {
        _master.Offer("hello");
        await using var builder = await RunningBuilder.StartAsync(Options() with { Weight = 2.5 });
        (await builder.NextBuildAsync()).Fail(FailureKind.Package, "check", "A test failed.");
        var result = (await builder.UntilAsync(s => s.Results.Length == 1)).Results[0];
        Assert.Equal(ResultOutcome.Failed, result.Outcome);
        Assert.Equal(("check", FailureKind.Package, "A test failed."), (result.Failure!.Stage, result.Failure.Kind,
            result.Failure.Message));
        Assert.Equal(2.5, result.Weight);
        Assert.True(result.LogBytes > 0);
    }

    [Fact]
    public async Task A_debug_package_that_nobody_asked_for_is_left_out()
    {
        _master.Offer("hello");
        await using var builder = await StartAsync();
        var build = await builder.NextBuildAsync();
        Assert.Contains("OPTIONS+=('!debug')", build.Request.MakepkgLines);
        build.Succeed("hello-1-1-any.pkg.tar.zst", "hello-debug-1-1-any.pkg.tar.zst");
        var result = (await builder.UntilAsync(s => s.Results.Length == 1)).Results[0];
        Assert.Equal(["hello-1-1-any.pkg.tar.zst"], result.Files.Select(file => file.Name));
    }

    [Fact]
    public async Task A_builder_that_is_stopped_gives_up_what_it_builds_and_keeps_what_was_built()
    {
        var built = _master.Offer("hello");
        var options = Options();
        BuilderStateDocument before;
        QueueJob running;
        await using (var builder = await RunningBuilder.StartAsync(options))
        {
            (await builder.NextBuildAsync()).Succeed("hello-1-1-any.pkg.tar.zst");
            await builder.UntilAsync(s => s.Results.Length == 1);
            running = _master.Offer("world");
            await builder.NextBuildAsync();
            _master.Begin(running);
            _master.Begin(built);
            before = await builder.UntilAsync(s => s.Claims.Length == 1);
        }

        Directory.CreateDirectory(Path.Combine(options.StateDirectory, "public", "out", "leftover-1-1-any-00000000.1"));
        await using var again = await RunningBuilder.StartAsync(options);
        var state = await again.UntilAsync(_ => true);
        Assert.Empty(state.Claims);
        Assert.Equal([(running.Id, 1)], state.GivenUp.Select(given => (given.Job, given.Attempt)));
        Assert.True(state.Revision > before.Revision, "the revision went back");
        var kept = Assert.Single(state.Results);
        Assert.NotNull(await again.GetAsync($"out/{built.Id}.1/{kept.Files[0].Name}"));
        Assert.Equal([built.Id + ".1"], new DirectoryInfo(Path.Combine(options.StateDirectory, "public", "out"))
            .EnumerateDirectories().Select(found => found.Name));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(options.StateDirectory, "work")));

        // The master saw the claim go and waits for another attempt; the old result is settled by the new process.
        _master.Offer("world", attempt: 2);
        _master.Settle(built, AttemptEnd.Accepted, JobStatus.Built);
        var build = await again.NextBuildAsync();
        Assert.Equal("world", build.Request.Pkgbase);
        state = await again.UntilAsync(s => s.Results.IsEmpty);
        Assert.Equal([(running.Id, 2)], state.Claims.Select(claim => (claim.Job, claim.Attempt)));
    }

    [Fact]
    public async Task A_builder_that_was_killed_does_not_say_that_it_meant_to_give_up_what_it_built()
    {
        var job = _master.Offer("hello");
        var options = Options();
        var left = options.StateDirectory + "-left";
        await using (var builder = await RunningBuilder.StartAsync(options))
        {
            await builder.NextBuildAsync();
            // What is on the disk while it builds is what a kill leaves there.
            Copy(options.StateDirectory, left);
        }

        await using var again = await RunningBuilder.StartAsync(options with { StateDirectory = left });
        var state = await again.UntilAsync(_ => true);
        Assert.Empty(state.GivenUp);
        var journal = Encoding.UTF8.GetString((await again.GetAsync("v1/journal/000000000001.jsonl"))!);
        Assert.Contains($"\"kind\":\"claimDropped\",\"job\":\"{job.Id}\"", journal, StringComparison.Ordinal);
        Assert.Contains("\"isCrash\":true", journal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_superseded_job_is_stopped_and_the_next_one_taken()
    {
        var old = _master.Offer("hello");
        await using var builder = await StartAsync();
        var build = await builder.NextBuildAsync();
        _master.Begin(old);
        await builder.UntilAsync(s => s.Claims is [{ Phase: ClaimPhase.Building }]);
        _master.Supersede(old);
        var state = await builder.UntilAsync(s => s.Claims.IsEmpty);
        Assert.True(build.Stopped.IsCancellationRequested);
        Assert.Empty(state.Results);
        _master.Offer("world");
        Assert.Equal("world", (await builder.NextBuildAsync()).Request.Pkgbase);
    }

    [Fact]
    public async Task A_job_that_the_master_forgot_is_stopped()
    {
        var job = _master.Offer("hello");
        await using var builder = await StartAsync();
        var build = await builder.NextBuildAsync();
        _master.Forget(job);
        await builder.UntilAsync(s => s.Claims.IsEmpty);
        Assert.True(build.Stopped.IsCancellationRequested);
    }

    [Fact]
    public async Task A_source_package_with_another_hash_is_not_built()
    {
        var job = _master.Offer("hello");
        _master.Spoil(job.SourceSha256, Encoding.ASCII.GetBytes(new string('x', (int)job.SourceBytes)));
        await using var builder = await StartAsync();
        var failure = (await builder.UntilAsync(s => s.Results.Length == 1)).Results[0].Failure!;
        Assert.Equal(("fetch", FailureKind.Environment), (failure.Stage, failure.Kind));
        Assert.Contains(job.SourceSha256, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_snapshot_that_is_not_what_its_id_says_is_not_built_against()
    {
        var id = new string('0', 64);
        _master.Snapshot("core", "another database"u8.ToArray(), shownAs: id);
        _master.Offer("hello", but: job => job with { Snapshot = id });
        await using var builder = await StartAsync();
        var failure = (await builder.UntilAsync(s => s.Results.Length == 1)).Results[0].Failure!;
        Assert.Equal(("fetch", FailureKind.Environment), (failure.Stage, failure.Kind));
        Assert.Contains(id, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_truncated_package_is_refused_and_a_whole_one_fetched_from_the_master()
    {
        var bytes = RandomNumberGenerator.GetBytes(100_000);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        _master.Package("core", "dep-1:1-1-any.pkg.tar.zst", bytes[..50_000]);
        _master.Offer("hello");
        await using var builder = await StartAsync();
        var request = (await builder.NextBuildAsync()).Request;
        var needed = new Chroots.Repositories.NeededPackage
        {
            Repository = "core",
            FileName = "dep-1:1-1-any.pkg.tar.zst",
            Bytes = bytes.Length,
            Sha256 = sha256,
            Servers = request.Snapshot.Repositories[0].Servers,
        };
        var into = Directory.CreateDirectory(_directory["fetched"]).FullName;
        var refusal = await Assert.ThrowsAsync<IOException>(() => request.Fetch([needed], into, Cancellation));
        Assert.Contains("SHA-256", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(into, "*.zst"));

        _master.Package("core", "dep-1:1-1-any.pkg.tar.zst", bytes);
        await request.Fetch([needed], into, Cancellation);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(into, needed.FileName), Cancellation));
    }

    [Fact]
    public async Task A_master_that_is_gone_is_told_of_and_found_again()
    {
        await using var builder = await StartAsync();
        await builder.UntilAsync(s => s.Trouble is null);
        await _master.GoAwayAsync();
        var state = await builder.UntilAsync(s => s.Trouble is not null);
        Assert.Contains("v1/queue.json", state.Trouble, StringComparison.Ordinal);
        _master.Offer("hello");
        await _master.ComeBackAsync();
        Assert.Equal("hello", (await builder.NextBuildAsync()).Request.Pkgbase);
        Assert.Null((await builder.UntilAsync(s => s.Trouble is null)).Trouble);
    }

    [Fact]
    public async Task A_master_with_another_key_is_told_of_with_both_keys()
    {
        var expected = NodeKey.Parse("sha256:" + new string('a', 64));
        _master.Offer("hello");
        await using var builder = await RunningBuilder.StartAsync(Options() with { MasterKey = expected });
        var state = await builder.UntilAsync(s => s.Trouble is not null);
        Assert.Contains(expected.ToString(), state.Trouble, StringComparison.Ordinal);
        Assert.Contains(_master.Identity.PublicKey.ToString(), state.Trouble, StringComparison.Ordinal);
        Assert.Empty(state.Claims);
    }

    [Fact]
    public async Task A_job_that_makes_no_sense_is_left_alone()
    {
        _master.Offer("evil", but: job => job with { Id = "../evil" });
        await using var builder = await StartAsync();
        var state = await builder.UntilAsync(s => s.Trouble is not null);
        Assert.Contains("id could not be a file name", state.Trouble, StringComparison.Ordinal);
        _master.Offer("hello");
        Assert.Equal("hello", (await builder.NextBuildAsync()).Request.Pkgbase);
    }

    [Fact]
    public async Task After_a_failure_of_the_machine_nothing_is_taken_for_a_while()
    {
        var broken = _master.Offer("broken");
        await using var builder = await StartAsync();
        (await builder.NextBuildAsync()).Break(new IOException("No space left on device"));
        var state = await builder.UntilAsync(s => s.Results.Length == 1);
        Assert.Equal(("builder", FailureKind.Environment), (state.Results[0].Failure!.Stage,
            state.Results[0].Failure!.Kind));
        Assert.Contains("No space left on device", state.Trouble, StringComparison.Ordinal);
        _master.Offer("hello");
        _master.Settle(broken, AttemptEnd.Failed, JobStatus.Failed);
        state = await builder.UntilAsync(s => s.Results.IsEmpty);
        Assert.Empty(state.Claims);
        // The pause is short after the first failure, and the job is taken by itself when it is over.
        (await builder.NextBuildAsync()).Succeed("hello-1-1-any.pkg.tar.zst");
        await builder.UntilAsync(s => s.Trouble is null);
    }

    [Fact]
    public async Task A_full_disk_keeps_a_builder_from_taking_jobs()
    {
        _master.Offer("hello");
        await using var builder = await RunningBuilder.StartAsync(Options() with { FreeBytesReserve = long.MaxValue });
        var state = await builder.UntilAsync(s => s.Trouble is not null);
        Assert.Contains("make room", state.Trouble, StringComparison.Ordinal);
        Assert.Empty(state.Claims);
    }

    [Fact]
    public async Task A_builder_runs_as_many_builds_as_it_has_slots()
    {
        var offered = new[] { "one", "two", "three" }.Select(name => _master.Offer(name)).ToList();
        await using var builder = await RunningBuilder.StartAsync(Options() with { Slots = 2 });
        var first = await builder.NextBuildAsync();
        await builder.NextBuildAsync();
        // What comes next is fetched meanwhile, but not built.
        var said = await builder.UntilAsync(s => s.Claims.Length == 3);
        Assert.Equal(2, Builds(said));
        var reserved = said.Claims.Single(claim => claim.Phase == ClaimPhase.Reserved).Job;
        var next = offered.Single(job => job.Id == reserved).Pkgbase;
        await EventuallyAsync(() => Task.FromResult(builder.FetchedAhead.Contains(next)));
        first.Fail(FailureKind.Package, "build", "It does not compile.");
        await builder.NextBuildAsync();
        Assert.Equal(2, Builds(await builder.UntilAsync(s => s.Results.Length == 1 && s.Claims.Length == 2)));

        static int Builds(BuilderStateDocument said) => said.Claims.Count(c => c.Phase == ClaimPhase.Building);
    }

    [Fact]
    public async Task A_draining_builder_finishes_what_it_has_and_waits_for_the_master()
    {
        var job = _master.Offer("hello");
        await using var builder = await StartAsync();
        var build = await builder.NextBuildAsync();
        _master.Begin(job);
        var drained = builder.Node.DrainAsync(TimeSpan.FromMinutes(5), Cancellation);
        await builder.UntilAsync(s => s.Draining);
        _master.Offer("world");
        build.Succeed("hello-1-1-any.pkg.tar.zst");
        var state = await builder.UntilAsync(s => s.Results.Length == 1);
        Assert.Empty(state.Claims);
        Assert.False(drained.IsCompleted);
        _master.Settle(job, AttemptEnd.Accepted, JobStatus.Built);
        Assert.True(await drained);
        Assert.Empty((await builder.UntilAsync(s => s.Results.IsEmpty)).Claims);
    }

    [Fact]
    public async Task Draining_has_a_deadline()
    {
        _master.Offer("hello");
        await using var builder = await StartAsync();
        await builder.NextBuildAsync();
        Assert.False(await builder.Node.DrainAsync(TimeSpan.FromMilliseconds(50), Cancellation));
    }

    [Fact]
    public async Task Two_builders_cannot_share_a_state_directory()
    {
        await using var builder = await StartAsync();
        var refusal = await Assert.ThrowsAsync<IOException>(StartAsync);
        Assert.Contains(Options().StateDirectory, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_ends_what_runs()
    {
        _master.Offer("hello");
        RunningBuilder.Build build;
        await using (var builder = await StartAsync())
            build = await builder.NextBuildAsync();
        Assert.True(build.Stopped.IsCancellationRequested);
    }

    [Fact]
    public async Task A_builder_says_who_it_is()
    {
        await using var builder = await StartAsync();
        var node = JsonSerializer.Deserialize((await builder.GetAsync("v1/node.json"))!,
            QuartersJson.Default.NodeDocument)!;
        Assert.Equal(("builder", "birch", builder.Node.Key.ToString()), (node.Role, node.Name, node.PublicKey));
        Assert.Contains("quarters_builder", Encoding.UTF8.GetString((await builder.GetAsync("metrics"))!),
            StringComparison.Ordinal);
    }

    private BuilderOptions Options() => RunningBuilder.Options(_master, _directory["builder"]);

    private Task<RunningBuilder> StartAsync() => RunningBuilder.StartAsync(Options());

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await condition())
            await Task.Delay(20, limit.Token);
    }

    /// <summary>Copies what is on the disk, but for the lock, which ends with whoever holds it.</summary>
    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from).Where(file => Path.GetFileName(file) != "lock"))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var below in Directory.EnumerateDirectories(from))
            Copy(below, Path.Combine(to, Path.GetFileName(below)));
    }
}
