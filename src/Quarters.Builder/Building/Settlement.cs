using Microsoft.Extensions.Logging;
using Quarters.Builder.Fetching;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Node;

namespace Quarters.Builder.Building;

/// <summary>Waits until the master needs no result of an attempt any more.</summary>
internal sealed partial class Settlement(MasterLink master, ILogger<Settlement> logger)
{
    private const int MaxDocumentBytes = 16 << 20;

    /// <summary>A job that was just planned may be in the queue a moment before it has a document of its own.</summary>
    private const int UnknownTimes = 3;

    /// <summary>Follows the job's document until the attempt is settled there.</summary>
    /// <returns>How, to follow the attempt's name in a sentence.</returns>
    internal async Task<string> WaitAsync(string job, int attempt, CancellationToken cancellationToken)
    {
        var unknown = 0;
        await foreach (var result in master.FollowAsync($"v1/jobs/{job}.json", MaxDocumentBytes, cancellationToken))
        {
            switch (result)
            {
                case PullResult.Document document:
                    unknown = 0;
                    if (Read(document.Bytes, job) is { } found && HowSettled(found, attempt) is { } how)
                        return how;
                    break;
                case PullResult.Failed { Failure.Status: 404 } when ++unknown >= UnknownTimes:
                    return "the master knows no such job";
                case PullResult.Failed { Failure.Status: not 404 }:
                    unknown = 0;
                    break;
            }
        }

        throw new InvalidOperationException("a document is followed until it is cancelled");
    }

    /// <summary>How an attempt was settled; null while its result is wanted.</summary>
    internal static string? HowSettled(Job job, int attempt)
    {
        if (!job.Attempts.IsDefault && job.Attempts.FirstOrDefault(ended => ended.Number == attempt) is { } settled)
            return settled.Reason.Length == 0 ? settled.End.ToString() : $"{settled.End}: {settled.Reason}";
        if (!job.IsOpen)
            return $"the job is {job.Status}";
        return job.Attempt > attempt ? $"the master waits for attempt {job.Attempt}" : null;
    }

    /// <summary>The job; null when the document cannot be read, which settles nothing.</summary>
    private Job? Read(byte[] bytes, string job)
    {
        try
        {
            var document = MasterLink.Parse(
                bytes, QuartersJson.Default.JobDocument, parsed => parsed.Schema, Schemas.Job, $"v1/jobs/{job}.json");
            return document.Job.Id == job ? document.Job : null;
        }
        catch (FetchException unreadable)
        {
            LogUnreadable(unreadable.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Sentence}")]
    private partial void LogUnreadable(string sentence);
}
