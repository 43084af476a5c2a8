namespace Quarters.Node;

/// <summary>One event as the journal holds it.</summary>
/// <param name="Seq">1 for the first event of a node's life; grows by one.</param>
/// <param name="Time">When it was journaled, in UTC; never before the time of the entry before.</param>
/// <param name="Event">What happened.</param>
public sealed record JournalEntry<TEvent>(long Seq, DateTimeOffset Time, TEvent Event);

/// <summary>Where a journal is and how it is cut into files.</summary>
public sealed record JournalSettings
{
    /// <summary>Holds <c>journal/</c> with the segments, and <c>snapshot.jsonl</c>.</summary>
    public required string Directory { get; init; }

    /// <summary>A segment that has grown to this many bytes is closed for good and the next one begun.</summary>
    public long SegmentBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>A snapshot is due after this many events.</summary>
    public long SnapshotEvents { get; init; } = 10_000;

    /// <summary>A snapshot is due after this many bytes of journal.</summary>
    public long SnapshotBytes { get; init; } = 32 * 1024 * 1024;

    internal string Segments => Path.Combine(Directory, "journal");

    internal string Snapshot => Path.Combine(Directory, "snapshot.jsonl");
}

/// <summary>The journal on disk is not what was written: the sentence names file and line. Nothing was
/// changed.</summary>
public sealed class JournalDamagedException(string message, Exception? inner = null) : IOException(message, inner);
