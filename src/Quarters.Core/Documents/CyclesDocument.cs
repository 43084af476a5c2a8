using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Quarters.Core.Planning;

namespace Quarters.Core.Documents;

/// <summary><c>/v1/cycles.json</c>: which packages of the farm's sources need each other in a circle, and where the
/// circles are cut when all of them are built.</summary>
public sealed record CyclesDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Cycles;

    /// <summary>The state's revision; only grows.</summary>
    public required long Revision { get; init; }

    /// <summary>How many package bases were looked at.</summary>
    public required int Packages { get; init; }

    /// <summary>The cycles, the largest first.</summary>
    public required ImmutableArray<PackageCycle> Cycles { get; init; }
}

/// <summary>Packages each of which needs all others: a strongly connected component.</summary>
public sealed record PackageCycle
{
    /// <summary>The package bases, by name.</summary>
    public required ImmutableArray<string> Members { get; init; }

    /// <summary>How many dependencies there are among them.</summary>
    public required int Dependencies { get; init; }

    /// <summary>The dependencies that are not waited for, which together cost the least that was found.</summary>
    public required ImmutableArray<CutDependency> Cut { get; init; }
}

/// <summary>A dependency that is not waited for: what has it is built against something older.</summary>
/// <param name="Pkgbase">Who has it.</param>
/// <param name="Older">Whose older package is built against.</param>
/// <param name="Kind">What it is needed for; of several reasons the strongest.</param>
/// <param name="Cost">What cutting it counts for: 1 for one of tests, 10 for one of building, 100 for one of
/// running.</param>
public sealed record CutDependency(
    string Pkgbase, string Older, [property: JsonConverter(typeof(CamelCase<DependencyKind>))] DependencyKind Kind,
    long Cost);
