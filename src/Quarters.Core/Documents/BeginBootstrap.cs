using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary>Build packages from their sources alone, stage by stage, each installed only from the stage before and from
/// a seed. <see cref="MergeRebuild"/> publishes the last stage, <see cref="DropRebuild"/> forgets all.</summary>
public sealed record BeginBootstrap : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "bootstrap";

    /// <summary>Its name. Its stages are side repositories <c>NAME-stageN</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The repositories of others that builds may install from.</summary>
    public ImmutableArray<string> Seeds { get => field.IsDefault ? [] : field; init; }

    /// <summary>Package bases or packages; all that the sources hold if there is none.</summary>
    public ImmutableArray<string> Names { get => field.IsDefault ? [] : field; init; }

    /// <summary>How many stages are built at most: it ends before when two have the same bytes.</summary>
    public int MaxStages { get; init; } = 1;

    /// <summary>Whether packages that cannot be reached from the seeds are left out, instead of it being
    /// refused.</summary>
    public bool LeaveUnreachable { get; init; }

    /// <summary>Whether only to tell what would be done, in which order.</summary>
    public bool DryRun { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}
