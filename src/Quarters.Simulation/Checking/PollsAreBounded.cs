namespace Quarters.Simulation.Checking;

/// <summary>However large the farm is, a builder asks no more often than this.</summary>
internal sealed class PollsAreBounded : IChecker
{
    /// <summary>
    /// Questions of one builder within a minute: a look at eight peers every two seconds would be 240; the queue, the
    /// digest, the job and the check after the claim come to it.
    /// </summary>
    public const int MostInAMinute = 320;

    public string? MinutePassed(SimulatedFarm farm)
    {
        var most = farm.Builders.MaxBy(b => b.MostPullsInAMinute);
        return most is not null && most.MostPullsInAMinute > MostInAMinute
            ? $"{most.Name} asked {most.MostPullsInAMinute} times within a minute"
            : null;
    }
}
