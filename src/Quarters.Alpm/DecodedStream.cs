namespace Quarters.Alpm;

/// <summary>A decoder's output: bounded, and with one kind of exception for every way in which data can be
/// bad.</summary>
internal sealed class DecodedStream(PeekStream source, Stream decoder, string document, long maxLength) : ReadStream
{
    /// <summary>Bytes that came out so far.</summary>
    public long DecodedLength { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = decoder.Read(buffer);
        }
        // The decoders name no closed set of exceptions for bad data (index out of range is among them).
        // What the source threw is not theirs, and running out of memory is nobody's.
        catch (Exception e) when (!source.Failed && e is not (AlpmFormatException or OutOfMemoryException))
        {
            throw new AlpmFormatException(document, $"the compressed data is corrupt or cut off ({e.Message})", e);
        }
        DecodedLength += read;
        return DecodedLength <= maxLength
            ? read : throw new AlpmFormatException(document, $"it unpacks to more than {maxLength} bytes");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) decoder.Dispose();
        base.Dispose(disposing);
    }
}
