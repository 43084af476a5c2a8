using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>A builder as the last poll found it. No journal holds it: it is seen again within one poll.</summary>
public sealed record BuilderSighting
{
    /// <summary>The name that it is listed under.</summary>
    public required string Name { get; init; }

    /// <summary>Its base URL.</summary>
    public required string Url { get; init; }

    /// <summary>Who it is: <c>sha256:HEX</c>.</summary>
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
    public ImmutableArray<Claim> Claims { get => field.IsDefault ? [] : field; init; }

    /// <summary>Since when it has had a free slot; null while it has none.</summary>
    public DateTimeOffset? FreeSince { get; init; }

    /// <summary>How many more builds it could begin.</summary>
    public int FreeSlots => Said is null || Said.Draining
        ? 0
        : Math.Max(0, Said.Slots - Claims.Count(c => c.Phase != ClaimPhase.Reserved));

    /// <summary>
    /// When its document last moved; null before it was first read. A builder shows a sign of life every minute, and
    /// only that tells that it lives: a web space answers for one that is long gone.
    /// </summary>
    public DateTimeOffset? MovedAt { get; init; }

    /// <summary>Whether it was silent for a whole lease: nobody waits for it.</summary>
    public bool IsLost(TimeSpan lease, DateTimeOffset now) => now - (MovedAt ?? PolledSince) >= lease;

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
        var next = this with { Said = said, Claims = [.. claims], LastSeen = now, Error = null };
        if (said.Revision != Said?.Revision) next = next with { MovedAt = now };
        return next with { FreeSince = next.FreeSlots > 0 ? FreeSince ?? now : null };
    }
}
