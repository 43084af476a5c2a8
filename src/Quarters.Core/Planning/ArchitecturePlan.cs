using System.Collections.Immutable;

namespace Quarters.Core.Planning;

/// <summary>
/// Who offers what for one architecture, and who waits for whom: everything that a change of one package touches is
/// found from here by name, so that no event looks at every package.
/// </summary>
public sealed record ArchitecturePlan
{
    /// <summary>What our own repositories hold, by the names it can be depended on as.</summary>
    public ImmutableDictionary<string, ImmutableArray<Provision>> Own { get; init; } =
        ImmutableDictionary<string, ImmutableArray<Provision>>.Empty;

    /// <summary>What open and failed jobs would yield; the owner is the job's id.</summary>
    public ImmutableDictionary<string, ImmutableArray<Provision>> Planned { get; init; } =
        ImmutableDictionary<string, ImmutableArray<Provision>>.Empty;

    /// <summary>The open jobs that need a name.</summary>
    public ImmutableDictionary<string, ImmutableHashSet<string>> Waiters { get; init; } =
        ImmutableDictionary<string, ImmutableHashSet<string>>.Empty;

    /// <summary>The failed jobs that need a name: a new provider of it is a reason to try them again.</summary>
    public ImmutableDictionary<string, ImmutableHashSet<string>> Resting { get; init; } =
        ImmutableDictionary<string, ImmutableHashSet<string>>.Empty;

    /// <summary>The names under which a job stands in <see cref="Planned"/>.</summary>
    public ImmutableDictionary<string, ImmutableArray<string>> PlannedNames { get; init; } =
        ImmutableDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>The names under which a job stands in <see cref="Waiters"/> or <see cref="Resting"/>.</summary>
    public ImmutableDictionary<string, ImmutableArray<string>> NeededNames { get; init; } =
        ImmutableDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>The plan behind that of a rebuild: what it does not hold itself is taken from there. Null for none; not
    /// stored.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public ArchitecturePlan? Behind { get; init; }

    /// <summary>The pinned repositories of others, in order of precedence.</summary>
    public ImmutableArray<PackageIndex> Outside { get; init; } = [];
}
