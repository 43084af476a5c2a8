namespace Quarters.Simulation.Checking;

/// <summary>What a builder remembers of others does not grow with time or with the farm.</summary>
internal sealed class MemoryIsBounded : IChecker
{
    /// <summary>Entries of one builder's memory beside the documents that it read last.</summary>
    private const int MostRemembered = 1000;

    public string? MinutePassed(SimulatedFarm farm)
    {
        var most = farm.Builders.MaxBy(b => b.Remembered);
        return most is not null && most.Remembered > MostRemembered
            ? $"{most.Name} remembers {most.Remembered} things"
            : null;
    }
}
