using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Master.Tests;

/// <summary>Builders join, leave and come back by signals, while the master runs.</summary>
public class BuilderListTests
{
    [Fact]
    public async Task A_builder_that_is_added_is_polled_and_one_that_is_removed_no_more()
    {
        await using var farm = await TestFarm.StartAsync();
        await using var ben = await TestBuilder.StartAsync("ben", slots: 3);
        Assert.Equal(SignalEnd.Done, (await farm.SignalAsync(ben.Add("s1"))).Outcome);
        await TestFarm.UntilAsync(
            async () => (await farm.ListAsync()).Builders.SingleOrDefault(b => b is { Name: "ben", Slots: 3 }),
            "ben was read, and the list says what it says of itself");

        farm.Source.Commit("zlib 1.3-1");
        var zlib = await farm.QueuedAsync("zlib");
        ben.Say([new Claim { Job = zlib.Id, Attempt = 1, Phase = ClaimPhase.Building, Since = default }], []);
        await farm.JobAsync(zlib.Id, j => j is { Status: JobStatus.Building, Builder: "ben" }, "ben builds zlib");
        var before = await farm.ListAsync();

        await farm.SignalAsync(new RemoveBuilder { Id = "s2", Time = default, Name = "ben" });
        var again = await farm.QueuedAsync("zlib", attempt: 2);
        Assert.Equal(["anna"], (await farm.ListAsync()).Builders.Select(b => b.Name));
        Assert.Equal(["anna"], (await farm.StatusAsync()).Builders.Select(b => b.Name));

        // It comes back, with the claim that it meanwhile made of what is open.
        ben.Say([new Claim { Job = again.Id, Attempt = 2, Phase = ClaimPhase.Building, Since = default }], []);
        await farm.SignalAsync(ben.Add("s3"));
        await farm.JobAsync(zlib.Id, j => j is { Status: JobStatus.Building, Attempt: 2 }, "ben builds zlib again");
        Assert.True((await farm.ListAsync()).Revision > before.Revision, "the list's revision went back");
    }

    [Fact]
    public async Task The_digest_says_what_every_builder_does_by_the_masters_clock_and_the_list_stands_still()
    {
        await using var farm = await TestFarm.StartAsync();
        var list = await TestFarm.UntilAsync(
            async () => await farm.ListAsync() is { Builders: [{ Architectures.Length: 1 }] } known
                && (await farm.StatusAsync()).Builders[0].LastSeen is not null ? known : null,
            "anna was seen");
        var started = DateTimeOffset.UtcNow.AddMinutes(-5);
        farm.Anna.Say(
            [Claim("zlib-1-1-x86_64-00000000", ClaimPhase.Claimed), Claim("../../etc", ClaimPhase.Claimed)], []);
        var digest = await DigestAsync(farm, d => d.Builders[0].Claims.Length == 1);
        var claim = digest.Builders[0].Claims[0];
        Assert.Equal(("zlib-1-1-x86_64-00000000", ClaimPhase.Claimed), (claim.Job, claim.Phase));
        Assert.True(claim.Since > started, $"{claim.Since} is the builder's word, not the master's clock");
        Assert.False(digest.Builders[0].Lost);

        farm.Anna.Say([Claim("zlib-1-1-x86_64-00000000", ClaimPhase.Building) with { Stage = "build" }], []);
        var next = await DigestAsync(farm, d => d.Builders[0].Claims[0].Phase == ClaimPhase.Building);
        Assert.True(next.Revision > digest.Revision && next.Builders[0].Revision > digest.Builders[0].Revision);
        Assert.True(next.Builders[0].Claims[0].Since >= claim.Since);
        Assert.Equal(list.Revision, (await farm.ListAsync()).Revision);

        await farm.StopMasterAsync();
        await farm.StartMasterAsync();
        Assert.True((await DigestAsync(farm, _ => true)).Revision > next.Revision, "the digest went back");
    }

