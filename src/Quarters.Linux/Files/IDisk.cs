namespace Quarters.Linux.Files;

/// <summary>
/// The operations by which a journal or a publisher changes what a machine remembers, one method for each step at which
/// a machine can die. They are an interface so that a test can let any one of them be the last.
/// Reading is not part of it: readers use <see cref="System.IO"/>.
/// Every method throws <see cref="IOException"/> (or a class derived from it) or
/// <see cref="UnauthorizedAccessException"/> when the disk refuses.
/// </summary>
public interface IDisk
{
    /// <summary>Creates or empties the file, writes the bytes and waits until the device has them (fsync).
    /// The name itself is durable only after <see cref="SyncDirectory"/>.</summary>
    void Write(string path, ReadOnlySpan<byte> bytes);

    /// <summary>Opens a file for appending, made if it is missing. The caller disposes it.</summary>
    IAppendFile OpenAppend(string path);

    /// <summary>Cuts a file to the given length in bytes and waits until the device knows (a torn tail after a
    /// crash).</summary>
    void Truncate(string path, long length);

    /// <summary>Gives a file or directory another name at once, taking the place of a file that has it.</summary>
    void Rename(string from, string to);

    /// <summary>Gives a file a second name; the second name must be free.</summary>
    void HardLink(string existing, string added);

    /// <summary>Copies a file's bytes, replacing the target, and waits until the device has them.</summary>
    void Copy(string from, string to);

    /// <summary>Removes a file; a file that is not there is no error.</summary>
    void Delete(string path);

    /// <summary>Removes a directory and all that is in it, one name after the other; one that is not there is no
    /// error.</summary>
    void DeleteDirectory(string path);

    /// <summary>Makes a directory and those above it; one that exists is no error.</summary>
    void CreateDirectory(string path);

    /// <summary>Waits until the device knows the names in a directory.</summary>
    void SyncDirectory(string path);
}

/// <summary>A file that only grows.</summary>
public interface IAppendFile : IDisposable
{
    /// <summary>Size in bytes.</summary>
    long Length { get; }

    /// <summary>Writes at the end. Not durable before <see cref="Sync"/>.</summary>
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Waits until the device has everything appended so far (fsync).</summary>
    void Sync();
}
