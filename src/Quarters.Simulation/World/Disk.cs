namespace Quarters.Simulation.World;

/// <summary>
/// The journal of a simulated node: what is appended is there only once it was synced, and a crash before that loses
/// it.
/// </summary>
internal sealed class Disk<TEvent>(Agenda agenda, Dice dice)
{
    private readonly List<(TEvent Event, DateTimeOffset Time)> _synced = [];
    private int _writes;

    /// <summary>Everything that would be read after a crash, in order.</summary>
    public IReadOnlyList<(TEvent Event, DateTimeOffset Time)> Synced => _synced;

    /// <summary>Writes events, and calls back when they are synced.</summary>
    public void Append(IReadOnlyList<TEvent> events, DateTimeOffset time, Action synced)
    {
        var number = ++_writes;
        agenda.After(dice.Between(TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(15)), () =>
        {
            // A crash has come in between.
            if (number != _writes) return;
            foreach (var happened in events) _synced.Add((happened, time));
            synced();
        });
    }

    /// <summary>The node dies: what was not synced is lost.</summary>
    public void Crash() => _writes++;

    /// <summary>Forgets what a snapshot stands for.</summary>
    public void Compact() => _synced.Clear();
}
