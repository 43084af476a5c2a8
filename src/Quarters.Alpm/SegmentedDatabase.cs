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
        return SegmentTable.Read(file, isTrusted: false) is { } segments ? new SegmentedDatabase(file, segments) : null;
    }

    /// <summary>As <see cref="Open"/>, to read all of it and for nothing else: the digest of the table is not compared.
    /// A length that is not as it was written is noticed all the same, and starting what digests costs a tenth of what
    /// `pacman -Sl` takes.</summary>
    /// <param name="file">Can be sought in. It must stay open as long as this is used, and is not closed by it.</param>
    /// <returns>Null when it is no segmented database, or is damaged at its end.</returns>
    public static SegmentedDatabase? OpenToReadAll(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return SegmentTable.Read(file, isTrusted: true) is { } segments ? new SegmentedDatabase(file, segments) : null;
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
        using var part = new Part(new MemoryStream(bytes), 0, bytes.Length);
        return [.. SyncDatabase.ReadEntries(part, new DescReader(), limits, SegmentTable.EndLength)];
    }

    /// <summary>All entries, in the order of the database, by several processors at once.</summary>
    /// <param name="limits">What it may cost.</param>
    /// <param name="parts">Into about how many parts it is cut.</param>
    /// <param name="forEach">Does something for each number below a given one, best at once.</param>
    /// <exception cref="AlpmFormatException">It is damaged, or exceeds a limit.</exception>
    public IReadOnlyList<SyncEntry> ReadAll(SyncReadLimits limits, int parts, Action<int, Action<int>> forEach) =>
        ReadAll(static () => new DescReader(), limits, parts, forEach);

    /// <summary>What packages there are, as <see cref="ReadAll(SyncReadLimits, int, Action{int, Action{int}})"/> gives
    /// the entries, and as <see cref="SyncDatabase.List"/> does it.</summary>
    public IReadOnlyList<ListedPackage> List(SyncReadLimits limits, int parts, Action<int, Action<int>> forEach) =>
        ReadAll(static () => new DescLister(), limits, parts, forEach);

    private List<T> ReadAll<T>(
        Func<IDescReader<T>> reader, SyncReadLimits limits, int parts, Action<int, Action<int>> forEach)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(forEach);
        var cut = Parts(Math.Max(1, parts));
        var done = new T[]?[cut.Count];
        var problems = new AlpmFormatException?[cut.Count];
        forEach(cut.Count, i =>
        {
            try
            {
                done[i] = [.. SyncDatabase.ReadEntries(cut[i], reader(), limits, SegmentTable.EndLength)];
            }
            catch (AlpmFormatException problem)
            {
                problems[i] = problem;
            }
        });
        if (Array.Find(problems, problem => problem is not null) is { } first) throw first;
        var all = new List<T>(done.Sum(static some => some!.Length));
        foreach (var some in done) all.AddRange(some!);
        return all.Count <= limits.MaxEntries
            ? all : throw new AlpmFormatException("database", $"it has more than {limits.MaxEntries} entries");
    }

    /// <summary>The file in about as many pieces of about one length, none of which ends within a segment.</summary>
    private List<Part> Parts(int count)
    {
        var parts = new List<Part>();
        var all = Segments.IsEmpty ? 0 : Segments[^1].Offset + Segments[^1].Length;
        var mean = (all / count) + 1;
        var begin = 0L;
        foreach (var segment in Segments)
        {
            var end = segment.Offset + segment.Length;
            if (end - begin < mean && end < all) continue;
            parts.Add(new Part(_file, begin, end));
            begin = end;
        }

        return parts;
    }

    /// <summary>A whole number of segments, with the end of an archive behind it: that is a database. It must be the
    /// only one: a reader of the whole stops at the first, and would not see what comes after it.</summary>
    /// <param name="file">Which others read too.</param>
    /// <param name="begin">Where the first segment begins.</param>
    /// <param name="end">Where the last one ends.</param>
    private sealed class Part(Stream file, long begin, long end) : ReadStream
    {
        private long _at = begin;

        public override int Read(Span<byte> buffer)
        {
            if (_at < end)
            {
                buffer = buffer[..(int)Math.Min(buffer.Length, end - _at)];
                lock (file)
                {
                    file.Position = _at;
                    var read = file.Read(buffer);
                    if (read == 0 && buffer.Length > 0) throw new EndOfStreamException("The file became shorter.");
                    _at += read;
                    return read;
                }
            }

            var rest = SegmentTable.End[(int)Math.Min(_at - end, SegmentTable.End.Length)..];
            rest = rest[..Math.Min(rest.Length, buffer.Length)];
            rest.CopyTo(buffer);
            _at += rest.Length;
            return rest.Length;
        }
    }
}
