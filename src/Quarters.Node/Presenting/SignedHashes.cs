namespace Quarters.Node;

/// <summary>The hashes of what is published and of what was published lately: those that the node will sign.</summary>
internal sealed class SignedHashes
{
    /// <summary>So many versions that were replaced are still signed, for readers that fetched one just
    /// before.</summary>
    private const int RetiredLimit = 16_384;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Queue<string> _retired = new();

    internal void Add(Document document)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(document.Sha256, out var entry))
                _entries.Add(document.Sha256, entry = new Entry(document.Length));
            entry.Current++;
        }
    }

    internal void Retire(Document document)
    {
        lock (_gate)
        {
            if (--_entries[document.Sha256].Current == 0)
                KeepForAWhile(document.Sha256);
        }
    }

    /// <summary>Adds a document that nobody takes away: it is forgotten like those that were replaced.</summary>
    internal void AddRetired(Document document)
    {
        lock (_gate)
        {
            if (_entries.TryAdd(document.Sha256, new Entry(document.Length)))
                KeepForAWhile(document.Sha256);
        }
    }

    /// <summary>The size of the document with this hash, or null when it was not published here.</summary>
    internal long? Length(string sha256)
    {
        lock (_gate)
            return _entries.TryGetValue(sha256, out var entry) ? entry.Length : null;
    }

    private void KeepForAWhile(string sha256)
    {
        _retired.Enqueue(sha256);
        if (_retired.Count > RetiredLimit && _retired.Dequeue() is var oldest
            && _entries.TryGetValue(oldest, out var entry) && entry.Current == 0)
            _entries.Remove(oldest);
    }

    private sealed class Entry(long length)
    {
        internal long Length => length;

        internal int Current { get; set; }
    }
}
