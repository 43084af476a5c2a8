using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Core.Planning;

/// <summary>The cycles of a graph, and where they are cut.</summary>
public static class CycleSurvey
{
    /// <summary>The cycles, the largest first; of equally large ones the first by name.</summary>
    public static ImmutableArray<PackageCycle> Of(DependencyGraph graph)
    {
        var components = new GraphComponents(graph);
        var dependencies = graph.Edges.Where(edge => components.Of[edge.From] == components.Of[edge.To])
            .CountBy(edge => components.Of[edge.From]).ToDictionary();
        var cut = FeedbackArcs.Find(graph).Select(index => graph.Edges[index])
            .ToLookup(edge => components.Of[edge.From]);
        return
        [
            .. components.All.Select((nodes, index) => (Nodes: nodes, Index: index))
                .Where(component => component.Nodes.Length > 1)
                .Select(component => new PackageCycle
                {
                    Members =
                    [
                        .. component.Nodes.Select(node => graph.Nodes[node].Name).Order(StringComparer.Ordinal),
                    ],
                    Dependencies = dependencies[component.Index],
                    Cut =
                    [
                        .. cut[component.Index]
                            .Select(edge => new CutDependency(
                                graph.Nodes[edge.From].Name, graph.Nodes[edge.To].Name, edge.Kind,
                                FeedbackArcs.CostOf(edge.Kind)))
                            .OrderBy(edge => edge.Pkgbase, StringComparer.Ordinal)
                            .ThenBy(edge => edge.Older, StringComparer.Ordinal),
                    ],
                })
                .OrderByDescending(cycle => cycle.Members.Length)
                .ThenBy(cycle => cycle.Members[0], StringComparer.Ordinal),
        ];
    }
}
