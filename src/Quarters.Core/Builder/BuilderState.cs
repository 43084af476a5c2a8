using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Core.Builder;

/// <summary>A claim and the job as the queue described it when it was made.</summary>
public sealed record ClaimedJob
{
    /// <summary>The job.</summary>
    public required QueueJob Job { get; init; }

    /// <summary>How far it has come.</summary>
    public required ClaimPhase Phase { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The builder's revision in which it came to stand so.</summary>
    public long Revision { get; init; }
}

/// <summary>What a builder knows: the sum of its journal.</summary>
public sealed record BuilderState
{
    /// <summary>Knows nothing yet.</summary>
    public static BuilderState Empty { get; } = new();

    /// <summary>How many events it is made of.</summary>
    public long Revision { get; init; }

    /// <summary>Its claims, the oldest first.</summary>
    public ImmutableArray<ClaimedJob> Claims { get => field.IsDefault ? [] : field; init; }

    /// <summary>Results that the master has not settled.</summary>
    public ImmutableArray<BuildResult> Results { get => field.IsDefault ? [] : field; init; }

    /// <summary>The builds that it ended on purpose without a result, the last one last; at most <see
    /// cref="BuilderMachine.GivenUpAtMost"/>.</summary>
    public ImmutableArray<GivenUpBuild> GivenUp { get => field.IsDefault ? [] : field; init; }
}

/// <summary>What a builder's own decisions depend on.</summary>
/// <param name="PublicKey">Who it is: <c>sha256:HEX</c>.</param>
/// <param name="Architectures">What it builds.</param>
/// <param name="Slots">How many builds run at once.</param>
/// <param name="Draining">Whether it finishes what it has and takes nothing new.</param>
public sealed record BuilderTerms(string PublicKey, ImmutableArray<string> Architectures, int Slots, bool Draining);
