namespace Quarters.Simulation.World;

/// <summary>Virtual time: what is to happen, in order. What is due at the same moment happens in the order in which it
/// was planned.</summary>
internal sealed class Agenda
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Number)> _planned = new();
    private long _number;

    /// <summary>Now.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>How many things have happened.</summary>
    public long Happened { get; private set; }

    /// <summary>Plans something.</summary>
    public void After(TimeSpan delay, Action action) =>
        _planned.Enqueue(action, (Now + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero), _number++));

    /// <summary>Lets time pass until something is so, or nothing is planned any more before an end.</summary>
    /// <param name="isDone">Asked after each thing that happens.</param>
    /// <param name="end">No later than this.</param>
    /// <returns>Whether it came to be so.</returns>
    public bool RunUntil(Func<bool> isDone, TimeSpan end)
    {
        while (!isDone())
        {
            if (!_planned.TryPeek(out var action, out var due) || due.At > end) return false;
            _planned.Dequeue();
            Now = due.At;
            Happened++;
            action();
        }

        return true;
    }
}
