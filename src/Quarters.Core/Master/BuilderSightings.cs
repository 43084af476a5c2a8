using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>What builders learn of each other through the master.</summary>
public static class BuilderSightings
{
    /// <summary>What the builders do: <c>/v1/digest.json</c>.</summary>
    /// <param name="builders">The listed builders, each with what was seen of it, if anything was.</param>
    /// <param name="estimate">How long a job takes on a builder of weight 1, in seconds, by its id.</param>
    /// <param name="lease">After how long without news a builder is lost.</param>
    /// <param name="revision">The document's revision.</param>
    /// <param name="now">The master's clock.</param>
    public static DigestDocument Digest(
        IEnumerable<(string PublicKey, BuilderSighting? Seen)> builders, Func<string, double> estimate, TimeSpan lease,
        long revision, DateTimeOffset now) => new()
        {
            Revision = revision,
            Time = now,
            Builders = [.. builders.Select(b => b.Seen is { } seen
                ? Entry(seen, estimate, lease, now)
                : new DigestBuilder { PublicKey = b.PublicKey, Revision = 0 })],
        };

    /// <summary>
    /// Who claims the current attempt of a job, as last read. Null while a builder that is not lost was not read since
    /// the master began: its claim would be missing. One that was listed later is not waited for: it could not begin
    /// anything without being read.
    /// </summary>
    /// <param name="job">The job.</param>
    /// <param name="builders">The listed builders, and what was seen of each.</param>
    /// <param name="began">When the master began.</param>
    /// <param name="lease">After how long without news a builder is lost.</param>
    /// <param name="now">The master's clock.</param>
    public static ImmutableArray<SeenClaim>? ClaimsOn(
        Job job, IEnumerable<(BuilderRecord Listed, BuilderSighting? Seen)> builders, DateTimeOffset began,
        TimeSpan lease, DateTimeOffset now)
    {
        var seen = ImmutableArray.CreateBuilder<SeenClaim>();
        foreach (var (listed, builder) in builders)
        {
            if (builder?.Said is not { } said)
            {
                if (listed.Since < began && builder?.IsLost(lease, now) != true) return null;
                continue;
            }

            // Of a thousand builders one or two say anything of this job.
            if (!Mentions(builder, said, job) || builder.IsLost(lease, now)) continue;
            foreach (var claim in builder.Claims)
            {
                if (claim.Job == job.Id && claim.Attempt == job.Attempt)
                    seen.Add(new SeenClaim(
                        builder.PublicKey, claim.Attempt, claim.Phase, said.Revision, listed.Draining));
            }

            // A result that waits to be taken is as good as a build that runs.
            if (said.Results.Any(r => r.Job == job.Id && r.Attempt == job.Attempt))
                seen.Add(new SeenClaim(builder.PublicKey, job.Attempt, ClaimPhase.Building, said.Revision));
        }

        return seen.ToImmutable();
    }

    private static bool Mentions(BuilderSighting builder, BuilderStateDocument said, Job job)
    {
        foreach (var claim in builder.Claims)
        {
            if (claim.Job == job.Id) return true;
        }

        foreach (var result in said.Results)
        {
            if (result.Job == job.Id) return true;
        }

        return false;
    }

    private static DigestBuilder Entry(
        BuilderSighting seen, Func<string, double> estimate, TimeSpan lease, DateTimeOffset now) => new()
        {
            PublicKey = seen.PublicKey,
            Revision = seen.Said?.Revision ?? 0,
            LastSeen = seen.LastSeen,
            Lost = seen.IsLost(lease, now),
            FreeSlots = seen.FreeSlots,
            FreeAt = seen.Said is null ? null : seen.FreeSince ?? ExpectedFreeAt(seen, estimate, now),
            Claims = seen.Claims,
        };

    /// <summary>The soonest end of its builds, and after it what it has reserved.</summary>
    private static DateTimeOffset ExpectedFreeAt(
        BuilderSighting seen, Func<string, double> estimate, DateTimeOffset now)
    {
        DateTimeOffset? soonest = null;
        var reserved = 0.0;
        foreach (var claim in seen.Claims)
        {
            var seconds = estimate(claim.Job) / Math.Max(BuilderReview.MinWeight, seen.Said!.Weight);
            if (claim.Phase == ClaimPhase.Reserved)
            {
                reserved += seconds;
                continue;
            }

            var end = claim.Since.AddSeconds(seconds);
            if (soonest is null || end < soonest) soonest = end;
        }

        return (soonest ?? now).AddSeconds(reserved);
    }
}
