using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Node;

namespace Quarters.Master.Tests;

/// <summary>
/// Tests that start programs do not run beside tests that take a lock over and over: between fork and exec a child
/// holds its parent's locks too.
/// </summary>
internal static class Forking
{
    public const string Name = "forking";
}

[Collection(Forking.Name)]
public class MasterNodeTests
{
    [Fact]
    public async Task What_a_builder_built_is_published_and_pacman_reads_it_and_who_waited_is_ready()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1 glibc", "pigz 2.7-1 zlib");
        var zlib = await farm.QueuedAsync("zlib");
        Assert.Single((await farm.QueueAsync()).Jobs);
        farm.Anna.Say([new Claim { Job = zlib.Id, Attempt = 1, Phase = ClaimPhase.Building, Since = default }], []);
        await farm.JobAsync(zlib.Id, j => j.Status == JobStatus.Building, "zlib is building");

        farm.Anna.WriteLog(zlib, "==> Making package: zlib\n");
        var file = farm.Anna.Present(zlib, TestFarm.FileName(zlib), TestFarm.Package(zlib));
        farm.Anna.Say([], [TestFarm.Built(zlib, file) with { LogBytes = 25 }]);
        var pigz = await farm.QueuedAsync("pigz");
        Assert.NotEqual(zlib.Snapshot, pigz.Snapshot);
        Assert.Equal(JobStatus.Built, (await farm.JobAsync(zlib.Id)).Status);
        Assert.Equal("==> Making package: zlib\n", await File.ReadAllTextAsync(
            Path.Combine(farm.State, "public", "logs", zlib.Id + ".1.log"), TestFarm.Token));
        Assert.Contains("quarters zlib 1.3-1", Pacman(farm, "-Sl"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_asks_for_the_cycles_gets_those_of_the_sources_as_they_are_now()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("musl 1.2-1 tcc", "tcc 0.9-1 musl", "hello 1-1 tcc");
        var before = await TestFarm.UntilAsync(
            async () => (await CyclesAsync()) is { Packages: 3 } known ? known : null, "the sources are read");
        Assert.Equal(["musl", "tcc"], Assert.Single(before.Cycles).Members);
        Assert.Equal(DependencyKind.Run, Assert.Single(before.Cycles[0].Cut).Kind);
        farm.Source.Commit("tcc 0.9-2");
        await TestFarm.UntilAsync(
            async () => (await CyclesAsync()) is { Cycles.IsEmpty: true } after ? after : null, "the cycle is gone");

        Task<CyclesDocument> CyclesAsync() => farm.GetAsync("v1/cycles.json", QuartersJson.Default.CyclesDocument);
    }

    [Fact]
    public async Task A_browser_sees_what_the_master_knows_and_is_told_what_is_not_there()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1 glibc", "pigz 2.7-1 zlib");
        await farm.QueuedAsync("zlib");
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate is X509Certificate2 shown && NodeKey.Of(shown).Equals(farm.Master.Key);
        using var browser = new HttpClient(handler) { BaseAddress = farm.Master.Address };

        using var overview = await browser.GetAsync("/", TestFarm.Token);
        var text = await overview.Content.ReadAsStringAsync(TestFarm.Token);
        Assert.Equal(HttpStatusCode.OK, overview.StatusCode);
        Assert.Contains("<a href=\"/packages/zlib\">zlib</a>", text, StringComparison.Ordinal);
        Assert.Contains($"Server = {farm.Master.Address}repo/$repo/os/$arch", text, StringComparison.Ordinal);
        var policy = overview.Headers.GetValues("Content-Security-Policy").Single();
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        using var style = await browser.GetAsync("/style.css", TestFarm.Token);
        Assert.Equal("text/css", style.Content.Headers.ContentType!.MediaType);

        using var missing = await browser.GetAsync("/packages/jq", TestFarm.Token);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Contains("Not found", await missing.Content.ReadAsStringAsync(TestFarm.Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_master_that_is_started_again_knows_everything_and_repairs_what_was_deleted()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1");
        var zlib = await farm.QueuedAsync("zlib");
        farm.Anna.SayBuilt(zlib);
        await farm.JobAsync(zlib.Id, j => j.Status == JobStatus.Built, "zlib is built");
        await farm.StopMasterAsync();

        var os = Path.Combine(farm.State, "public", "repo", "quarters", "os", "x86_64");
        var before = await File.ReadAllBytesAsync(Path.Combine(os, "quarters.db"), TestFarm.Token);
        File.Delete(Path.Combine(os, "quarters.db"));
        File.Delete(Path.Combine(os, "quarters.files"));
        Directory.Delete(Path.Combine(farm.State, "databases"), recursive: true);
        Directory.Delete(Path.Combine(farm.State, "public", "snapshot"), recursive: true);
        await farm.StartMasterAsync();
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(os, "quarters.db"), TestFarm.Token));
        Assert.Equal(JobStatus.Built, (await farm.JobAsync(zlib.Id)).Status);
        Assert.Empty((await farm.QueueAsync()).Jobs);
    }

