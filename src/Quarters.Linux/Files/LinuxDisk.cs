using Microsoft.Win32.SafeHandles;

namespace Quarters.Linux.Files;

/// <summary>The disk of this machine.</summary>
public sealed class LinuxDisk : IDisk
{
    private const int ReadOnly = 0x80000; // O_RDONLY | O_CLOEXEC

    /// <summary>The one instance: it has no state.</summary>
    public static LinuxDisk Instance { get; } = new();

    private LinuxDisk()
    {
    }

    /// <inheritdoc/>
    public void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using var handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.Read);
        RandomAccess.Write(handle, bytes, 0);
        RandomAccess.FlushToDisk(handle);
    }

    /// <inheritdoc/>
    public IAppendFile OpenAppend(string path) => new AppendFile(path);

    /// <inheritdoc/>
    public void Truncate(string path, long length)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
        RandomAccess.SetLength(handle, length);
        RandomAccess.FlushToDisk(handle);
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        // rename(2) itself: File.Move would copy across devices, and a copy is not atomic.
        if (LibC.Native.Rename(from, to) != 0)
            throw Errno.LastFailed($"{from} could not be renamed to {to}");
    }

    /// <inheritdoc/>
    public void HardLink(string existing, string added)
    {
        if (LibC.Native.Link(existing, added) != 0)
            throw Errno.LastFailed($"{existing} could not be linked as {added}");
    }

    /// <inheritdoc/>
    public void Copy(string from, string to)
    {
        File.Copy(from, to, overwrite: true);
        using var handle = File.OpenHandle(to, FileMode.Open, FileAccess.Write, FileShare.Read);
        RandomAccess.FlushToDisk(handle);
    }

    /// <inheritdoc/>
    public void Delete(string path) => File.Delete(path);

    /// <inheritdoc/>
    public void DeleteDirectory(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    /// <inheritdoc/>
    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        var descriptor = LibC.Native.Open(path, ReadOnly, 0);
        if (descriptor < 0)
            throw Errno.LastFailed($"The directory {path} could not be opened to make it durable");
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (LibC.Native.Sync(descriptor) != 0)
            throw Errno.LastFailed($"The directory {path} could not be made durable");
    }

    private sealed class AppendFile : IAppendFile
    {
        private readonly SafeFileHandle _handle;

        internal AppendFile(string path)
        {
            _handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
            Length = RandomAccess.GetLength(_handle);
        }

        public long Length { get; private set; }

        public void Append(ReadOnlySpan<byte> bytes)
        {
            RandomAccess.Write(_handle, bytes, Length);
            Length += bytes.Length;
        }

        public void Sync() => RandomAccess.FlushToDisk(_handle);

        public void Dispose() => _handle.Dispose();
    }
}
