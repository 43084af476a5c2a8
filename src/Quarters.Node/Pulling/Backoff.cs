namespace Quarters.Node;

/// <summary>Pauses after failures.</summary>
public static class Backoff
{
    /// <summary>How long to wait after so many failures in a row: doubled with each, and between half and the whole of
    /// that, so that those who lost something together do not come back together.</summary>
    /// <param name="failures">At least 1.</param>
    /// <param name="first">The longest pause after the first.</param>
    /// <param name="longest">No pause is longer.</param>
    /// <param name="random">From 0 to 1.</param>
    public static TimeSpan After(int failures, TimeSpan first, TimeSpan longest, double random)
    {
        var doubled = first.TotalSeconds * Math.Pow(2, Math.Clamp(failures - 1, 0, 30));
        return TimeSpan.FromSeconds(Math.Min(longest.TotalSeconds, doubled) * (0.5 + (random / 2)));
    }
}
