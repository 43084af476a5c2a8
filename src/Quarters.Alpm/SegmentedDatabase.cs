using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Quarters.Alpm;

/// <summary>A database that was written in segments, of which each can be read, or copied as it is, alone.</summary>
public sealed class SegmentedDatabase
{
    private readonly Stream _file;

    private SegmentedDatabase(Stream file, ImmutableArray<StoredSegment> segments)
    {
        _file = file;
        Segments = segments;
    }

    /// <summary>Its segments in the order of the names.</summary>
    public ImmutableArray<StoredSegment> Segments { get; }

    /// <summary>Reads where the segments are.</summary>
    /// <param name="file">Can be sought in. It must stay open as long as this is used, and is not closed by it.</param>
    /// <returns>Null when it is no segmented database, or is damaged at its end.</returns>
    public static SegmentedDatabase? Open(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return SegmentTable.Read(file) is { } segments ? new SegmentedDatabase(file, segments) : null;
    }

    /// <summary>The segment that a package of this name is in, if it is there at all; null before the first.</summary>
    public StoredSegment? Find(string name)
    {
        int low = 0, high = Segments.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (string.CompareOrdinal(Segments[middle].First, name) <= 0) low = middle + 1;
            else high = middle;
        }

        return low == 0 ? null : Segments[low - 1];
    }

    /// <summary>A segment's bytes; null when they are not those that were written.</summary>
    public byte[]? TryCopy(StoredSegment segment)
    {
        ArgumentNullException.ThrowIfNull(segment);
        var bytes = new byte[segment.Length];
        _file.Position = segment.Offset;
        _file.ReadExactly(bytes);
        return Convert.ToHexStringLower(SHA256.HashData(bytes)) == segment.Sha256 ? bytes : null;
    }

    /// <summary>The entries of one segment.</summary>
    /// <exception cref="AlpmFormatException">It is damaged.</exception>
    public IReadOnlyList<SyncEntry> Read(StoredSegment segment, SyncReadLimits limits)
    {
        var bytes = TryCopy(segment)
            ?? throw new AlpmFormatException("database", $"the segment from '{segment.First}' on is damaged");
        // With the end of an archive behind it a segment is a database.
        using var whole = new MemoryStream([.. bytes, .. SegmentTable.End.Span]);
        return [.. SyncDatabase.Read(whole, limits)];
    }
}
