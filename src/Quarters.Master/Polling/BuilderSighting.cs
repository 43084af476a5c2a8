using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Master.Polling;

/// <summary>A builder as the last poll found it.</summary>
internal sealed record BuilderSighting
{
    public required string Name { get; init; }

    public required string Url { get; init; }

    public required string PublicKey { get; init; }

    /// <summary>Since when it is polled without a break.</summary>
    public required DateTimeOffset PolledSince { get; init; }

    /// <summary>When it was last read; null if never.</summary>
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>Why the last poll failed; null if it did not.</summary>
    public string? Error { get; init; }

    /// <summary>The last state document of it that was read; null if none was.</summary>
    public BuilderStateDocument? Said { get; init; }

    /// <summary>What it said it does, without words of its own, and each with the time when this master first saw it:
    /// clocks of others are not compared.</summary>
    public ImmutableArray<Claim> Claims { get; init; } = [];

    /// <summary>The same builder after it said something new.</summary>
    public BuilderSighting Hearing(BuilderStateDocument said, DateTimeOffset now)
    {
        // Two claims of one attempt make no sense; the first one stands.
        var known = Claims.ToDictionary(c => (c.Job, c.Attempt), c => c);
        var claims = said.Claims
            .Where(claim => JobId.IsValid(claim.Job))
            .DistinctBy(claim => (claim.Job, claim.Attempt))
            .Select(claim => known.GetValueOrDefault((claim.Job, claim.Attempt)) is { } before
                && before.Phase == claim.Phase
                ? before
                : new Claim { Job = claim.Job, Attempt = claim.Attempt, Phase = claim.Phase, Since = now });
        return this with { Said = said, Claims = [.. claims] };
    }
}
