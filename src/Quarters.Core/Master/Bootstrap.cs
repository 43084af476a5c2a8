using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Core.Master;

/// <summary>
/// Packages that are built from their sources alone, stage by stage: each stage is a side repository
/// (<see cref="Rebuild"/>) whose builds install from it, from the stage before, and from the seeds, and from nowhere
/// else.
/// </summary>
public sealed record Bootstrap
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The repositories of others that builds install from.</summary>
    public required ImmutableArray<string> Seeds { get; init; }

    /// <summary>How many stages are built at most.</summary>
    public required int MaxStages { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Begun { get; init; }

    /// <summary>What was left out when it began, and why, a sentence each.</summary>
    public ImmutableArray<string> LeftOut { get => field.IsDefault ? [] : field; init; }

    /// <summary>The stage that is built, or was built last, from 1.</summary>
    public int Stage { get; init; } = 1;

    /// <summary>The stages that are complete, and what differed.</summary>
    public ImmutableArray<FinishedStage> Finished { get => field.IsDefault ? [] : field; init; }

    /// <summary>Why the stage, all of which is built, cannot be compared with the one before; null while nothing is in
    /// the way.</summary>
    public string? Problem { get; init; }

    /// <summary>How it ended; null while it goes on.</summary>
    public BootstrapOutcome? End { get; init; }

    /// <summary>The side repository of a stage.</summary>
    public string RepositoryOf(int stage) => FormattableString.Invariant($"{Name}{Bootstraps.StageSuffix}{stage}");
}

/// <summary>Which stage of which bootstrap a side repository is.</summary>
/// <param name="Bootstrap">The bootstrap.</param>
/// <param name="Number">The stage, from 1.</param>
/// <param name="Before">The side repository of the stage before; null for none.</param>
/// <param name="Seeds">The repositories of others that builds install from.</param>
public sealed record BootstrapStage(string Bootstrap, int Number, string? Before, ImmutableArray<string> Seeds);
