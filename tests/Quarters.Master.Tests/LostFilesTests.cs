using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Master.Repositories;

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
        farm.Anna.SayBuilt(zlib, "usr/lib/libz.so");
        await farm.JobAsync(zlib.Id, j => j.Status == JobStatus.Built, "zlib is built");
        var files = Path.Combine(farm.State, "public", "repo", "quarters", "os", "x86_64", "quarters.files");
        var good = await File.ReadAllBytesAsync(files, TestFarm.Token);
        File.Delete(files);
        var bad = damage == "cut off" ? good[..^1] : good.ToArray();
        if (damage == "a flipped bit") bad[20] ^= 1;
        if (damage != "lost") await File.WriteAllBytesAsync(files, bad, TestFarm.Token);

        farm.Anna.SayBuilt(evil, "usr/lib/libz.so");
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
        farm.Anna.SayBuilt(zlib);
        await farm.JobAsync(zlib.Id, j => j.Status == JobStatus.Built, "zlib is built");
    }

    [Fact]
    public async Task A_snapshot_on_offer_that_is_lost_is_made_again_when_a_result_is_compared_with_it()
    {
        await using var farm = await TestFarm.StartAsync();
        var (_, zlib) = await TwoSnapshotsAsync(farm);
        var database = DatabaseOf(farm, zlib, "quarters");
        var good = await File.ReadAllBytesAsync(database, TestFarm.Token);
        Directory.Delete(Path.Combine(farm.State, "public", "snapshot", zlib.Snapshot!), recursive: true);

        farm.Anna.SayBuilt(zlib);
        await farm.JobAsync(zlib.Id, j => j.Status == JobStatus.Built, "zlib is built");
        Assert.Equal(good, await File.ReadAllBytesAsync(database, TestFarm.Token));
    }

    [Fact]
    public async Task Housekeeping_makes_a_damaged_database_whole_wherever_it_is_served()
    {
        await using var farm = await TestFarm.StartAsync();
        var (_, zlib) = await TwoSnapshotsAsync(farm);
        string[] served =
        [
            DatabaseOf(farm, zlib, "quarters"),
            Path.Combine(farm.State, "public", "repo", "quarters", "os", "x86_64", "quarters.db"),
        ];
        var good = await File.ReadAllBytesAsync(served[0], TestFarm.Token);
        // It is one file under several names.
        FlipBit(served[0]);
        Assert.NotEqual(good, await File.ReadAllBytesAsync(served[1], TestFarm.Token));

        await farm.SignalAsync(new CollectGarbage { Id = "gc", Time = default });
        Assert.All(served, path => Assert.Equal(good, File.ReadAllBytes(path)));
    }

    [Fact]
    public async Task A_result_against_a_snapshot_that_is_lost_and_on_offer_no_more_is_refused_with_its_reason()
    {
        await using var farm = await TestFarm.StartAsync();
        var (zlib, _) = await TwoSnapshotsAsync(farm);
        Directory.Delete(Path.Combine(farm.State, "public", "snapshot", zlib.Snapshot!), recursive: true);
        farm.Anna.SayBuilt(zlib);
        var refused = await farm.JobAsync(zlib.Id, j => j.Attempts.Length == 1, "it is settled");
        Assert.Contains("cannot be compared", refused.Attempts[0].Reason, StringComparison.Ordinal);
        Assert.Contains("is lost", refused.Attempts[0].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("quarters", false)]
    [InlineData("quarters", true)]
    [InlineData("base", false)]
    [InlineData("base", true)]
    public async Task A_start_makes_a_damaged_database_whole_wherever_it_is_served(string repository, bool isLost)
    {
        await using var farm = await TestFarm.StartAsync();
        var (_, zlib) = await TwoSnapshotsAsync(farm);
        var database = DatabaseOf(farm, zlib, repository);
        var good = await File.ReadAllBytesAsync(database, TestFarm.Token);
        await farm.StopMasterAsync();
        FlipBit(database);
        if (isLost) File.Delete(database);
        await farm.StartMasterAsync();

        await farm.QueuedAsync("zlib");
        await TestFarm.UntilAsync(
            () => Task.FromResult(
                File.Exists(database) && good.SequenceEqual(File.ReadAllBytes(database)) ? database : null),
            "it is whole");
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

    [Fact]
    public void A_file_that_cannot_be_read_to_its_end_is_not_whole()
    {
        // The kernel refuses to read what is at the address 0, as a disk does with a bad sector.
        Assert.Throws<IOException>(() => File.ReadAllBytes("/proc/self/mem"));
        Assert.False(StoredFile.IsWhole("/proc/self/mem", new string('0', 64)));
    }

    private static string DatabaseOf(TestFarm farm, QueueJob job, string repository) => Path.Combine(
        farm.State, "public", "snapshot", job.Snapshot!, repository, "os", "x86_64", repository + ".db");

    /// <summary>A job against a snapshot that is on offer no more, and against the one that is.</summary>
    private static async Task<(QueueJob Old, QueueJob New)> TwoSnapshotsAsync(TestFarm farm)
    {
        farm.Source.Commit("zlib 1.3-1", "other 1-1");
        var old = await farm.QueuedAsync("zlib");
        farm.Anna.SayBuilt(await farm.QueuedAsync("other"));
        return (old, await TestFarm.UntilAsync(
            async () => (await farm.QueueAsync()).Jobs.FirstOrDefault(
                job => job.Pkgbase == "zlib" && job.Snapshot != old.Snapshot),
            "another snapshot is on offer"));
    }

    /// <summary>As a disk does it: in the file that there is.</summary>
    private static void FlipBit(string path)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = 20;
        var there = file.ReadByte();
        file.Position = 20;
        file.WriteByte((byte)(there ^ 1));
    }
}
