namespace Quarters.Linux.Files;

/// <summary>Files that are either the old or the new ones, whole, at whatever moment the machine dies.</summary>
public static class DurableFile
{
    /// <summary>The ending of a file that is being written; a leftover with it may always be deleted.</summary>
    public const string TemporarySuffix = ".new";

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
}
