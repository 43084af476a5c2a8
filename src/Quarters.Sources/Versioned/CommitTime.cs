namespace Quarters.Sources.Versioned;

/// <summary>Times of commits, which anybody may have set to anything.</summary>
internal static class CommitTime
{
    private const long Latest = 253402300799; // the end of the year 9999

    internal static DateTimeOffset Of(long seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, 0, Latest));
}
