namespace Quarters.Simulation.World;

/// <summary>A document that a node shows: its newest version, a few older ones for what a cache may answer, and those
/// who wait for news of it.</summary>
internal sealed class Published<T>(Agenda agenda)
    where T : class
{
    /// <summary>Caches are as stale as this at most.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(60);

    private readonly LinkedList<(T Value, long Version, TimeSpan Until)> _older = new();
    private List<Action> _waiting = [];
    private T? _value;

    /// <summary>Its version; 0 before the first.</summary>
    public long Version { get; private set; }

    /// <summary>The newest; null before the first, and before the first of a new life.</summary>
    public T? Value => _value;

    /// <summary>Whether older versions are worth keeping: only where a cache is in front.</summary>
    public bool HasCache { get; init; }

    /// <summary>Shows a new version, and answers those who wait.</summary>
    public void Set(T value)
    {
        if (HasCache && _value is not null)
        {
            _older.AddLast((_value, Version, agenda.Now));
            while (_older.First is { } first && first.Value.Until < agenda.Now - Remembered) _older.RemoveFirst();
        }

        _value = value;
        Version++;
        var waiting = _waiting;
        _waiting = [];
        foreach (var answer in waiting) answer();
    }

    /// <summary>The version that a cache of this age would answer with.</summary>
    public (T? Value, long Version) AsOf(TimeSpan moment)
    {
        foreach (var (value, version, until) in _older)
        {
            if (until > moment) return (value, version);
        }

        return (_value, Version);
    }

    /// <summary>Calls back at the next version.</summary>
    public void OnNext(Action answer) => _waiting.Add(answer);

    /// <summary>The node died: nobody waits any more, and its versions begin anew, under other tags. It answers again
    /// when it has something to show, which is after it has dropped what it had claimed.</summary>
    public void Forget()
    {
        _value = null;
        _waiting = [];
        _older.Clear();
        Version += 1000;
    }
}
