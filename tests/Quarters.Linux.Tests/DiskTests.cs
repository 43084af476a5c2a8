using Quarters.Linux.Files;
using Quarters.Linux.Processes;

namespace Quarters.Linux.Tests;

public sealed class DiskTests
{
    private static LinuxDisk Disk => LinuxDisk.Instance;

    [Fact]
    public void A_file_is_replaced_whole_and_leaves_nothing_aside()
    {
        using var scratch = new ScratchDirectory();
        DurableFile.Replace(Disk, scratch["a"], "old and long"u8);

        DurableFile.Replace(Disk, scratch["a"], "new"u8);

        Assert.Equal("new", File.ReadAllText(scratch["a"]));
        Assert.Equal([scratch["a"]], Directory.GetFiles(Path.GetDirectoryName(scratch["a"])!));
    }

    [Fact]
    public void A_replacement_that_fails_leaves_the_old_content()
    {
        using var scratch = new ScratchDirectory();
        DurableFile.Replace(Disk, scratch["a"], "old"u8);
        Directory.CreateDirectory(scratch["a" + DurableFile.TemporarySuffix]);

        Assert.ThrowsAny<Exception>(() => DurableFile.Replace(Disk, scratch["a"], "new"u8));

        Assert.Equal("old", File.ReadAllText(scratch["a"]));
    }

    [Fact]
    public void Appending_goes_on_where_the_file_ended_and_a_torn_tail_can_be_cut()
    {
        using var scratch = new ScratchDirectory();
        using (var file = Disk.OpenAppend(scratch["log"]))
        {
            file.Append("one\n"u8);
            file.Append("two\n"u8);
            file.Append("tor"u8);
            file.Sync();
            Assert.Equal(11, file.Length);
        }

        Disk.Truncate(scratch["log"], 8);
        using (var file = Disk.OpenAppend(scratch["log"]))
        {
            Assert.Equal(8, file.Length);
            file.Append("three\n"u8);
            file.Sync();
        }

        Assert.Equal("one\ntwo\nthree\n", File.ReadAllText(scratch["log"]));
    }

    [Fact]
    public void Links_copies_renames_and_deletions_do_what_they_say()
    {
        using var scratch = new ScratchDirectory();
        Disk.CreateDirectory(scratch["x/y"]);
        Disk.Write(scratch["x/y/a"], "a"u8);
        Disk.HardLink(scratch["x/y/a"], scratch["b"]);
        Disk.Copy(scratch["b"], scratch["c"]);
        Disk.Rename(scratch["b"], scratch["c"]);
        Disk.Delete(scratch["x/y/a"]);
        Disk.Delete(scratch["x/y/a"]);
        Disk.SyncDirectory(scratch["x/y"]);

        Assert.Equal("a", File.ReadAllText(scratch["c"]));
        Assert.False(File.Exists(scratch["b"]));
        Assert.Empty(Directory.GetFiles(scratch["x/y"]));
    }

    [Fact]
    public void A_refusal_names_the_files()
    {
        using var scratch = new ScratchDirectory();
        Disk.Write(scratch["a"], "a"u8);
        Disk.Write(scratch["b"], "b"u8);

        var link = Assert.Throws<IOException>(() => Disk.HardLink(scratch["a"], scratch["b"]));
        var rename = Assert.Throws<IOException>(() => Disk.Rename(scratch["none"], scratch["b"]));
        var sync = Assert.Throws<IOException>(() => Disk.SyncDirectory(scratch["none"]));

        Assert.Equal($"{scratch["a"]} could not be linked as {scratch["b"]}: File exists.", link.Message);
        Assert.Contains(scratch["none"], rename.Message, StringComparison.Ordinal);
        Assert.Contains(scratch["none"], sync.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lock_has_one_holder_and_the_death_of_its_holder_frees_it()
    {
        using var scratch = new ScratchDirectory();
        var cancellation = TestContext.Current.CancellationToken;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using (FileLock.TryAcquire(scratch["lock"]) ?? throw new InvalidOperationException("The lock is not free."))
            Assert.Null(FileLock.TryAcquire(scratch["lock"]));

        // Another process holds it; then it is killed.
        var spec = new ProcessSpec
        {
            FileName = "flock",
            Arguments = [scratch["lock"], "sh", "-c", $"touch {scratch["held"]}; exec sleep 1000"],
        };
        var holder = ProcessRunner.RunAsync(spec, cancel.Token);
        await ProcessRunnerTests.Until(() => File.Exists(scratch["held"]));
        Assert.Null(FileLock.TryAcquire(scratch["lock"]));
        var waiting = FileLock.AcquireAsync(scratch["lock"], TimeProvider.System, cancellation);
        Assert.False(waiting.IsCompleted);

        await cancel.CancelAsync();

        using var taken = await waiting.WaitAsync(TimeSpan.FromSeconds(30), cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => holder);
    }
}
