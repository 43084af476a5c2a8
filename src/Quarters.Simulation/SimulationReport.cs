using System.Collections.Immutable;
using Quarters.Core.Planning;

namespace Quarters.Simulation;

/// <summary>What a simulated farm did.</summary>
public sealed record SimulationReport
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = "quarters/simulation/1";

    /// <summary>What decided all chances.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How much went wrong.</summary>
    public required FaultLevel Faults { get; init; }

    /// <summary>Builders in the farm.</summary>
    public required int Builders { get; init; }

    /// <summary>Jobs that were to be built.</summary>
    public required int Jobs { get; init; }

    /// <summary>Jobs that were built.</summary>
    public required int Built { get; init; }

    /// <summary>Jobs that are broken.</summary>
    public required int Broken { get; init; }

    /// <summary>Jobs that wait for a broken one.</summary>
    public required int Blocked { get; init; }

    /// <summary>From the start to the last result, in seconds.</summary>
    public required double MakespanSeconds { get; init; }

    /// <summary>The longest chain of jobs after cycles were cut, all on the fastest builder, in seconds.</summary>
    public required double PathSeconds { get; init; }

    /// <summary>All work divided by the speed of all builders, in seconds.</summary>
    public required double WorkSeconds { get; init; }

    /// <summary>What no farm of these builders could be faster than, in seconds.</summary>
    public double LowerBoundSeconds => Math.Max(PathSeconds, WorkSeconds);

    /// <summary>How many times the lower bound it took.</summary>
    public double Ratio => LowerBoundSeconds > 0 ? Math.Round(MakespanSeconds / LowerBoundSeconds, 4) : 0;

    /// <summary>Builds that began.</summary>
    public required int Builds { get; init; }

    /// <summary>Builds of an attempt that as many other builders as were wanted built at that time.</summary>
    public required int Duplicates { get; init; }

    /// <summary>The part of the builders' time that they built.</summary>
    public required double Utilisation { get; init; }

    /// <summary>Questions that a builder asked in a minute, by what it asked for, on average over builders and
    /// time.</summary>
    public required ImmutableSortedDictionary<string, double> PullsPerBuilderMinuteOf { get; init; }

    /// <summary>Questions that a builder asked in a minute, on average over builders and time.</summary>
    public required double PullsPerBuilderMinute { get; init; }

    /// <summary>The most that one builder asked within a minute.</summary>
    public required int MostPullsInAMinute { get; init; }

    /// <summary>Questions that the master asked, in a minute.</summary>
    public required double MasterPullsPerMinute { get; init; }

    /// <summary>What the checkers complained about; empty when every promise was kept.</summary>
    public required ImmutableArray<string> Findings { get; init; }

    /// <summary>The command that does all of it again.</summary>
    public required string Again { get; init; }

    internal static SimulationReport Of(
        SimulatedFarm farm, IReadOnlyList<SimulatedPackage> packages, ImmutableArray<double> weights, int independent,
        ulong seed, FaultLevel faults, string again)
    {
        var jobs = farm.Master.State.Jobs.Values;
        var makespan = farm.Now.TotalSeconds;
        var minutes = Math.Max(1.0 / 60, makespan / 60);
        return new SimulationReport
        {
            Seed = seed,
            Faults = faults,
            Builders = weights.Length,
            Jobs = farm.Master.State.Jobs.Count,
            Built = jobs.Count(j => j.Status == JobStatus.Built),
            Broken = jobs.Count(j => j.Status == JobStatus.Failed),
            Blocked = jobs.Count(j => j.Status == JobStatus.Blocked),
            MakespanSeconds = Math.Round(makespan, 1),
            PathSeconds = Math.Round(farm.Outlook.PathSeconds / weights.Max(), 1),
            WorkSeconds = Math.Round(packages.Sum(p => p.Seconds) * independent / weights.Sum(), 1),
            Builds = farm.Watch.Builds,
            Duplicates = farm.Watch.Duplicates,
            Utilisation = Math.Round(farm.Watch.BusySeconds / (makespan * weights.Length), 4),
            PullsPerBuilderMinuteOf = farm.Builders.SelectMany(b => b.PullsOf)
                .GroupBy(p => p.Key, StringComparer.Ordinal)
                .ToImmutableSortedDictionary(
                    g => g.Key, g => Math.Round(g.Sum(p => p.Value) / minutes / weights.Length, 2),
                    StringComparer.Ordinal),
            PullsPerBuilderMinute = Math.Round(farm.Builders.Average(b => b.Pulls) / minutes, 2),
            MostPullsInAMinute = farm.Builders.Max(b => b.MostPullsInAMinute),
            MasterPullsPerMinute = Math.Round(farm.Master.Pulls / minutes, 2),
            Again = again,
            Findings = [.. farm.Watch.Findings],
        };
    }
}
