using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Quarters.Linux.Files;

/// <summary>
/// An exclusive <c>flock(2)</c> on a file. The kernel releases it when its holder ends, however it ends, so that
/// "held" means "its owner lives". It does not pass to child processes.
/// </summary>
public sealed class FileLock : IDisposable
{
    private const int OpenFlags = 0x2 | 0x40 | 0x80000; // O_RDWR | O_CREAT | O_CLOEXEC
    private const int Exclusive = 2;
    private const int NonBlocking = 4;
    private const uint OwnerReadsAndWrites = 0x1A4; // 0644

    private readonly SafeFileHandle _handle;

    private FileLock(SafeFileHandle handle) => _handle = handle;

    /// <summary>Takes the lock if it is free; the file is made if it is missing.</summary>
    /// <returns>The lock, or null while somebody else (also in this process) holds it.</returns>
    /// <exception cref="IOException">The file cannot be opened or locked.</exception>
    public static FileLock? TryAcquire(string path)
    {
        var descriptor = LibC.Native.Open(path, OpenFlags, OwnerReadsAndWrites);
        if (descriptor < 0)
            throw Errno.LastFailed($"The lock file {path} could not be opened");
        var opened = new SafeFileHandle(descriptor, ownsHandle: true);
        if (LibC.Native.Lock(descriptor, Exclusive | NonBlocking) == 0)
            return new FileLock(opened);
        var error = Marshal.GetLastPInvokeError();
        opened.Dispose();
        return error == Errno.WouldBlock ? null : throw Errno.Failed($"The file {path} could not be locked", error);
    }

    /// <summary>Waits for the lock, looking again every so often: a blocking flock could not be cancelled.</summary>
    /// <exception cref="IOException">The file cannot be opened or locked.</exception>
    public static async Task<FileLock> AcquireAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        var pause = TimeSpan.FromMilliseconds(5);
        while (true)
        {
            if (TryAcquire(path) is { } taken)
                return taken;
            await Task.Delay(pause, time, cancellationToken);
            pause = TimeSpan.FromMilliseconds(Math.Min(100, pause.TotalMilliseconds * 2));
        }
    }

    /// <summary>Releases the lock. The file stays: deleting it would let two holders lock two files of one
    /// name.</summary>
    public void Dispose() => _handle.Dispose();
}
