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

    private readonly JournalSettings _settings;
    private readonly IDisk _disk;
    private readonly JsonTypeInfo<TEvent> _eventInfo;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FileLock? _held;
    private readonly Lock _durableGate = new();

    private ArrayBufferWriter<byte> _buffer = new();
    private IAppendFile? _open;
    private string _openName = "";
    private long _durableLength;
    private bool _recovered;
    private Exception? _broken;
    private long _lastSeq;
    private long _snapshotSeq;
    private string _lastHash = JournalLine<TEvent>.NoHash;
    private DateTimeOffset _lastTime;
    private long _eventsSinceSnapshot;
    private long _bytesSinceSnapshot;

    /// <summary>Takes the journal in a directory, which is made if it is missing.</summary>
    /// <exception cref="IOException">Another process has it, or the disk refuses.</exception>
    public Journal(JournalSettings settings, IDisk disk, JsonTypeInfo<TEvent> eventInfo, TimeProvider time,
        ILogger logger)
        : this(settings, disk, eventInfo, time, logger, Take(settings, disk))
    {
    }

    /// <summary>Without the lock nothing may be changed: see <see cref="JournalLook"/>.</summary>
    internal Journal(JournalSettings settings, IDisk disk, JsonTypeInfo<TEvent> eventInfo, TimeProvider time,
        ILogger logger, FileLock? held)
    {
        _settings = settings;
        _disk = disk;
        _eventInfo = eventInfo;
        _time = time;
        _logger = logger;
        _held = held;
    }

    /// <summary>The number of the last event; 0 before the first.</summary>
    public long LastSeq => _lastSeq;

    /// <summary>Whether enough happened since the last snapshot to write another.</summary>
    public bool SnapshotDue =>
        _eventsSinceSnapshot >= _settings.SnapshotEvents || _bytesSinceSnapshot >= _settings.SnapshotBytes;

    /// <summary>Whether nothing may be changed: another process may have the journal.</summary>
    private bool IsLook => _held is null;

    /// <summary>Where the segments are: what <c>/v1/journal/</c> shows, each to its <see
    /// cref="DurableLength"/>.</summary>
    public string SegmentsDirectory => _settings.Segments;

    /// <summary>How much of a segment may be shown, in bytes: what would survive if the machine died now. Null: all of
    /// it. May be asked from any thread.</summary>
    public long? DurableLength(string segmentName)
    {
        lock (_durableGate)
            return segmentName == _openName ? _durableLength : null;
    }

    /// <summary>
    /// Writes events and returns when the device has them: after a crash either all of them are there or none.
    /// </summary>
    /// <exception cref="IOException">The disk refused. What reached it is not known, so this journal takes no more
    /// events; opening it again finds out.</exception>
    public IReadOnlyList<JournalEntry<TEvent>> Append(IReadOnlyList<TEvent> batch)
    {
        if (!_recovered)
            throw new InvalidOperationException("A journal takes events only after it was recovered");
        if (_broken is not null)
            throw new IOException("The journal takes no more events since one could not be written", _broken);
        if (batch.Count == 0)
            return [];
        var entries = new JournalEntry<TEvent>[batch.Count];
        var now = _time.GetUtcNow();
        var (hash, at) = (_lastHash, now > _lastTime ? now : _lastTime);
        _buffer.ResetWrittenCount();
        for (var i = 0; i < batch.Count; i++)
        {
            entries[i] = new JournalEntry<TEvent>(_lastSeq + 1 + i, at, batch[i]);
            hash = JournalLine<TEvent>.Write(_buffer, entries[i].Seq, at, hash, i < batch.Count - 1, batch[i],
                _eventInfo);
        }

        try
        {
            WriteDurably(_buffer.WrittenSpan);
        }
        catch (Exception e)
        {
            _broken = e;
            throw;
        }

        (_lastSeq, _lastHash, _lastTime) = (entries[^1].Seq, hash, at);
        _eventsSinceSnapshot += batch.Count;
        _bytesSinceSnapshot += _buffer.WrittenCount;
        if (_buffer.Capacity > KeptBufferBytes)
            _buffer = new ArrayBufferWriter<byte>();
        NodeMeter.JournalEvents.Add(batch.Count);
        return entries;
    }

    /// <summary>Stores the state as it is after the last event, so that the next start need not read what led to
    /// it; what no start needs any more is compressed.</summary>
    /// <exception cref="IOException">The disk refused; the snapshot before stands, or the segments stay as they
    /// were.</exception>
    public void WriteSnapshot<TState>(TState state, JsonTypeInfo<TState> stateInfo)
    {
        DurableFile.Replace(
            _disk, _settings.Snapshot, Snapshot.Bytes(_lastSeq, _lastHash, _lastTime, state, stateInfo));
        _snapshotSeq = _lastSeq;
        _eventsSinceSnapshot = 0;
        _bytesSinceSnapshot = 0;
        Compact();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _open?.Dispose();
        _held?.Dispose();
    }

    private static FileLock Take(JournalSettings settings, IDisk disk)
    {
        disk.CreateDirectory(settings.Segments);
        disk.SyncDirectory(settings.Directory);
        return Hold(settings.Directory);
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
        if (_open is null || _open.Length >= _settings.SegmentBytes)
            BeginSegment();
        _open!.Append(bytes);
        var started = _time.GetTimestamp();
        _open.Sync();
        NodeMeter.JournalSync.Record(_time.GetElapsedTime(started).TotalSeconds);
        lock (_durableGate)
            _durableLength = _open.Length;
    }

    private void BeginSegment()
    {
        _open?.Dispose();
        _open = null;
        var name = (_lastSeq + 1).ToString("D12", CultureInfo.InvariantCulture) + SegmentSuffix;
        var path = Path.Combine(_settings.Segments, name);
        _open = _disk.OpenAppend(path);
        lock (_durableGate)
            (_openName, _durableLength) = (name, _open.Length);
        _disk.SyncDirectory(_settings.Segments);
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
