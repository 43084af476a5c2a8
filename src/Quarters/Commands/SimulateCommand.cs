using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Quarters.Core.Planning;
using Quarters.Simulation;

namespace Quarters.Commands;

/// <summary><c>quarters simulate</c>: a whole farm on virtual time.</summary>
internal static class SimulateCommand
{
    private const int MaxBuilders = 10_000;

    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);

    internal static Command Create()
    {
        var graph = new Option<FileInfo?>("--graph")
        {
            Description = "packages to rebuild, a JSON object a line, plain or compressed; without it a small random "
                + "distribution that the seed decides, as the tests use",
        };
        var builders = new Option<int>("--builders")
        {
            Description = "how many builders there are",
            DefaultValueFactory = _ => 8,
        };
        var weights = new Option<string>("--weights")
        {
            Description = "how fast they are, taken in turn: 2 needs half of the time that 1 needs",
            DefaultValueFactory = _ => "1",
        };
        var independent = new Option<int>("--independent")
        {
            Description = "how many builders must build each package, all the same, before it is published",
            DefaultValueFactory = _ => 1,
        };
        var seed = new Option<ulong>("--seed")
        {
            Description = "decides everything that is left to chance",
            DefaultValueFactory = _ => 1UL,
        };
        var faults = new Option<string>("--faults")
        {
            Description = "what goes wrong: none, bad or terrible",
            DefaultValueFactory = _ => "none",
        };
        faults.AcceptOnlyFromAmong("none", "bad", "terrible");
        var json = new Option<bool>("--json") { Description = "print the report as JSON" };
        var command = new Command(
            "simulate",
            "Run a farm of any size on virtual time: how long a rebuild takes, and whether every promise is kept. What "
                + "master and builders decide is decided by the program that decides it in a real farm.")
        {
            graph, builders, weights, independent, seed, faults, json,
        };
        command.SetAction(parsed =>
        {
            var level = Enum.Parse<FaultLevel>(parsed.GetRequiredValue(faults), ignoreCase: true);
            var count = Count(parsed.GetValue(builders));
            var each = Independent(parsed.GetValue(independent), count);
            var report = parsed.GetValue(graph) is { } file
                ? RunGraph(file, new SimulationWish(
                    file.ToString(), count, Weights(parsed.GetRequiredValue(weights)), each, parsed.GetValue(seed),
                    level))
                : Simulator.RunRandom(parsed.GetValue(seed), level, each);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
                output.WriteLine(JsonSerializer.Serialize(report, SimulationJson.Default.SimulationReport));
            else
                Write(report, output);
            return report.Findings.IsEmpty ? ExitCode.Done : ExitCode.Failed;
        });
        return command.WithExample("""
            quarters simulate --graph packages.jsonl.zst --builders 64 --weights 0.5,1,1,2
            What would five more bring? The same with --builders 69.
            quarters simulate --seed 17 --faults terrible      a small farm on a very bad day
            """);
    }

    private static SimulationReport RunGraph(FileInfo file, SimulationWish wish)
    {
        if (!file.Exists)
            throw new MistakeException($"there is no graph file {file}");
        DependencyGraph graph;
        using (var stream = file.OpenRead())
            graph = GraphFile.GraphOf(GraphFile.Read(stream, file.ToString()));
        if (graph.Nodes.IsEmpty)
            throw new MistakeException($"{file} names no package");
        var told = TimeProvider.System.GetTimestamp();
        return Simulator.RunGraph(graph, wish, progress =>
        {
            if (TimeProvider.System.GetElapsedTime(told) < BetweenLines)
                return;
            told = TimeProvider.System.GetTimestamp();
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"after {progress.Time.TotalHours:0.0} simulated hours {progress.Built} of {progress.Jobs} are built"));
        });
    }

    private static int Count(int builders) => builders is >= 1 and <= MaxBuilders
        ? builders
        : throw new MistakeException($"--builders {builders} must be from 1 to {MaxBuilders}");

    private static int Independent(int independent, int builders) => independent >= 1 && independent <= builders
        ? independent
        : throw new MistakeException(
            $"--independent {independent} must be from 1 to the number of builders, {builders}");

    private static ImmutableArray<double> Weights(string text) =>
    [
        .. text.Split(',').Select(part =>
            double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight)
                && weight is >= 0.01 and <= 100
                ? weight
                : throw new MistakeException($"--weights {text} must be numbers from 0.01 to 100, such as 0.5,1,1,2")),
    ];

    private static void Write(SimulationReport report, TextWriter output)
    {
        Line($"{report.Builders} builders, {report.Jobs} jobs:"
            + $" {report.Built} built, {report.Broken} broken, {report.Blocked} blocked");
        Line($"makespan                 {Time(report.MakespanSeconds)}");
        Line($"no farm could be below   {Time(report.LowerBoundSeconds)}"
            + $"  (work {Time(report.WorkSeconds)}, longest chain {Time(report.PathSeconds)})");
        Line($"ratio of the two         {Number(report.Ratio, "0.000")}");
        Line($"builds, of them twice    {report.Builds}, {report.Duplicates}");
        Line($"builders are busy        {Number(report.Utilisation * 100, "0.0")} % of the time");
        Line($"questions of a builder   {Number(report.PullsPerBuilderMinute, "0.0")} a minute,"
            + $" {report.MostPullsInAMinute} at most");
        foreach (var finding in report.Findings)
            Line($"BROKEN PROMISE {finding}");
        Line($"again: {report.Again}");

        void Line(string text) => output.WriteLine(text);
    }

    private static string Time(double seconds) =>
        Number(TimeSpan.FromSeconds(seconds).TotalHours, "0.00") + " h";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
