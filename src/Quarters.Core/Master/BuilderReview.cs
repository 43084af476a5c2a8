using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>What the master makes of a builder's state: nothing a builder says changes more than its own
/// attempts.</summary>
public static class BuilderReview
{
    /// <summary>Compares a builder's words with what the master knows.</summary>
    /// <param name="state">What the master knows.</param>
    /// <param name="builder">The validated builder's name.</param>
    /// <param name="said">The document that it serves.</param>
    /// <returns>Events to journal, and results whose packages are to be fetched and checked.</returns>
    public static ReviewedBuilder Read(MasterState state, string builder, BuilderStateDocument said)
    {
        var events = ImmutableArray.CreateBuilder<MasterEvent>();
        var collect = ImmutableArray.CreateBuilder<BuildResult>();
        foreach (var claim in said.Claims)
        {
            if (claim.Phase == ClaimPhase.Building
                && Find(state, claim.Job, claim.Attempt) is { Status: JobStatus.Ready })
                events.Add(new ClaimSeen(claim.Job, claim.Attempt, builder));
        }

        foreach (var result in said.Results)
        {
            if (Find(state, result.Job, result.Attempt) is not { } job) continue;
            // While another builds the attempt its result is awaited; a result of nobody in particular is as good as
            // any.
            if (job.Builder is { } other && other != builder) continue;
            if (result.Outcome == ResultOutcome.Built) collect.Add(result);
            else events.Add(Failure(builder, result));
        }

        foreach (var id in state.Building)
        {
            var job = state.Jobs[id];
            if (job.Builder == builder && !Mentions(said, job))
                events.Add(new ClaimLost(
                    id, job.Attempt, builder, $"{builder} does not build it any more and left no result"));
        }

        return new ReviewedBuilder(events.ToImmutable(), collect.ToImmutable());
    }

    /// <summary>The claims that a builder loses when it was not heard of for longer than its lease.</summary>
    public static ImmutableArray<MasterEvent> Expire(
        MasterState state, string builder, DateTimeOffset lastSeen, DateTimeOffset now)
    {
        if (state.Settings is not { } settings || now - lastSeen < TimeSpan.FromSeconds(settings.LeaseSeconds))
            return [];
        return [.. state.Building
            .Select(id => state.Jobs[id])
            .Where(job => job.Builder == builder)
            .Select(job => new ClaimLost(
                job.Id, job.Attempt, builder, $"{builder} was not heard of for {(now - lastSeen).TotalSeconds:0} s"))];
    }

    private static MasterEvent Failure(string builder, BuildResult result) =>
        result.Failure is null
            ? new ResultRefused(builder, result, "it says that it failed, but not why")
            : new AttemptFailed(builder, result);

    private static Job? Find(MasterState state, string id, int attempt) =>
        state.Jobs.TryGetValue(id, out var job) && job.IsOpen && job.Attempt == attempt
            && job.Status != JobStatus.Blocked
            ? job
            : null;

    private static bool Mentions(BuilderStateDocument said, Job job) =>
        said.Claims.Any(c => c.Job == job.Id && c.Attempt == job.Attempt)
        || said.Results.Any(r => r.Job == job.Id && r.Attempt == job.Attempt);
}

/// <summary>What a builder's state gives the master to do.</summary>
/// <param name="Events">To journal and apply, in order.</param>
/// <param name="Collect">Results whose packages are to be fetched, checked, and then accepted or refused.</param>
public sealed record ReviewedBuilder(ImmutableArray<MasterEvent> Events, ImmutableArray<BuildResult> Collect);
