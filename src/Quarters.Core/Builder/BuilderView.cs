using System.Collections.Immutable;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Builder;

/// <summary>
/// What a builder has read of others, and what it is about to do: all that is lost, and needs not be kept, when it
/// stops. Times are of a clock that only runs forward from its start, since the builder's own may be wrong by hours.
/// </summary>
public sealed record BuilderView
{
    /// <summary>Has read nothing yet.</summary>
    public static BuilderView Empty { get; } = new();

    /// <summary>The ready jobs; null before they were first read.</summary>
    public QueueDocument? Queue { get; init; }

    /// <summary>The builders and what they do.</summary>
    public Standing Standing { get; init; } = new(Roster.Empty, null);

    /// <summary>When the digest in <see cref="Standing"/> was asked for.</summary>
    public TimeSpan DigestAskedAt { get; init; }

    /// <summary>The master's clock, the latest that a document gave: a moment of it, and when that was here.</summary>
    public (DateTimeOffset Time, TimeSpan At)? MasterClock { get; init; }

    /// <summary>What other builders said, by key.</summary>
    public ImmutableDictionary<string, PeerSighting> Peers { get; init; } =
        ImmutableDictionary<string, PeerSighting>.Empty;

    /// <summary>What the master said of the jobs that this builder claims or has results of, by id.</summary>
    public ImmutableDictionary<string, JobSighting> Jobs { get; init; } =
        ImmutableDictionary<string, JobSighting>.Empty;

    /// <summary>When each claim came to be where others can read it, by the attempt's name.</summary>
    public ImmutableDictionary<string, TimeSpan> Posted { get; init; } = ImmutableDictionary<string, TimeSpan>.Empty;

    /// <summary>When each build began, by the attempt's name.</summary>
    public ImmutableDictionary<string, TimeSpan> Begun { get; init; } = ImmutableDictionary<string, TimeSpan>.Empty;

    /// <summary>Attempts that others have, and until when they are not looked at again.</summary>
    public ImmutableDictionary<string, TimeSpan> Passed { get; init; } = ImmutableDictionary<string, TimeSpan>.Empty;

    /// <summary>What it looks at before it posts a claim; null when it looks at nothing.</summary>
    public Look? Look { get; init; }

    /// <summary>Before this, when it is idle, it looks at nothing new.</summary>
    public TimeSpan LookAfter { get; init; }

    /// <summary>Before this it reserves nothing new.</summary>
    public TimeSpan ReserveAfter { get; init; }

    /// <summary>Now, by the master's clock as far as it is known here.</summary>
    public DateTimeOffset MasterNow(TimeSpan now) =>
        MasterClock is { } known ? known.Time + (now - known.At) : DateTimeOffset.MinValue;

    /// <summary>The queue was read.</summary>
    /// <param name="queue">The document.</param>
    /// <param name="now">When it arrived.</param>
    public BuilderView WithQueue(QueueDocument queue, TimeSpan now)
    {
        var next = WithClock(queue.Time, now) with { Queue = queue };
        if (Passed.IsEmpty) return next;
        var offered = queue.Jobs.Select(job => JobId.AttemptName(job.Id, job.Attempt))
            .ToHashSet(StringComparer.Ordinal);
        return next with { Passed = Passed.RemoveRange(Passed.Keys.Where(name => !offered.Contains(name))) };
    }

    /// <summary>A digest was read.</summary>
    /// <param name="standing">It, laid over the roster.</param>
    /// <param name="askedAt">When it was asked for.</param>
    /// <param name="now">When it arrived.</param>
    public BuilderView WithStanding(Standing standing, TimeSpan askedAt, TimeSpan now) =>
        (standing.Digest is { } digest ? WithClock(digest.Time, now) : this) with
        {
            Standing = standing,
            DigestAskedAt = askedAt,
        };

    private BuilderView WithClock(DateTimeOffset time, TimeSpan now) =>
        MasterClock is null || time > MasterNow(now) ? this with { MasterClock = (time, now) } : this;
}

/// <summary>What was last read of another builder.</summary>
/// <param name="AskedAt">When it was asked.</param>
/// <param name="AnsweredAt">When the answer came, or it was clear that none would.</param>
/// <param name="Said">Its state; null when it could not be read.</param>
public sealed record PeerSighting(TimeSpan AskedAt, TimeSpan AnsweredAt, BuilderStateDocument? Said);

/// <summary>What the master last said of a job.</summary>
/// <param name="AnsweredAt">When.</param>
/// <param name="Document">The job; null when the master knows no such job any more.</param>
public sealed record JobSighting(TimeSpan AnsweredAt, JobDocument? Document);

/// <summary>A job that a builder would claim, while it reads what the others do.</summary>
/// <param name="Job">The job as offered.</param>
/// <param name="Phase">Whether it would be reserved or claimed.</param>
/// <param name="Since">Since when; answers to what was asked before do not count.</param>
public sealed record Look(QueueJob Job, ClaimPhase Phase, TimeSpan Since);
