using System.Collections.Immutable;

namespace Quarters.Core.Planning;

/// <summary>In which order a set of packages is rebuilt: what needs nothing of the set first, cycles cut where it costs
/// least.</summary>
public sealed record RebuildPlan
{
    /// <summary>What is built, in an order in which it can be.</summary>
    public required ImmutableArray<PlannedBuild> Builds { get; init; }

    /// <summary>The cycles among them: sets of packages each of which needs all others.</summary>
    public required ImmutableArray<ImmutableArray<string>> Cycles { get; init; }

    /// <summary>Where they are cut: who is built against something older of whom, and what it is needed for.</summary>
    public required ImmutableArray<(string Pkgbase, string Older, DependencyKind Kind)> Cut { get; init; }

    /// <summary>Seconds of work on a builder of weight 1.</summary>
    public required double WorkSeconds { get; init; }

    /// <summary>Seconds of the longest chain of builds that wait for each other.</summary>
    public required double PathSeconds { get; init; }

    /// <summary>How long it takes at least with some builders.</summary>
    /// <param name="fastest">The greatest weight.</param>
    /// <param name="together">The weights of all, times the builds that each runs at once.</param>
    public double SecondsWith(double fastest, double together) =>
        Math.Max(PathSeconds / fastest, WorkSeconds / together);

    /// <summary>Plans a set.</summary>
    /// <param name="graph">All packages.</param>
    /// <param name="chosen">The indices of those that are rebuilt.</param>
    /// <param name="cuts">Where the cycles are cut, if that is known: who is built against something older of whom.
    /// Null to cut where it costs least.</param>
    public static RebuildPlan Of(
        DependencyGraph graph, IReadOnlyCollection<int> chosen,
        IReadOnlySet<(string Pkgbase, string Older)>? cuts = null)
    {
        var nodes = chosen.Distinct().OrderBy(node => graph.Nodes[node].Name, StringComparer.Ordinal).ToList();
        var place = new Dictionary<int, int>();
        foreach (var node in nodes) place[node] = place.Count;
        var part = new DependencyGraph(
            [.. nodes.Select(node => graph.Nodes[node])],
            nodes.SelectMany(node => graph.Edges[graph.NeedsOf(node)])
                .Where(edge => place.ContainsKey(edge.To))
                .Select(edge => edge with { From = place[edge.From], To = place[edge.To], CanCut = true }));
        ImmutableArray<int> cut = cuts is null
            ? FeedbackArcs.Find(part)
            : [.. Enumerable.Range(0, part.Edges.Length).Where(index => cuts.Contains(
                (part.Nodes[part.Edges[index].From].Name, part.Nodes[part.Edges[index].To].Name)))];
        var rest = part.Without(cut);
        var stages = Stages(rest);
        return new RebuildPlan
        {
            Builds =
            [
                .. Enumerable.Range(0, nodes.Count)
                    .OrderBy(node => stages[node]).ThenBy(node => part.Nodes[node].Name, StringComparer.Ordinal)
                    .Select(node => new PlannedBuild(
                        part.Nodes[node].Name, stages[node] + 1, part.Nodes[node].Seconds)),
            ],
            Cycles =
            [
                .. new GraphComponents(part).All.Where(component => component.Length > 1)
                    .Select(component => component.Select(node => part.Nodes[node].Name)
                        .Order(StringComparer.Ordinal).ToImmutableArray()),
            ],
            Cut =
            [
                .. cut.Select(index => part.Edges[index])
                    .Select(edge => (part.Nodes[edge.From].Name, part.Nodes[edge.To].Name, edge.Kind)),
            ],
            WorkSeconds = part.Nodes.Sum(node => node.Seconds),
            PathSeconds = rest.Ranks()?.DefaultIfEmpty(0).Max() ?? 0,
        };
    }

    /// <summary>The packages that need some others to be built or to run.</summary>
    /// <param name="graph">All packages.</param>
    /// <param name="of">The indices of those that are needed.</param>
    /// <param name="recursive">Whether also those that need the dependents, and so on.</param>
    public static IReadOnlyCollection<int> DependentsOf(
        DependencyGraph graph, IEnumerable<int> of, bool recursive)
    {
        var neededBy = graph.Edges.ToLookup(edge => edge.To, edge => edge.From);
        var roots = of.ToList();
        var found = new HashSet<int>();
        var next = new Stack<int>(roots);
        while (next.TryPop(out var node))
        {
            foreach (var dependent in neededBy[node])
            {
                if (found.Add(dependent) && recursive) next.Push(dependent);
            }
        }

        found.ExceptWith(roots);
        return found;
    }

    /// <summary>How many builds of the longest chain come before each.</summary>
    private static int[] Stages(DependencyGraph graph)
    {
        var stages = new int[graph.Nodes.Length];
        var left = new int[graph.Nodes.Length];
        var neededBy = graph.Edges.ToLookup(edge => edge.To, edge => edge.From);
        foreach (var edge in graph.Edges) left[edge.From]++;
        var next = new Queue<int>(Enumerable.Range(0, graph.Nodes.Length).Where(node => left[node] == 0));
        while (next.TryDequeue(out var node))
        {
            foreach (var dependent in neededBy[node])
            {
                stages[dependent] = Math.Max(stages[dependent], stages[node] + 1);
                if (--left[dependent] == 0) next.Enqueue(dependent);
            }
        }

        return stages;
    }
}

/// <summary>A build of a plan.</summary>
/// <param name="Pkgbase">The package base.</param>
/// <param name="Stage">How many builds the longest chain to it has, itself included.</param>
/// <param name="Seconds">How long it takes on a builder of weight 1.</param>
public sealed record PlannedBuild(string Pkgbase, int Stage, double Seconds);
