using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Master.Keeping;
using Quarters.Master.Repositories;

namespace Quarters.Master.Signalling;

/// <summary>Where signals are settled, whichever way they came: journaled with what they bring about, and acted on
/// once.</summary>
internal sealed partial class SignalDesk(
    Ledger ledger, Setup setup, Publisher publisher, Adopting adopting, Housekeeping housekeeping,
    ILogger<SignalDesk> logger)
{
    /// <summary>Settles a signal, if it was not before.</summary>
    /// <param name="signal">What is asked for.</param>
    /// <param name="from">The operator who published it; null when it was in the spool.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task SettleAsync(Signal signal, string? from, CancellationToken cancellationToken)
    {
        // What names files of the master's machine is only for who works there: from afar it is refused below.
        if (signal is ReloadConfiguration && from is null) await ReloadAsync(signal, cancellationToken);
        else if (signal is CollectGarbage collect) await housekeeping.SettleAsync(collect, from, cancellationToken);
        else if (signal is AdoptRepository adopt && from is null) await adopting.SettleAsync(adopt, cancellationToken);
        else await ledger.DecideAsync(state => Decide(state, signal, from, publisher), cancellationToken);
        LogSettled(
            signal.Id, signal.KindName, from ?? "the spool",
            ledger.State.Signals.GetValueOrDefault(signal.Id)?.Refusal ?? "done");
    }

    /// <summary>What to journal for a signal; of a change of the repositories the files are in their places
    /// then.</summary>
    public static ImmutableArray<MasterEvent> Decide(
        MasterState state, Signal signal, string? from, Publisher publisher)
    {
        var events = Signals.Settle(state, signal, from);
        var problems = events.OfType<RepositoriesChanged>().SelectMany(c => publisher.Place(c, null)).ToList();
        return problems.Count == 0
            ? events
            :
            [
                new SignalSettled(signal, "package files that it needs cannot be put into their places")
                {
                    Operator = from,
                    Details = [.. problems, $"{Publisher.PlaceAdvice}; then ask for it again"],
                },
            ];
    }

    private async Task ReloadAsync(Signal signal, CancellationToken cancellationToken)
    {
        if (ledger.State.Signals.ContainsKey(signal.Id)) return;
        MasterSetup? read = null;
        string? refusal = null;
        try
        {
            read = setup.Reread();
        }
        catch (MasterException unusable)
        {
            refusal = unusable.Message;
        }

        await ledger.DecideAsync(
            state => read is null || (state.Settings?.SameAs(read.Settings) ?? false)
                ? [new SignalSettled(signal, refusal)]
                : [new Configured(read.Settings), new SignalSettled(signal, null)],
            cancellationToken);
        if (read is not null) setup.Replace(read);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "signal {Id} ({Kind}) from {From}: {Outcome}")]
    private partial void LogSettled(string id, string kind, string from, string outcome);
}
