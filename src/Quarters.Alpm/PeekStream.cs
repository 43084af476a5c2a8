namespace Quarters.Alpm;

/// <summary>A source whose next bytes can be looked at, and which remembers whether it was itself that
/// failed.</summary>
internal sealed class PeekStream(Stream source) : ReadStream
{
    private readonly byte[] _ahead = new byte[1024];
    private int _start;
    private int _end;
    private long _position;

    /// <summary>Bytes that were read; SharpCompress counts on it to find the padding of blocks.</summary>
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>The source threw: what its reader then throws is no fault of the data.</summary>
    public bool Failed { get; private set; }

    /// <summary>Up to <paramref name="count"/> (at most 1024) of the next bytes; fewer only at the end.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (_end - _start < count)
        {
            _ahead.AsSpan(_start, _end - _start).CopyTo(_ahead);
            _end -= _start;
            _start = 0;
            while (_end < count && ReadSource(_ahead.AsSpan(_end, count - _end)) is > 0 and var read) _end += read;
        }
        return _ahead.AsSpan(_start, Math.Min(count, _end - _start));
    }

    public override int Read(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _end - _start);
        if (count > 0)
        {
            _ahead.AsSpan(_start, count).CopyTo(buffer);
            _start += count;
        }
        else
        {
            count = ReadSource(buffer);
        }
        _position += count;
        return count;
    }

    private int ReadSource(Span<byte> buffer)
    {
        Failed = true;
        var read = source.Read(buffer);
        Failed = false;
        return read;
    }
}
