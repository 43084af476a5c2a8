using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>
/// Which builders shall not take a job, since it failed with them and another is to try. It does not last for ever: the
/// others may be busy or gone, and a job that nobody else takes must not wait for them until its end.
/// </summary>
public static class Avoidance
{
    /// <summary>After a failure of the environment, a refusal or a loss the others come first for this long.</summary>
    public static readonly TimeSpan AfterSetback = TimeSpan.FromMinutes(15);

    /// <summary>
    /// After a failure of the package the others come first for this long: a second opinion is worth waiting until one
    /// of them has ended what it builds.
    /// </summary>
    public static readonly TimeSpan AfterVerdict = TimeSpan.FromHours(6);

    /// <summary>The builders that shall not take the job's next attempt.</summary>
    /// <param name="able">Those that could build it.</param>
    /// <param name="job">The job.</param>
    /// <param name="now">When that is asked.</param>
    public static ImmutableArray<BuilderRecord> Of(IEnumerable<BuilderRecord> able, Job job, DateTimeOffset now)
    {
        // Whose own result is to be confirmed cannot confirm it, however long that takes; and who is said to build it
        // does, or lost it and must not begin again before that is known.
        var never = Names(job, attempt => attempt.End == AttemptEnd.Witnessed);
        if (job.Builder is { } busy) never = never.Add(busy);
        if (never.IsEmpty) return OfThoseThatFailed(able, job, now);
        return
        [
            .. able.Where(builder => never.Contains(builder.Name)),
            .. OfThoseThatFailed([.. able.Where(builder => !never.Contains(builder.Name))], job, now),
        ];
    }

    /// <summary>Those that are avoided for a while.</summary>
    private static ImmutableArray<BuilderRecord> OfThoseThatFailed(
        IEnumerable<BuilderRecord> able, Job job, DateTimeOffset now)
    {
        if (Since(job) is not { } since) return [];
        var said = Until(since, AfterVerdict) > now ? Names(job, IsVerdict) : [];
        var failed = Until(since, AfterSetback) > now
            ? said.Union(Names(job, IsSetback))
            : said;
        // When none is left, those whose word is still missing may try again before those that have given theirs.
        foreach (var avoided in new[] { failed, said })
        {
            if (able.Any(builder => !builder.TakesNothing && !avoided.Contains(builder.Name)))
                return [.. able.Where(builder => avoided.Contains(builder.Name))];
        }

        return [];
    }

    /// <summary>When the builders to avoid may next become fewer although nothing happens; null when none is avoided.
    /// </summary>
    public static DateTimeOffset? NextChange(IEnumerable<BuilderRecord> able, Job job, DateTimeOffset now)
    {
        if (Since(job) is not { } since || OfThoseThatFailed(able, job, now).IsEmpty) return null;
        return Until(since, AfterSetback) is var first && first > now ? first : Until(since, AfterVerdict);
    }

    /// <summary>Whether an attempt says something of the package: that it does not build, or not in time.</summary>
    internal static bool IsVerdict(Attempt attempt) =>
        attempt.End == AttemptEnd.Failed && attempt.Result?.Failure is { Kind: not FailureKind.Environment };

    /// <summary>Whether an attempt ended for a reason of its builder, as far as anybody can see.</summary>
    private static bool IsSetback(Attempt attempt) =>
        !IsVerdict(attempt) && !attempt.Excused && attempt.End is not (AttemptEnd.GivenUp or AttemptEnd.Witnessed);

    /// <summary>When the others could first take it.</summary>
    private static DateTimeOffset? Since(Job job)
    {
        if (job.Status != JobStatus.Ready || job.CurrentAttempts() is not [.., var last]) return null;
        var since = job.NotBefore is { } at && at > last.Settled ? at : last.Settled;
        return job.ReadyAt is { } ready && ready > since ? ready : since;
    }

    /// <summary>A time that cannot be said is never reached.</summary>
    private static DateTimeOffset Until(DateTimeOffset since, TimeSpan patience) =>
        since < DateTimeOffset.MaxValue - patience ? since + patience : DateTimeOffset.MaxValue;

    private static ImmutableHashSet<string> Names(Job job, Func<Attempt, bool> which) =>
        job.CurrentAttempts().Where(which).Select(attempt => attempt.Builder)
            .ToImmutableHashSet(StringComparer.Ordinal);
}
