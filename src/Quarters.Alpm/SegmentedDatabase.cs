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
        return ReadPart([.. bytes, .. SegmentTable.End.Span], limits);
    }

    /// <summary>All entries, in the order of the database, with several processors at once.</summary>
    /// <param name="limits">What it may cost.</param>
    /// <param name="parts">How many processors are to work.</param>
    /// <exception cref="AlpmFormatException">It is damaged, or exceeds a limit.</exception>
    public IReadOnlyList<SyncEntry> ReadAll(SyncReadLimits limits, int parts)
    {
        ArgumentNullException.ThrowIfNull(limits);
        byte[][] read = [.. Parts(Math.Max(1, parts))];
        var entries = new (SyncEntry[] Entries, AlpmFormatException? Problem)[read.Length];
        Parallel.For(0, read.Length, i => entries[i] = Attempt(() => ReadPart(read[i], limits)));
        if (Array.Find(entries, one => one.Problem is not null).Problem is { } problem) throw problem;
        SyncEntry[] all = [.. entries.SelectMany(one => one.Entries)];
        return all.Length <= limits.MaxEntries
            ? all : throw new AlpmFormatException("database", $"it has more than {limits.MaxEntries} entries");
    }

    /// <summary>A whole number of segments is a database when the end of an archive is behind it. It must be the only
    /// one: a reader of the whole stops at the first, and would not see what comes after it.</summary>
    private static SyncEntry[] ReadPart(byte[] part, SyncReadLimits limits)
    {
        using var stream = new MemoryStream(part);
        return [.. SyncDatabase.ReadEntries(stream, limits, SegmentTable.EndLength)];
    }

    private static (SyncEntry[] Entries, AlpmFormatException? Problem) Attempt(Func<SyncEntry[]> read)
    {
        try
        {
            return (read(), null);
        }
        catch (AlpmFormatException problem)
        {
            return ([], problem);
        }
    }

    /// <summary>The file in about as many pieces of about one length, none of which ends within a segment.</summary>
    private IEnumerable<byte[]> Parts(int count)
    {
        var mean = (Segments.Sum(segment => (long)segment.Length) / count) + 1;
        for (var i = 0; i < Segments.Length;)
        {
            var begin = Segments[i].Offset;
            var end = begin;
            while (i < Segments.Length && end - begin < mean) end += Segments[i++].Length;
            var part = new byte[checked((int)(end - begin)) + SegmentTable.End.Length];
            _file.Position = begin;
            _file.ReadExactly(part.AsSpan(0, (int)(end - begin)));
            SegmentTable.End.Span.CopyTo(part.AsSpan((int)(end - begin)));
            yield return part;
        }
    }
}
