using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Quarters.Linux.Files;

/// <summary>
/// A directory of which only what is really in it can be opened: no name and no symbolic link leads out, whoever may
/// have put it there, and whenever.
/// </summary>
public sealed class FileRoot
{
    private const int OpenFlags = 0x800 | 0x80000; // O_RDONLY | O_NONBLOCK | O_CLOEXEC

    private readonly string _directory;

    /// <summary>A directory, which is made if it is missing.</summary>
    /// <exception cref="IOException">It can be neither made nor opened.</exception>
    public FileRoot(string directory)
    {
        Directory.CreateDirectory(directory);
        _directory = Path.GetFullPath(directory);
    }

    /// <summary>Opens a regular file below the directory for reading.</summary>
    /// <param name="relativePath">Its path from the directory, with <c>/</c>.</param>
    /// <returns>The file, or null when there is none by this name, it is not a regular file, or it lies
    /// elsewhere.</returns>
    public SafeFileHandle? Open(string relativePath)
    {
        if (relativePath.Contains('\0', StringComparison.Ordinal))
            return null;
        var opened = OpenPath(Path.Join(_directory, relativePath));
        if (opened is null)
            return null;
        using var root = OpenPath(_directory);
        // The kernel says where the opened file is: a check of the name before would be outdated when it is opened.
        if (root is not null && RealPath(root) is { } rootPath && RealPath(opened) is { } path
            && path.StartsWith(rootPath.TrimEnd('/') + "/", StringComparison.Ordinal) && IsRegular(opened))
            return opened;
        opened.Dispose();
        return null;
    }

    private static SafeFileHandle? OpenPath(string path)
    {
        // Without O_NONBLOCK a pipe in the directory would hold the reader until somebody writes into it.
        var descriptor = LibC.Native.Open(path, OpenFlags, 0);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static string? RealPath(SafeFileHandle handle) => new FileInfo(
        "/proc/self/fd/" + handle.DangerousGetHandle().ToString(CultureInfo.InvariantCulture)).LinkTarget;

    private static bool IsRegular(SafeFileHandle handle)
    {
        try
        {
            // Reading nothing fails for directories; asking for the length, for pipes and sockets.
            return RandomAccess.GetLength(handle) >= 0 && RandomAccess.Read(handle, new byte[1], 0) >= 0;
        }
        catch (Exception e) when (e is NotSupportedException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
