namespace Quarters.Simulation.World;

/// <summary>What every simulated node has: a place in the network, a clock that may be wrong, lives that end.</summary>
internal abstract class SimulatedNode(Agenda agenda, int number, TimeSpan skew)
{
    /// <summary>When virtual time begins.</summary>
    public static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Its place in the network.</summary>
    public int Number { get; } = number;

    /// <summary>Whether its process runs.</summary>
    public bool IsUp { get; private set; }

    /// <summary>Its life: what an earlier one began must not touch this one.</summary>
    public int Life { get; private set; }

    /// <summary>How many pulls it made.</summary>
    public long Pulls { get; private set; }

    /// <summary>How many of them asked for what.</summary>
    public SortedDictionary<string, long> PullsOf { get; } = new(StringComparer.Ordinal);

    /// <summary>The most that it made within a minute.</summary>
    public int MostPullsInAMinute { get; private set; }

    /// <summary>What was asked for in that minute, and how often.</summary>
    public IReadOnlyDictionary<string, int> BusiestMinute { get; private set; } =
        new SortedDictionary<string, int>(StringComparer.Ordinal);

    /// <summary>Virtual time.</summary>
    protected Agenda Agenda { get; } = agenda;

    /// <summary>Its own idea of what time it is.</summary>
    public DateTimeOffset Clock => Epoch + Agenda.Now + skew;

    private long _minute;
    private int _pullsInMinute;
    private SortedDictionary<string, int> _inMinute = new(StringComparer.Ordinal);

    /// <summary>The process starts.</summary>
    public void Start()
    {
        IsUp = true;
        Life++;
        Begin();
    }

    /// <summary>The process is killed, or the power fails: what was not on disk is gone.</summary>
    public void Crash()
    {
        IsUp = false;
        Life++;
        End();
    }

    /// <summary>Counts a pull.</summary>
    /// <param name="what">What was asked for.</param>
    public void CountPull(string what)
    {
        PullsOf[what] = PullsOf.GetValueOrDefault(what) + 1;
        Pulls++;
        var minute = Agenda.Now.Ticks / TimeSpan.TicksPerMinute;
        if (minute != _minute) (_minute, _pullsInMinute, _inMinute) = (minute, 0, new(StringComparer.Ordinal));
        _inMinute[what] = _inMinute.GetValueOrDefault(what) + 1;
        if (++_pullsInMinute > MostPullsInAMinute)
            (MostPullsInAMinute, BusiestMinute) = (_pullsInMinute, _inMinute);
    }

    /// <summary>Does something later, if it still lives this life then.</summary>
    public void Later(TimeSpan delay, Action action)
    {
        var life = Life;
        Agenda.After(delay, () =>
        {
            if (IsUp && Life == life) action();
        });
    }

    protected abstract void Begin();

    protected abstract void End();
}