    [Fact]
    public async Task A_builder_with_an_impossible_weight_is_in_trouble_and_nothing_of_it_is_believed()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1");
        var zlib = await farm.QueuedAsync("zlib");
        farm.Anna.Say([Claim(zlib.Id, ClaimPhase.Building)], [], weight: 1e9);
        var error = await TestFarm.UntilAsync(
            async () => (await farm.StatusAsync()).Builders[0].Error, "the impossible weight is said");
        Assert.Contains("weight", error, StringComparison.Ordinal);
        Assert.Equal(JobStatus.Ready, (await farm.JobAsync(zlib.Id)).Status);
        Assert.Equal(1, (await farm.ListAsync()).Builders[0].Weight);
    }

    [Theory]
    [InlineData("no-json.json", "{", "no signal")]
    [InlineData("unknown.json",
        """{"schema":"quarters/signal/1","kind":"sing","id":"unknown","time":"2026-11-22T00:00:00Z"}""", "no signal")]
    [InlineData("kindless.json",
        """{"schema":"quarters/signal/1","id":"kindless","time":"2026-11-22T00:00:00Z"}""", "no signal")]
    [InlineData("nameless.json",
        """{"schema":"quarters/signal/1","kind":"removeBuilder","id":"nameless","time":"2026-11-22T00:00:00Z"}""",
        "no signal")]
    [InlineData("other.json",
        """{"kind":"removeBuilder","schema":"quarters/signal/1","id":"a","time":"2026-11-22T00:00:00Z","name":"b"}""",
        "its id")]
    [InlineData("later.json",
        """{"kind":"removeBuilder","schema":"quarters/signal/2","id":"later","time":"2026-11-22T00:00Z","name":""}""",
        "schema")]
    [InlineData("not a signal", "hello", "is called")]
    public async Task What_is_no_signal_is_put_aside_with_the_reason(string name, string content, string reason)
    {
        await using var farm = await TestFarm.StartAsync();
        var spool = Path.Combine(farm.State, "spool");
        await File.WriteAllTextAsync(Path.Combine(farm.Folder, name), content, TestFarm.Token);
        File.Move(Path.Combine(farm.Folder, name), Path.Combine(spool, name));
        var aside = Path.Combine(spool, "refused", name);
        // The reason is there before what it is about.
        var found = await TestFarm.UntilAsync(
            async () => File.Exists(aside) ? await File.ReadAllTextAsync(aside, TestFarm.Token) : null,
            "it is put aside");
        Assert.Equal(content, found);
        Assert.Contains(
            reason, await File.ReadAllTextAsync(aside + ".reason", TestFarm.Token), StringComparison.Ordinal);

        // The master works on.
        Assert.Equal(
            SignalEnd.Refused,
            (await farm.SignalAsync(new RemoveBuilder { Id = "s", Time = default, Name = "nobody" })).Outcome);
    }

    [Fact]
    public async Task What_is_too_large_or_leads_elsewhere_is_put_aside()
    {
        await using var farm = await TestFarm.StartAsync();
        var spool = Path.Combine(farm.State, "spool");
        File.CreateSymbolicLink(Path.Combine(spool, "link.json"), "/dev/zero");
        await File.WriteAllBytesAsync(Path.Combine(farm.Folder, "large.json"), new byte[1 << 20], TestFarm.Token);
        File.Move(Path.Combine(farm.Folder, "large.json"), Path.Combine(spool, "large.json"));
        await TestFarm.UntilAsync(
            () => Task.FromResult(
                Directory.GetFiles(Path.Combine(spool), "*.json").Length == 0 ? "empty" : null),
            "the spool is empty");
        var aside = Path.Combine(spool, "refused");
        Assert.True(File.Exists(Path.Combine(aside, "link.json.reason")));
        Assert.True(File.Exists(Path.Combine(aside, "large.json.reason")));
    }

    [Fact]
    public async Task A_signal_that_comes_again_after_a_restart_changes_nothing()
    {
        await using var farm = await TestFarm.StartAsync();
        await using var ben = await TestBuilder.StartAsync("ben", slots: 3);
        await farm.SignalAsync(ben.Add("s1"));
        await farm.SignalAsync(new RemoveBuilder { Id = "s2", Time = default, Name = "ben" });
        await farm.StopMasterAsync();

        // As if the machine had died between the journal and the deletion of the file.
        var path = farm.Put(ben.Add("s1"));
        await farm.StartMasterAsync();
        await TestFarm.UntilAsync(
            () => Task.FromResult(File.Exists(path) ? null : "gone"), "the file is deleted");
        Assert.Equal(["anna"], (await farm.ListAsync()).Builders.Select(b => b.Name));
    }

    private static Claim Claim(string job, ClaimPhase phase) =>
        new() { Job = job, Attempt = 1, Phase = phase, Since = DateTimeOffset.UnixEpoch };

    private static Task<DigestDocument> DigestAsync(TestFarm farm, Func<DigestDocument, bool> isSo) =>
        TestFarm.UntilAsync(
            async () => await farm.GetAsync("v1/digest.json", QuartersJson.Default.DigestDocument) is var digest
                && isSo(digest) ? digest : null,
            "the digest says so");
}
