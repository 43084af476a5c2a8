using System.Buffers;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Quarters.Linux.Files;

namespace Quarters.Node;

/// <summary>
/// What a node remembers: its events in the order in which they happened, in files that only grow. A state is a fold
/// over them; <see cref="Recover"/> is that fold, made short by a snapshot.
/// One thread at a time may append; one process at a time may have it open.
/// </summary>
public sealed partial class Journal<TEvent> : IDisposable
{
    private const string SegmentSuffix = ".jsonl";

    /// <summary>What most batches need. A source's first report needs hundreds of times as much, once.</summary>
    private const int KeptBufferBytes = 256 * 1024;

    private static readonly TimeSpan LockWithin = TimeSpan.FromSeconds(1);

    private readonly JournalSettings settings;
    private readonly IDisk disk;
    private readonly JsonTypeInfo<TEvent> eventInfo;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly FileLock held;
    private readonly Lock durableGate = new();

    private ArrayBufferWriter<byte> buffer = new();
    private IAppendFile? open;
    private string openName = "";
    private long durableLength;
    private bool recovered;
    private Exception? broken;
    private long lastSeq;
    private long snapshotSeq;
    private string lastHash = JournalLine<TEvent>.NoHash;
    private DateTimeOffset lastTime;
    private long eventsSinceSnapshot;
    private long bytesSinceSnapshot;

    /// <summary>Takes the journal in a directory, which is made if it is missing.</summary>
    /// <exception cref="IOException">Another process has it, or the disk refuses.</exception>
    public Journal(JournalSettings settings, IDisk disk, JsonTypeInfo<TEvent> eventInfo, TimeProvider time,
        ILogger logger)
    {
        this.settings = settings;
        this.disk = disk;
        this.eventInfo = eventInfo;
        this.time = time;
        this.logger = logger;
        disk.CreateDirectory(settings.Segments);
        disk.SyncDirectory(settings.Directory);
        held = Hold(settings.Directory);
    }

    /// <summary>The number of the last event; 0 before the first.</summary>
    public long LastSeq => lastSeq;

    /// <summary>Whether enough happened since the last snapshot to write another.</summary>
    public bool SnapshotDue =>
        eventsSinceSnapshot >= settings.SnapshotEvents || bytesSinceSnapshot >= settings.SnapshotBytes;

    /// <summary>Where the segments are: what <c>/v1/journal/</c> shows, each to its <see
    /// cref="DurableLength"/>.</summary>
    public string SegmentsDirectory => settings.Segments;

    /// <summary>How much of a segment may be shown, in bytes: what would survive if the machine died now. Null: all of
    /// it. May be asked from any thread.</summary>
    public long? DurableLength(string segmentName)
    {
        lock (durableGate)
            return segmentName == openName ? durableLength : null;
    }

    /// <summary>
    /// Writes events and returns when the device has them: after a crash either all of them are there or none.
    /// </summary>
    /// <exception cref="IOException">The disk refused. What reached it is not known, so this journal takes no more
    /// events; opening it again finds out.</exception>
    public IReadOnlyList<JournalEntry<TEvent>> Append(IReadOnlyList<TEvent> batch)
    {
        if (!recovered)
            throw new InvalidOperationException("A journal takes events only after it was recovered");
        if (broken is not null)
            throw new IOException("The journal takes no more events since one could not be written", broken);
        if (batch.Count == 0)
            return [];
        var entries = new JournalEntry<TEvent>[batch.Count];
        var now = time.GetUtcNow();
        var (hash, at) = (lastHash, now > lastTime ? now : lastTime);
        buffer.ResetWrittenCount();
        for (var i = 0; i < batch.Count; i++)
        {
            entries[i] = new JournalEntry<TEvent>(lastSeq + 1 + i, at, batch[i]);
            hash = JournalLine<TEvent>.Write(buffer, entries[i].Seq, at, hash, i < batch.Count - 1, batch[i],
                eventInfo);
        }

        try
        {
            WriteDurably(buffer.WrittenSpan);
        }
        catch (Exception e)
        {
            broken = e;
            throw;
        }

        (lastSeq, lastHash, lastTime) = (entries[^1].Seq, hash, at);
        eventsSinceSnapshot += batch.Count;
        bytesSinceSnapshot += buffer.WrittenCount;
        if (buffer.Capacity > KeptBufferBytes)
            buffer = new ArrayBufferWriter<byte>();
        NodeMeter.JournalEvents.Add(batch.Count);
        return entries;
    }

    /// <summary>Stores the state as it is after the last event, so that the next start need not read what led to
    /// it; what no start needs any more is compressed.</summary>
    /// <exception cref="IOException">The disk refused; the snapshot before stands, or the segments stay as they
    /// were.</exception>
    public void WriteSnapshot<TState>(TState state, JsonTypeInfo<TState> stateInfo)
    {
        DurableFile.Replace(disk, settings.Snapshot, Snapshot.Bytes(lastSeq, lastHash, lastTime, state, stateInfo));
        snapshotSeq = lastSeq;
        eventsSinceSnapshot = 0;
        bytesSinceSnapshot = 0;
        Compact();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        open?.Dispose();
        held.Dispose();
    }

    private static FileLock Hold(string directory)
    {
        // A child that another thread starts has all that is open for a moment before it becomes another program: so a
        // lock that was given back may seem to be held a little longer.
        var path = Path.Combine(directory, "lock");
        FileLock? taken = null;
        return SpinWait.SpinUntil(() => (taken = FileLock.TryAcquire(path)) is not null, LockWithin)
            ? taken!
            : throw new IOException($"Another process works in {directory}; only one may");
    }

    private void WriteDurably(ReadOnlySpan<byte> bytes)
    {
        if (open is null || open.Length >= settings.SegmentBytes)
            BeginSegment();
        open!.Append(bytes);
        var started = time.GetTimestamp();
        open.Sync();
        NodeMeter.JournalSync.Record(time.GetElapsedTime(started).TotalSeconds);
        lock (durableGate)
            durableLength = open.Length;
    }

    private void BeginSegment()
    {
        open?.Dispose();
        open = null;
        var name = (lastSeq + 1).ToString("D12", CultureInfo.InvariantCulture) + SegmentSuffix;
        var path = Path.Combine(settings.Segments, name);
        open = disk.OpenAppend(path);
        lock (durableGate)
            (openName, durableLength) = (name, open.Length);
        disk.SyncDirectory(settings.Segments);
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Path}: the last {Bytes} bytes were not finished when the machine stopped, so never acknowledged: "
            + "they are cut off")]
    private partial void LogCut(string path, long bytes);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Path} cannot be used ({Why}); the whole journal is read instead")]
    private partial void LogSnapshotUnusable(string path, string why);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Directory}: {Events} events read, the last is number {Seq}")]
    private partial void LogRecovered(string directory, long events, long seq);
}
