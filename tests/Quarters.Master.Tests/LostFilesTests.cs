using Quarters.Core.Planning;

namespace Quarters.Master.Tests;

/// <summary>What is lost or damaged while a master runs is made again, and costs a line in its log.</summary>
public class LostFilesTests
{
    [Theory]
    [InlineData("lost")]
    [InlineData("a flipped bit")]
    [InlineData("cut off")]
    public async Task A_files_database_that_acceptance_cannot_read_is_made_again_and_compared_with(string damage)
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1", "evil 1-1");
        var zlib = await farm.QueuedAsync("zlib");
        var evil = await farm.QueuedAsync("evil");
        farm.SayBuilt(zlib, "usr/lib/libz.so");
        await farm.JobAsync(zlib.Id, j => j.Status == JobStatus.Built, "zlib is built");
        var files = Path.Combine(farm.State, "public", "repo", "quarters", "os", "x86_64", "quarters.files");
        var good = await File.ReadAllBytesAsync(files, TestFarm.Token);
        File.Delete(files);
        var bad = damage == "cut off" ? good[..^1] : good.ToArray();
        if (damage == "a flipped bit") bad[20] ^= 1;
        if (damage != "lost") await File.WriteAllBytesAsync(files, bad, TestFarm.Token);

        farm.SayBuilt(evil, "usr/lib/libz.so");
        var refused = await farm.JobAsync(evil.Id, j => j.Attempts.Length == 1, "the collision is settled");
        Assert.Contains(
            "/usr/lib/libz.so is also in the package zlib", refused.Attempts[0].Reason, StringComparison.Ordinal);
        Assert.Equal(good, await File.ReadAllBytesAsync(files, TestFarm.Token));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{")]
    public async Task A_result_is_accepted_though_the_document_of_its_snapshot_is_lost(string? document)
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1");
        var zlib = await farm.QueuedAsync("zlib");
        var path = Path.Combine(farm.State, "public", "snapshot", zlib.Snapshot!, "snapshot.json");
        File.Delete(path);
        if (document is not null) await File.WriteAllTextAsync(path, document, TestFarm.Token);
        farm.SayBuilt(zlib);
        await farm.JobAsync(zlib.Id, j => j.Status == JobStatus.Built, "zlib is built");
    }

    [Fact]
    public async Task A_result_against_a_snapshot_that_is_lost_is_refused_with_its_reason()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1");
        var zlib = await farm.QueuedAsync("zlib");
        Directory.Delete(Path.Combine(farm.State, "public", "snapshot", zlib.Snapshot!), recursive: true);
        farm.SayBuilt(zlib);
        var refused = await farm.JobAsync(zlib.Id, j => j.Attempts.Length == 1, "it is settled");
        Assert.Contains("cannot be compared", refused.Attempts[0].Reason, StringComparison.Ordinal);
        Assert.Contains("is lost", refused.Attempts[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_makes_the_lost_document_of_a_snapshot_again()
    {
        await using var farm = await TestFarm.StartAsync();
        farm.Source.Commit("zlib 1.3-1");
        var zlib = await farm.QueuedAsync("zlib");
        var path = Path.Combine(farm.State, "public", "snapshot", zlib.Snapshot!, "snapshot.json");
        var good = await File.ReadAllBytesAsync(path, TestFarm.Token);
        await farm.StopMasterAsync();
        File.Delete(path);
        await farm.StartMasterAsync();
        Assert.Equal(good, await File.ReadAllBytesAsync(path, TestFarm.Token));
    }
}
