using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Quarters.Linux;

/// <summary>The few calls of libc that .NET does not offer, in a safe shape.</summary>
public static partial class LibC
{
    /// <summary>SIGTERM: asks a process to end.</summary>
    public const int SignalTerminate = 15;

    /// <summary>SIGKILL: ends a process whether it agrees or not.</summary>
    public const int SignalKill = 9;

    /// <summary>The user that this process acts as; 0 is root.</summary>
    public static uint EffectiveUserId => Native.GetEffectiveUserId();

    /// <summary>The group that this process acts as.</summary>
    public static uint EffectiveGroupId => Native.GetEffectiveGroupId();

    /// <summary>Sends a signal to a process, or with a negative number to the group of that number.</summary>
    /// <returns>False when there is no such process any more.</returns>
    /// <exception cref="IOException">The signal may not be sent, for example to another user's process.</exception>
    public static bool Kill(int process, int signal)
    {
        if (Native.Kill(process, signal) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        if (error == Errno.NoSuchProcess)
            return false;
        throw Errno.Failed($"Signal {signal} could not be sent to process {process}", error);
    }

    /// <summary>True while a process with this number exists, zombies included.</summary>
    public static bool ProcessExists(int process) =>
        Native.Kill(process, 0) == 0 || Marshal.GetLastPInvokeError() != Errno.NoSuchProcess;

    /// <summary>
    /// Makes malloc give large blocks back as soon as they are freed, and keep few pools of small ones. By itself it
    /// keeps more the larger the blocks were, and that for each thread: for a process of months that is memory which
    /// builds need.
    /// </summary>
    public static void KeepLittleOfWhatIsFreed()
    {
        const int TrimThreshold = -1, MmapThreshold = -3, ArenaMax = -8;
        const int LargeBytes = 128 * 1024, Pools = 2;
        // Each only loses its advice when it is refused, so what they return says nothing that could be acted on.
        _ = Native.TuneMalloc(MmapThreshold, LargeBytes);
        _ = Native.TuneMalloc(TrimThreshold, LargeBytes);
        _ = Native.TuneMalloc(ArenaMax, Pools);
    }

    internal static partial class Native
    {
        [LibraryImport("libc", EntryPoint = "mallopt")]
        internal static partial int TuneMalloc(int parameter, int value);

        [LibraryImport("libc", EntryPoint = "geteuid")]
        internal static partial uint GetEffectiveUserId();

        [LibraryImport("libc", EntryPoint = "getegid")]
        internal static partial uint GetEffectiveGroupId();

        [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
        internal static partial int Kill(int process, int signal);

        [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int Open(string path, int flags, uint mode);

        [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
        internal static partial int Close(int descriptor);

        [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
        internal static partial int Sync(int descriptor);

        [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
        internal static partial int Lock(int descriptor, int operation);

        [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int Link(string existing, string added);

        [LibraryImport("libc", EntryPoint = "rename", SetLastError = true,
            StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int Rename(string from, string to);

        [LibraryImport("libc", EntryPoint = "statvfs", SetLastError = true,
            StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int FileSystemStatus(string path, out Files.StatusOfFileSystem status);

        [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
        internal static unsafe partial nint Read(int descriptor, byte* buffer, nuint count);

        [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
        internal static unsafe partial nint Write(int descriptor, byte* buffer, nuint count);

        [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
        internal static unsafe partial int Pipe(int* descriptors, int flags);

        [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
        internal static partial int EventDescriptor(uint initial, int flags);

        [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
        internal static unsafe partial int Poll(PollEntry* entries, nuint count, int milliseconds);

        [LibraryImport("libc", EntryPoint = "wait4", SetLastError = true)]
        internal static unsafe partial int Wait(int process, int* status, int options, long* usage);

        [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
        internal static partial long SystemCall(long number, int first, uint second);

        [LibraryImport("libc", EntryPoint = "posix_spawnp")]
        internal static unsafe partial int Spawn(
            int* process, byte* file, void* actions, void* attributes, byte** arguments, byte** environment);

        [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
        internal static unsafe partial int SpawnAttributesInit(void* attributes);

        [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
        internal static unsafe partial int SpawnAttributesDestroy(void* attributes);

        [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
        internal static unsafe partial int SpawnAttributesSetFlags(void* attributes, short flags);

        [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
        internal static unsafe partial int SpawnAttributesSetDefaults(void* attributes, byte* signals);

        [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
        internal static unsafe partial int SpawnAttributesSetMask(void* attributes, byte* signals);

        [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
        internal static unsafe partial int SpawnActionsInit(void* actions);

        [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
        internal static unsafe partial int SpawnActionsDestroy(void* actions);

        [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
        internal static unsafe partial int SpawnActionsDuplicate(void* actions, int from, int to);

        [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen",
            StringMarshalling = StringMarshalling.Utf8)]
        internal static unsafe partial int SpawnActionsOpen(
            void* actions, int descriptor, string path, int flags, uint mode);

        [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
        internal static unsafe partial int SpawnActionsCloseFrom(void* actions, int first);

        [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np",
            StringMarshalling = StringMarshalling.Utf8)]
        internal static unsafe partial int SpawnActionsChangeDirectory(void* actions, string path);
    }
}

/// <summary>One entry of <c>poll(2)</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    internal const short In = 0x1;
    internal const short Out = 0x4;

    internal int Descriptor;
    internal short Events;
    internal short Returned;
}

/// <summary>Error numbers of Linux, and how they are told.</summary>
internal static class Errno
{
    internal const int NoSuchProcess = 3;
    internal const int Interrupted = 4;
    internal const int WouldBlock = 11;
    internal const int Exists = 17;
    internal const int CrossDevice = 18;
    internal const int BrokenPipe = 32;

    internal static IOException Failed(string what, int error) => new($"{what}: {Text(error)}.");

    internal static IOException LastFailed(string what) => Failed(what, Marshal.GetLastPInvokeError());

    internal static string Text(int error) => new Win32Exception(error).Message;
}
