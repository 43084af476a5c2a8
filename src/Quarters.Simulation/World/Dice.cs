namespace Quarters.Simulation.World;

/// <summary>
/// Chance that comes out the same for the same seed, in every version of .NET: SplitMix64 (Steele, Lea, Flood 2014).
/// </summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    /// <summary>Dice of their own for something named, so that its chances do not hang on what others throw.</summary>
    public Dice For(string name)
    {
        // FNV-1a, 64 bits.
        var hash = 14695981039346656037UL;
        foreach (var c in name) hash = (hash ^ c) * 1099511628211UL;
        return new Dice(_state ^ hash);
    }

    /// <summary>From 0 to below 1.</summary>
    public double Next()
    {
        var z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>From 0 to below a bound.</summary>
    public int Below(int bound) => (int)(Next() * bound);

    /// <summary>Whether something of this probability happens.</summary>
    public bool Chance(double probability) => Next() < probability;

    /// <summary>A time between two others, all alike.</summary>
    public TimeSpan Between(TimeSpan least, TimeSpan most) => least + ((most - least) * Next());

    /// <summary>A time until something that happens once in <paramref name="mean"/> on average.</summary>
    public TimeSpan Until(TimeSpan mean) => mean * -Math.Log(1 - Next());
}
