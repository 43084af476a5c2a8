namespace Quarters.Linux.Files;

/// <summary>Files that are either the old or the new ones, whole, at whatever moment the machine dies.</summary>
public static class DurableFile
{
    /// <summary>The ending of a file that is being written; a leftover with it may always be deleted.</summary>
    public const string TemporarySuffix = ".new";

    private const int WriteBytes = 1 << 20;

    /// <summary>Replaces a file's content: written aside, made durable, renamed over the old one, the name made
    /// durable. Two writers of one path must not run at the same time.</summary>
    /// <exception cref="IOException">The disk refused; the old content stands unless the last step is the one that
    /// failed.
    /// </exception>
    public static void Replace(IDisk disk, string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + TemporarySuffix;
        disk.Write(temporary, bytes);
        disk.Rename(temporary, path);
        disk.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Writes a new file through a stream and waits until the device has it; one that is there is left to
    /// those who know it by another name. The name itself is durable only after its directory is.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Write(IDisk disk, string path, Action<Stream> write)
    {
        disk.Delete(path);
        using var file = disk.OpenAppend(path);
        using (var buffered = new BufferedStream(new AppendStream(file), WriteBytes)) write(buffered);
        file.Sync();
    }
}
