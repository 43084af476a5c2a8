using System.Text.Json;
using Microsoft.Extensions.Logging;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Node;

namespace Quarters.Master.Signalling;

/// <summary>
/// Reads the signals that an operator publishes, signed with its key, and settles those that are new: in the order of
/// their time, each once, however often they are read.
/// </summary>
internal sealed partial class OperatorPolling(
    PolledOperator polled, Ledger ledger, SignalDesk desk, Puller puller, TimeProvider time, Func<double> random,
    ILogger<OperatorPolling> logger)
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5), LongestPause = TimeSpan.FromMinutes(5);

    private string? _tag, _trouble;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var url = new Uri(new Uri(polled.Url.TrimEnd('/') + "/"), "v1/signals.json");
        for (var failures = 0; !cancellationToken.IsCancellationRequested;)
        {
            var problem = await PollAsync(url, cancellationToken);
            if (problem is not null && problem != _trouble) LogTrouble(polled.Name, problem);
            _trouble = problem;
            failures = problem is null ? 0 : failures + 1;
            var pause = failures == 0
                ? polled.Interval
                : Backoff.After(failures, FirstPause, LongestPause, random());
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    /// <summary>Reads and settles; returns what is wrong, or null.</summary>
    private async Task<string?> PollAsync(Uri url, CancellationToken cancellationToken)
    {
        switch (await puller.GetDocumentAsync(url, _tag, Wait, SignalsDocument.MaxBytes, cancellationToken))
        {
            case PullResult.Failed failed:
                return failed.Failure.Sentence;
            case PullResult.Document document:
                return await TakeAsync(url, document, cancellationToken);
            default:
                return null;
        }
    }

    private async Task<string?> TakeAsync(
        Uri url, PullResult.Document document, CancellationToken cancellationToken)
    {
        SignalsDocument? said;
        try
        {
            said = JsonSerializer.Deserialize(document.Bytes, QuartersJson.Default.SignalsDocument);
        }
        catch (Exception problem) when (problem is JsonException or NotSupportedException)
        {
            return $"{url} is no list of signals that this master knows: {problem.Message}";
        }

        if (said?.Schema != Schemas.Signals)
            return $"{url} has the schema '{said?.Schema}'; this master reads {Schemas.Signals}";
        if (Signals.FindFault(said) is { } fault) return $"{url}: {fault}";
        var now = time.GetUtcNow();
        foreach (var signal in Signals.NewOf(ledger.State, polled.Name, said, now))
            await desk.SettleAsync(signal, polled.Name, cancellationToken);
        if (Signals.FindPostponed(said, now) is not { } postponed)
        {
            _tag = document.Tag;
            return null;
        }

        // It is in this very document, which therefore is read again.
        _tag = null;
        return $"the signal {postponed.Id} is dated {postponed.Time:u}, which is in the future, and waits; is the "
            + "operator's clock right?";
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "operator {Operator}: {Reason}")]
    private partial void LogTrouble(string @operator, string reason);
}
