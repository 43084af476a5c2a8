using System.Security.Cryptography;

namespace Quarters.Alpm;

/// <summary>
/// Writes a database as many zstd frames, one after the other, which pacman reads as if it were one: what did not
/// change since it was last written is copied as it is. The same segments give the same bytes, whatever was there
/// before.
/// </summary>
/// <param name="target">Written from where it stands, and left open.</param>
/// <param name="present">What there is to copy from; null for nothing.</param>
/// <param name="withFiles">Write a <c>.files</c> database; each entry must have its files.</param>
public sealed class SegmentedDatabaseWriter(Stream target, SegmentedDatabase? present, bool withFiles)
{
    private readonly Dictionary<string, StoredSegment> _present = (present?.Segments ?? [])
        .DistinctBy(segment => segment.Key).ToDictionary(segment => segment.Key, StringComparer.Ordinal);

    private readonly List<StoredSegment> _written = [];
    private long _offset;

    /// <summary>Writes the next segment by copying it; false when that is not possible.</summary>
    public bool TryCopy(DatabaseSegment segment)
    {
        ArgumentNullException.ThrowIfNull(segment);
        if (!_present.TryGetValue(segment.Key, out var stored)
            || present!.TryCopy(stored) is not { } bytes)
            return false;
        Append(segment, bytes);
        return true;
    }

    /// <summary>Writes the next segment.</summary>
    /// <param name="segment">Which packages are in it.</param>
    /// <param name="entries">What is to be said of them, in any order.</param>
    /// <exception cref="AlpmFormatException">A value of an entry cannot be written.</exception>
    /// <exception cref="ArgumentException">These are not the packages of the segment.</exception>
    public void Write(DatabaseSegment segment, IReadOnlyCollection<SyncEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(segment);
        ArgumentNullException.ThrowIfNull(entries);
        var sorted = entries.ToArray();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        if (!segment.Packages.SequenceEqual(
            sorted.Select(e => new PackageIdentity(e.Name, e.FileName, e.Sha256 ?? ""))))
            throw new ArgumentException($"these are not the packages of the segment {segment.First}", nameof(entries));
        using var bytes = new MemoryStream();
        using (var writer = new SyncDatabaseWriter(bytes, CompressionFormat.Zstandard, withFiles))
        {
            foreach (var entry in sorted.OrderBy(e => e.DirectoryName, Comparer<string>.Create(Utf8Order.Compare)))
                writer.Write(entry);
        }

        Append(segment, bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>Ends the archive, and says where its segments are; returns how many bytes were written in
    /// all.</summary>
    public long Finish()
    {
        var table = SegmentTable.Write(_written);
        target.Write(SegmentTable.End);
        target.Write(table);
        return _offset + SegmentTable.End.Length + table.Length;
    }

    private void Append(DatabaseSegment segment, ReadOnlySpan<byte> bytes)
    {
        target.Write(bytes);
        var digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        _written.Add(new StoredSegment(segment.First, segment.Key, digest, _offset, bytes.Length));
        _offset += bytes.Length;
    }
}
