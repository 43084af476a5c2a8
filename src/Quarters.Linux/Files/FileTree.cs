namespace Quarters.Linux.Files;

/// <summary>One file or symbolic link to be written.</summary>
/// <param name="Path">Relative to the directory, with slashes, no <c>..</c>.</param>
/// <param name="Mode">The file's mode, whatever the umask; null makes a symbolic link.</param>
/// <param name="Content">The file's bytes, or the link's target in UTF-8.</param>
public readonly record struct FileToWrite(string Path, UnixFileMode? Mode, ReadOnlyMemory<byte> Content);

/// <summary>Writes trees of files that are given as data.</summary>
public static class FileTree
{
    private const UnixFileMode DirectoryMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>
    /// Makes the directory, which must not exist yet, and the files in it; all directories get mode 0755. The caller
    /// has checked that no path lies below a link; that none leaves the directory is checked here again.
    /// </summary>
    /// <exception cref="IOException">The directory exists, or the disk refused.</exception>
    public static void Write(string directory, IEnumerable<FileToWrite> files)
    {
        if (Path.Exists(directory))
            throw new IOException($"{directory} exists already; a tree of files is written into a new directory only.");
        var made = new HashSet<string>(StringComparer.Ordinal);
        Make(directory, made);
        foreach (var file in files)
        {
            if (file.Path.Split('/').Any(part => part is "" or "." or ".."))
                throw new IOException($"{file.Path} is not a path inside {directory}.");
            var path = Path.Combine(directory, file.Path);
            Make(Path.GetDirectoryName(path)!, made);
            if (file.Mode is not { } mode)
            {
                File.CreateSymbolicLink(path, System.Text.Encoding.UTF8.GetString(file.Content.Span));
                continue;
            }

            using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            RandomAccess.Write(handle, file.Content.Span, 0);
            File.SetUnixFileMode(handle, mode);
        }
    }

    private static void Make(string directory, HashSet<string> made)
    {
        if (!made.Add(directory) || Directory.Exists(directory))
            return;
        if (Path.GetDirectoryName(directory) is { Length: > 0 } parent)
            Make(parent, made);
        Directory.CreateDirectory(directory);
        File.SetUnixFileMode(directory, DirectoryMode);
    }
}
