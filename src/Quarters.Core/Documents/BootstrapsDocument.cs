using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary><c>/v1/bootstraps.json</c>: the bootstraps that are neither merged nor dropped.</summary>
public sealed record BootstrapsDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Bootstraps;

    /// <summary>The state's revision; only grows.</summary>
    public required long Revision { get; init; }

    /// <summary>The bootstraps, by name.</summary>
    public required ImmutableArray<BootstrapStatus> Bootstraps { get; init; }
}

/// <summary>A bootstrap, and how far it is.</summary>
public sealed record BootstrapStatus
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The repositories of others that builds install from besides.</summary>
    public required ImmutableArray<string> Seeds { get; init; }

    /// <summary>How many package bases it is of.</summary>
    public required int Packages { get; init; }

    /// <summary>What was left out of it when it began, and why; a sentence each, of very many the first.</summary>
    public ImmutableArray<string> LeftOut { get => field.IsDefault ? [] : field; init; }

    /// <summary>How many more were left out.</summary>
    public int MoreLeftOut { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Begun { get; init; }

    /// <summary>Where it stands.</summary>
    public required BootstrapOutcome Outcome { get; init; }

    /// <summary>The stage that is built, or was built last, from 1.</summary>
    public required int Stage { get; init; }

    /// <summary>How many stages are built at most.</summary>
    public required int MaxStages { get; init; }

    /// <summary>How many package bases of that stage are built.</summary>
    public required int Built { get; init; }

    /// <summary>What of that stage is not built, and why; a sentence each, of very many the first. When all of it is,
    /// why it goes no further.</summary>
    public required ImmutableArray<string> NotBuilt { get; init; }

    /// <summary>The stages that are complete.</summary>
    public required ImmutableArray<FinishedStage> Finished { get; init; }
}

/// <summary>Where a bootstrap stands.</summary>
[JsonConverter(typeof(CamelCase<BootstrapOutcome>))]
public enum BootstrapOutcome
{
    /// <summary>A stage is being built.</summary>
    Building,

    /// <summary>Nothing of the stage can be built any more until an operator retries what failed; or all of it is
    /// built, and packages of it cannot be read.</summary>
    Stuck,

    /// <summary>The last two stages have the same bytes: to build it again would change nothing.</summary>
    Fixpoint,

    /// <summary>As many stages are built as were asked for, and the last two differ, or there is only one.</summary>
    Limit,
}

/// <summary>A stage of a bootstrap all of whose packages are built.</summary>
public sealed record FinishedStage
{
    /// <summary>Its number, from 1.</summary>
    public required int Number { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Begun { get; init; }

    /// <summary>When it was complete.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>How many packages there are in it.</summary>
    public required int Packages { get; init; }

    /// <summary>How many of them have other bytes than in the stage before; of the first stage all.</summary>
    public required int Differing { get; init; }

    /// <summary>Those, and what in them differs; of very many the first.</summary>
    public ImmutableArray<PackageDifference> Differences { get => field.IsDefault ? [] : field; init; }

    /// <summary>The packages of the seeds that were installed for its builds, by name; of many the
    /// first.</summary>
    public ImmutableArray<string> FromSeeds { get => field.IsDefault ? [] : field; init; }

    /// <summary>How many more there are.</summary>
    public int MoreFromSeeds { get; init; }
}

/// <summary>A package that has other bytes in one stage than in the one before.</summary>
/// <param name="Package">The package.</param>
/// <param name="Files">The files in it that differ, or that only one has; of very many the first.</param>
/// <param name="More">How many more there are.</param>
public sealed record PackageDifference(string Package, ImmutableArray<string> Files, int More);
