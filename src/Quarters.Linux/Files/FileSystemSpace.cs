using System.Runtime.InteropServices;

namespace Quarters.Linux.Files;

/// <summary>What a file system has left.</summary>
/// <param name="AvailableBytes">Bytes that this user may still write.</param>
/// <param name="AvailableFiles">Files that this user may still make; <see cref="long.MaxValue"/> where there is no such
/// limit, as on btrfs.</param>
public sealed record FileSystemSpace(long AvailableBytes, long AvailableFiles)
{
    /// <summary>Asks the file system that a path is on (statvfs(3)).</summary>
    /// <exception cref="IOException">The path does not exist or cannot be asked.</exception>
    public static FileSystemSpace Of(string path)
    {
        if (LibC.Native.FileSystemStatus(path, out var status) != 0)
            throw Errno.LastFailed($"The space left at {path} could not be read");
        return new FileSystemSpace(
            (long)(status.AvailableBlocks * status.FragmentBytes),
            status.Files == 0 ? long.MaxValue : (long)status.AvailableFiles);
    }
}

/// <summary><c>struct statvfs</c> of 64-bit Linux, with room to spare for what follows.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct StatusOfFileSystem
{
    internal ulong BlockBytes;
    internal ulong FragmentBytes;
    internal ulong Blocks;
    internal ulong FreeBlocks;
    internal ulong AvailableBlocks;
    internal ulong Files;
    internal ulong FreeFiles;
    internal ulong AvailableFiles;
}
