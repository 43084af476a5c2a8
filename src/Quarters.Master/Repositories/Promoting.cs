using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Quarters.Core.Master;

namespace Quarters.Master.Repositories;

/// <summary>Has packages go on by themselves when their time has come.</summary>
internal sealed partial class Promoting(
    Ledger ledger, Publisher publisher, TimeSpan interval, TimeProvider time, ILogger<Promoting> logger)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
            await ledger.DecideAsync(state => Decide(state), cancellationToken);
    }

    private ImmutableArray<MasterEvent> Decide(MasterState state)
    {
        var events = Promotions.Due(state, time.GetUtcNow());
        foreach (var changed in events.OfType<RepositoriesChanged>())
        {
            if (publisher.Place(changed, null) is { Count: > 0 } problems)
            {
                LogNotDone(changed.Why, string.Join("; ", problems), Publisher.PlaceAdvice);
                return [];
            }
        }

        return events;
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "not done, and tried again as long as it is due: {What}: {Problems}; {Advice}")]
    private partial void LogNotDone(string what, string problems, string advice);
}
