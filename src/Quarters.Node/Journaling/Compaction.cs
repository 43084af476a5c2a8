using System.Globalization;
using Quarters.Linux.Files;
using ZstdSharp;

namespace Quarters.Node;

public sealed partial class Journal<TEvent>
{
    /// <summary>How a compressed segment's name ends.</summary>
    private const string CompressedSuffix = SegmentSuffix + ".zst";

    /// <summary>Level 6 of zstd makes a tenth of what JSON needs, at some hundred megabytes a second.</summary>
    private const int CompressionLevel = 6;

    /// <summary>Compresses the segments that no start needs any more, because the snapshot has what they say. Nothing
    /// is lost: <c>zstdcat</c> prints them, and a start without a snapshot reads them.</summary>
    private void Compact()
    {
        var segments = Segments();
        // The one after it tells where a segment ends; the last is open.
        foreach (var (segment, next) in segments.Zip(segments.Skip(1)))
        {
            if (next.FirstSeq > _snapshotSeq + 1)
                return;
            if (segment.IsCompressed)
                continue;
            using var compressor = new Compressor(CompressionLevel);
            DurableFile.Replace(
                _disk, Path.ChangeExtension(segment.Path, CompressedSuffix),
                compressor.Wrap(File.ReadAllBytes(segment.Path)));
            // Only now is it there twice, whatever happens.
            _disk.Delete(segment.Path);
        }
    }

    private static byte[] Content(Segment segment)
    {
        var bytes = File.ReadAllBytes(segment.Path);
        if (!segment.IsCompressed)
            return bytes;
        try
        {
            using var decompressor = new Decompressor();
            return decompressor.Unwrap(bytes).ToArray();
        }
        catch (ZstdException e)
        {
            throw new JournalDamagedException($"{segment.Path} cannot be decompressed: {e.Message}", e);
        }
    }

    private List<Segment> Segments()
    {
        var segments = new SortedDictionary<long, Segment>();
        foreach (var path in Directory.EnumerateFiles(_settings.Segments))
        {
            var isCompressed = path.EndsWith(CompressedSuffix, StringComparison.Ordinal);
            if (!isCompressed && !path.EndsWith(SegmentSuffix, StringComparison.Ordinal))
                continue;
            var name = Path.GetFileName(path)[..^(isCompressed ? CompressedSuffix : SegmentSuffix).Length];
            if (!long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
                throw new JournalDamagedException($"{path}: a segment is named for its first event, in digits");
            // As long as it is there twice the first one counts: nobody compressed it to its end.
            if (!isCompressed || !segments.ContainsKey(seq))
                segments[seq] = new Segment(path, seq, isCompressed);
        }

        return [.. segments.Values];
    }

    private sealed record Segment(string Path, long FirstSeq, bool IsCompressed);
}
