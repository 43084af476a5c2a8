namespace Quarters.Simulation.Checking;

/// <summary>However large the farm is, a builder asks no more often than this.</summary>
internal sealed class PollsAreBounded : IChecker
{
    /// <summary>
    /// Questions of one builder within a minute. A fast builder ends a job of a few seconds and begins the next twenty
    /// times in a minute: each is looked at and then checked with five peers, and its document is followed. The queue
    /// and the digest come to it.
    /// </summary>
    public const int MostInAMinute = 480;

    public string? MinutePassed(SimulatedFarm farm)
    {
        var most = farm.Builders.MaxBy(b => b.MostPullsInAMinute);
        return most is not null && most.MostPullsInAMinute > MostInAMinute
            ? $"{most.Name} asked {most.MostPullsInAMinute} times within a minute: "
                + string.Join(", ", most.BusiestMinute.Select(asked => $"{asked.Key} {asked.Value}"))
            : null;
    }
}
