using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Quarters.Linux.Files;

/// <summary>Files in directories that somebody hostile wrote.</summary>
public static class UntrustedFile
{
    private const int OpenFlags = 0x800 | 0x20000 | 0x80000; // O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, to read
    private const int ArmOpenFlags = 0x800 | 0x8000 | 0x80000; // O_NOFOLLOW has another number there

    /// <summary>Opens a plain file to read. A symbolic link is not followed, a pipe does not block.</summary>
    /// <exception cref="IOException">It is not there, is no plain file, or may not be read.</exception>
    public static FileStream OpenRead(string path)
    {
        var arm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;
        var descriptor = LibC.Native.Open(path, arm ? ArmOpenFlags : OpenFlags, 0);
        if (descriptor < 0)
            throw Errno.LastFailed($"{path} could not be opened as a plain file");
        var file = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read);
        if (file.CanSeek && file.Length >= 0)
            return file;
        file.Dispose();
        throw new IOException($"{path} is no plain file.");
    }
}
