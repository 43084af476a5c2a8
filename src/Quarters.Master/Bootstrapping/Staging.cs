using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Quarters.Core.Master;
using Quarters.Master.Repositories;

namespace Quarters.Master.Bootstrapping;

/// <summary>Has the next stage of a bootstrap begin, or the bootstrap end, when a stage is complete.</summary>
internal sealed partial class Staging
{
    private readonly Channel<bool> _changed =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Ledger _ledger;
    private readonly StageReview _review;
    private readonly ILogger _logger;

    public Staging(Ledger ledger, StageReview review, ILogger<Staging> logger)
    {
        (_ledger, _review, _logger) = (ledger, review, logger);
        ledger.Changed += () => _changed.Writer.TryWrite(true);
        _changed.Writer.TryWrite(true);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (await _changed.Reader.WaitToReadAsync(cancellationToken))
        {
            _changed.Reader.TryRead(out _);
            var state = _ledger.State;
            foreach (var (bootstrap, stage) in Bootstraps.Due(state).ToList())
            {
                try
                {
                    var finished = _review.Compare(state, bootstrap, stage);
                    LogFinished(stage.Name, finished.Packages, finished.Differing);
                    await _ledger.RecordAsync([new StageFinished(bootstrap.Name, finished)], cancellationToken);
                }
                catch (Exception gone) when (gone is IOException or UnreadablePackageException
                    && !_ledger.State.Rebuilds.ContainsKey(stage.Name))
                {
                    // It was dropped meanwhile, and its files with it.
                    LogDropped(stage.Name);
                }
                catch (UnreadablePackageException unreadable)
                {
                    // Others go on. It is looked at again with the next change, and told of once.
                    if (bootstrap.Problem == unreadable.Message) continue;
                    LogUnreadable(stage.Name, unreadable.Message);
                    await _ledger.RecordAsync(
                        [new StageUnreadable(bootstrap.Name, bootstrap.Stage, unreadable.Message)], cancellationToken);
                }
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Stage} is complete: {Packages} packages, {Differing} of them unlike the stage before")]
    private partial void LogFinished(string stage, int packages, int differing);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Stage} cannot be compared with the stage before: {Problem}")]
    private partial void LogUnreadable(string stage, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Stage} was dropped before it was looked at")]
    private partial void LogDropped(string stage);
}
