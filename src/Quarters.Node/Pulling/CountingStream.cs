namespace Quarters.Node;

/// <summary>What comes from a peer, each read telling the deadline how much that was.</summary>
internal sealed class CountingStream(Stream inner, Deadline deadline) : Stream
{
    private uint _tail;

    /// <summary>The last four bytes that came, little-endian: at the end of a gzip file, its decoded length modulo 2^32
    /// (RFC 1952, 2.3.1).</summary>
    internal uint Tail => _tail;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        foreach (var last in buffer.Span[Math.Max(0, read - 4)..read])
            _tail = (_tail >> 8) | ((uint)last << 24);
        deadline.Received(read);
        NodeMeter.BytesPulled.Add(read);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
        // Nothing is ever written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
