using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Quarters.Linux.Files;

namespace Quarters.Node;

public sealed partial class Journal<TEvent>
{
    /// <summary>
    /// Reads what was written: the snapshot, then the events after it, each checked against the one before. What was
    /// not finished when the machine stopped is cut off the open segment; nothing else is ever changed.
    /// </summary>
    /// <param name="stateInfo">JSON of the state.</param>
    /// <param name="start">The state to begin with: made from the stored one, or from null when there is none.</param>
    /// <param name="apply">The state after an event.</param>
    /// <exception cref="JournalDamagedException">A file is damaged or missing.</exception>
    public TState Recover<TState>(JsonTypeInfo<TState> stateInfo, Func<TState?, TState> start,
        Func<TState, JournalEntry<TEvent>, TState> apply)
        where TState : class
    {
        if (_recovered)
            throw new InvalidOperationException("A journal is recovered once");
        if (!IsLook) DeleteUnfinished();
        // Before the segments: whatever a node that runs writes meanwhile, they have what this one does not know.
        var snapshot = ReadSnapshot(stateInfo);
        var segments = Segments();
        var state = start(snapshot?.State);
        if (snapshot is not null)
            (_lastSeq, _lastHash, _lastTime) = (snapshot.Seq, snapshot.Hash, snapshot.Time);

        var first = segments.FindLastIndex(segment => segment.FirstSeq <= _lastSeq + 1);
        if (first < 0 && (segments.Count > 0 || snapshot is not null))
            throw new JournalDamagedException(
                $"{_settings.Segments}: the segment with event {_lastSeq + 1} is missing");
        _snapshotSeq = _lastSeq;
        if (first >= 0)
        {
            // A segment that begins before the snapshot is read from its beginning, whose predecessor is not looked at.
            if (segments[first].FirstSeq <= _lastSeq)
                (_lastSeq, _lastHash) = (segments[first].FirstSeq - 1, "");
            foreach (var segment in segments[first..])
                ReplaySegment(segment, isOpen: segment == segments[^1] && !segment.IsCompressed, snapshot?.Hash,
                    entry => state = apply(state, entry));
        }

        if (_lastSeq < _snapshotSeq)
            throw new JournalDamagedException(
                $"{_settings.Segments}: the journal ends with event {_lastSeq}, "
                + $"but {_settings.Snapshot} knows event {_snapshotSeq}");
        _recovered = true;
        _eventsSinceSnapshot = _lastSeq - _snapshotSeq;
        LogRecovered(_settings.Directory, _eventsSinceSnapshot, _lastSeq);
        return state;
    }

    private void DeleteUnfinished()
    {
        _disk.Delete(_settings.Snapshot + DurableFile.TemporarySuffix);
        foreach (var unfinished in Directory.EnumerateFiles(_settings.Segments, "*" + DurableFile.TemporarySuffix))
            _disk.Delete(unfinished);
    }

    private Snapshot<TState>? ReadSnapshot<TState>(JsonTypeInfo<TState> stateInfo)
        where TState : class
    {
        if (!File.Exists(_settings.Snapshot))
            return null;
        try
        {
            return Snapshot.Read(File.ReadAllBytes(_settings.Snapshot), stateInfo);
        }
        catch (JsonException e)
        {
            // A snapshot only saves time: the journal has it all.
            LogSnapshotUnusable(_settings.Snapshot, e.Message);
            return null;
        }
    }

    private void ReplaySegment(Segment segment, bool isOpen, string? snapshotHash,
        Action<JournalEntry<TEvent>> apply)
    {
        if (segment.FirstSeq != _lastSeq + 1)
            throw new JournalDamagedException(
                $"{segment.Path}: its name says that it begins with event {segment.FirstSeq}, "
                + $"but event {_lastSeq + 1} comes next");
        var bytes = Content(segment);
        var pending = new List<JournalLine<TEvent>>();
        int at = 0, finished = 0, number = 0;
        while (at < bytes.Length && Array.IndexOf(bytes, (byte)'\n', at) is >= 0 and var end)
        {
            number++;
            var line = ReadLine(segment.Path, number, bytes.AsSpan(at, end - at), pending);
            pending.Add(line);
            at = end + 1;
            if (line.More)
                continue;
            foreach (var whole in pending)
            {
                if (whole.Seq == _snapshotSeq && whole.Hash != snapshotHash)
                    throw new JournalDamagedException(
                        $"{segment.Path}:{number}: event {whole.Seq} is not the one "
                        + $"that {_settings.Snapshot} was made after");
                if (whole.Seq > _snapshotSeq)
                    apply(new JournalEntry<TEvent>(whole.Seq, whole.Time, whole.Event));
            }

            (_lastSeq, _lastHash, _lastTime) = (line.Seq, line.Hash, line.Time);
            pending.Clear();
            finished = at;
        }

        if (finished < bytes.Length)
            Cut(segment.Path, bytes, finished, at, number + 1, isOpen);
        if (isOpen && !IsLook)
            Continue(segment.Path);
    }

    private JournalLine<TEvent> ReadLine(string path, int number, ReadOnlySpan<byte> text,
        List<JournalLine<TEvent>> pending)
    {
        JournalLine<TEvent> line;
        try
        {
            line = JournalLine<TEvent>.Read(text, _eventInfo);
        }
        catch (Exception e) when (
            e is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            throw new JournalDamagedException($"{path}:{number}: the line is damaged: {e.Message}", e);
        }

        var (seq, hash) = pending.Count > 0 ? (pending[^1].Seq, pending[^1].Hash) : (_lastSeq, _lastHash);
        if (line.Seq != seq + 1)
            throw new JournalDamagedException(
                $"{path}:{number}: event {line.Seq} follows event {seq}; what was between is lost");
        // "" when reading begins in the middle of the chain, with the events that led to the snapshot.
        if (hash.Length > 0 && line.Prev != hash)
            throw new JournalDamagedException(
                $"{path}:{number}: the line continues {line.Prev}, but the line before it is {hash}");
        return line;
    }

    private void Cut(string path, byte[] bytes, int finished, int tail, int number, bool isOpen)
    {
        if (!isOpen)
            throw new JournalDamagedException($"{path}:{number}: the segment ends in the middle, and later ones exist");
        // It may be written just now.
        if (IsLook)
            return;
        // A torn write never leaves a whole line and something else than a newline after it: that line was
        // acknowledged once.
        var text = bytes.AsSpan(tail);
        if (text.Length > 0 && IsWhole(text[..^1]))
            throw new JournalDamagedException($"{path}:{number}: the line is whole but does not end with a newline");
        LogCut(path, bytes.Length - finished);
        _disk.Truncate(path, finished);
    }

    private static bool IsWhole(ReadOnlySpan<byte> line)
    {
        try
        {
            JournalLine<JsonElement>.Read(line, JournalJson.Default.JsonElement);
            return true;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return false;
        }
    }

    private void Continue(string path)
    {
        _open = _disk.OpenAppend(path);
        // What was read may still be in memory only, and others will see it from now on. The name may be, too.
        _open.Sync();
        _disk.SyncDirectory(_settings.Segments);
        lock (_durableGate)
            (_openName, _durableLength) = (Path.GetFileName(path), _open.Length);
        _bytesSinceSnapshot = _open.Length;
    }
}