    [Fact]
    public async Task A_second_master_on_the_same_state_is_refused_and_says_what_to_do()
    {
        await using var farm = await TestFarm.StartAsync();
        var refused = await Assert.ThrowsAsync<IOException>(farm.StartMasterAsync);
        Assert.Contains("only one may", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_cannot_be_reached_is_said_and_forgotten_when_it_is_back()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Break("git: could not resolve host");
        await TestFarm.UntilAsync(
            async () => (await farm.StatusAsync()).Sources[0].Error == "git: could not resolve host" ? ""
                : null, "the error is shown");
        farm.Source.Break(null);
        farm.Source.Commit("zlib 1-1");
        await farm.QueuedAsync("zlib");
        await TestFarm.UntilAsync(
            async () => (await farm.StatusAsync()).Sources[0].Error is null ? "" : null, "the error is forgotten");
    }

    [Fact]
    public async Task A_builder_with_another_key_is_not_read_and_the_status_names_both()
    {
        var other = "sha256:" + new string('0', 64);
        await using var farm = await TestFarm.StartAsync(other);
        var error = await TestFarm
            .UntilAsync(async () => (await farm.StatusAsync()).Builders[0].Error, "the wrong key is said");
        Assert.Contains(other, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_masters_own_key_is_believed_by_its_readers()
    {
        await using var farm = await TestFarm.StartAsync();
        using var stranger = new Puller(
            NodeKey.Parse("sha256:" + new string('1', 64)), new PullerSettings(), TimeProvider.System, () => 0.5);
        var answer = await stranger.GetDocumentAsync(
            new Uri(farm.Master.Address, "v1/state.json"), null, TimeSpan.Zero, 1000, TestFarm.Token);
        Assert.Equal(PullFailureKind.WrongKey, Assert.IsType<PullResult.Failed>(answer).Failure.Kind);
    }

    private static string Pacman(TestFarm farm, string what)
    {
        var root = Directory.CreateDirectory(Path.Combine(farm.Folder, "root", "var", "lib", "pacman")).FullName;
        var configuration = Path.Combine(farm.Folder, "pacman.conf");
        File.WriteAllText(configuration, $"""
            [options]
            Architecture = x86_64
            SigLevel = Never
            [quarters]
            Server = file://{farm.State}/public/repo/$repo/os/$arch
            """);
        var arguments = new[] { "--config", configuration, "--root", Path.Combine(
            farm.Folder, "root"), "--dbpath", root };
        Run("pacman", [.. arguments, "-Sy"]);
        return Run("pacman", [.. arguments, what]);
    }

    internal static string Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false
        })!;
        var output = process.StandardOutput.ReadToEnd();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}{error}");
        return output;
    }
}
