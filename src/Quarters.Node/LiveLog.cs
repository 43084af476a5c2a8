using System.Text;

namespace Quarters.Node;

/// <summary>
/// The log of a build while it runs: one writes, many read the file, which only grows. A log beyond its limit keeps its
/// beginning and its end; a line between says what was left out.
/// </summary>
public sealed class LiveLog : IDisposable
{
    /// <summary>A log may have so many bytes unless told otherwise.</summary>
    public const long DefaultBytesLimit = 64 * 1024 * 1024;

    /// <summary>So much of the end is kept when a log was cut: the error is mostly there.</summary>
    public const int TailBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly FileStream _file;
    private readonly long _bytesLimit;
    private readonly byte[] _tail = new byte[TailBytes];
    private long _beyond;
    private bool _disposed;

    /// <summary>Begins a log; an older one of the same name is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytesLimit">After so many bytes only the end is still kept, in bytes.</param>
    /// <exception cref="IOException">The file cannot be made.</exception>
    public LiveLog(string path, long bytesLimit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytesLimit);
        _bytesLimit = bytesLimit;
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    /// <summary>Bytes that were appended, kept or not.</summary>
    public long Appended { get; private set; }

    /// <summary>Adds to the log; readers see it at once. May be called from any thread; after the end it does nothing,
    /// since a program's last words may come late.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            var room = (int)Math.Min(bytes.Length, Math.Max(0, _bytesLimit - Appended));
            Appended += bytes.Length;
            _file.Write(bytes[..room]);
            KeepTail(bytes[room..]);
        }
    }

    /// <summary>Adds a line.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void AppendLine(string line) => Append(Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>Ends the log: what was kept of the end of a cut log is written now.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            using (_file)
                WriteTail();
        }
    }

    private void KeepTail(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > TailBytes)
        {
            _beyond += bytes.Length - TailBytes;
            bytes = bytes[^TailBytes..];
        }

        var at = (int)(_beyond % TailBytes);
        var first = Math.Min(bytes.Length, TailBytes - at);
        bytes[..first].CopyTo(_tail.AsSpan(at));
        bytes[first..].CopyTo(_tail);
        _beyond += bytes.Length;
    }

    private void WriteTail()
    {
        if (_beyond == 0)
            return;
        var kept = (int)Math.Min(_beyond, TailBytes);
        if (_beyond > kept)
            _file.Write(Encoding.UTF8.GetBytes(
                $"\n[quarters: the log passed its limit of {_bytesLimit} bytes; "
                + $"{_beyond - kept} bytes are left out here]\n"));
        var start = (int)((_beyond - kept) % TailBytes);
        var first = Math.Min(kept, TailBytes - start);
        _file.Write(_tail.AsSpan(start, first));
        _file.Write(_tail.AsSpan(0, kept - first));
    }
}
