using Quarters.Core.Planning;

namespace Quarters.Core.Builder;

/// <summary>When the master needs no result of an attempt any more.</summary>
public static class Settled
{
    /// <summary>How an attempt was settled, as a sentence after its name; null while its result is wanted.</summary>
    /// <param name="job">The job as the master says it is; null when it knows no such job.</param>
    /// <param name="attempt">The attempt.</param>
    public static string? How(Job? job, int attempt)
    {
        if (job is null) return "the master knows no such job";
        // One that waits for others does so for as long as the attempt is the current one.
        if (job.Attempts.FirstOrDefault(
            ended => ended.Number == attempt && ended.End != AttemptEnd.Witnessed) is { } settled)
            return settled.Reason.Length == 0 ? settled.End.ToString() : $"{settled.End}: {settled.Reason}";
        if (!job.IsOpen) return $"the job is {job.Status}";
        return job.Attempt > attempt ? $"the master waits for attempt {job.Attempt}" : null;
    }
}
