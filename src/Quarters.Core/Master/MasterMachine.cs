using System.Collections.Immutable;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>
/// The master as a function: a state and an event give the next state and what of it changed. No clock, no file, no
/// network: the shell around it has those, and the simulator replaces the shell.
/// </summary>
public static class MasterMachine
{
    /// <summary>The state after an event.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="happened">What happened.</param>
    /// <param name="time">When it was journaled.</param>
    public static MasterStep Apply(MasterState state, MasterEvent happened, DateTimeOffset time)
    {
        var transition = new Transition(state, time);
        switch (happened)
        {
            case MasterStarted: break;
            case Configured configured: transition.Configure(configured.Settings); break;
            case BuilderListed listed: Listing.List(transition, listed); break;
            case BuilderDescribed described: Listing.Describe(transition, described); break;
            case BuilderDrained drained: Listing.Drain(transition, drained); break;
            case BuilderRemoved removed: Listing.Remove(transition, removed); break;
            case SignalSettled settled: Signals.Note(transition, settled); break;
            case SourcePolled polled: SourceChanges.Apply(transition, polled); break;
            case ChangeJudged judged: Reviews.Apply(transition, judged); break;
            case OutsidePinned pinned: transition.Pin(pinned); break;
            case ClaimSeen seen: Attempts.Begin(transition, seen); break;
            case ClaimLost lost: Attempts.Lose(transition, lost); break;
            case ClaimGivenUp given: Attempts.GiveUp(transition, given); break;
            case AttemptFailed failed: Attempts.Fail(transition, failed); break;
            case ResultAccepted accepted: Attempts.Accept(transition, accepted); break;
            case ResultWitnessed witnessed: Attempts.Witness(transition, witnessed); break;
            case ResultRefused refused: Attempts.Refuse(transition, refused); break;
            case Retried retried: Attempts.Retry(transition, retried); break;
            case RepositoriesChanged changed: Moves.Apply(transition, changed); break;
            case RebuildBegun begun: Rebuilds.Begin(transition, begun); break;
            case RebuildBumped bumped: Rebuilds.Bump(transition, bumped); break;
            case RebuildSettling settling: Settling.Begin(transition, settling); break;
            case RebuildEnded ended: Rebuilds.End(transition, ended); break;
            case BootstrapBegun begun: Bootstraps.Begin(transition, begun); break;
            case StageFinished finished: Bootstraps.Finish(transition, finished); break;
            case StageUnreadable unreadable: Bootstraps.Note(transition, unreadable); break;
            case BootstrapEnded ended: Bootstraps.End(transition, ended); break;
            case BuildOrdered ordered: Wishes.Order(transition, ordered); break;
            case JobCancelled cancelled: Wishes.Cancel(transition, cancelled); break;
            case PackageHeld held: Wishes.Hold(transition, held); break;
            case PackageReleased released: Wishes.Release(transition, released); break;
            case RepositoryPublished published: transition.Publish(published); break;
            case HistoryForgotten forgotten: Retention.Apply(transition, forgotten); break;
            default: throw new InvalidOperationException($"no rule for the event {happened.GetType().Name}");
        }

        return Notices.Tell(state, happened, transition.Finish(), time);
    }

    /// <summary>
    /// A state as it was stored, with everything derived made again. The pinned repositories' indexes are an argument:
    /// they are files, not state.
    /// </summary>
    /// <param name="stored">What was stored; nothing derived is looked at.</param>
    /// <param name="index">Reads what a pinned database offers.</param>
    /// <param name="time">When this happens: a job whose status turns out to be another has it since then.</param>
    public static MasterState Restore(
        MasterState stored, Func<PinnedRepository, PackageIndex> index, DateTimeOffset time)
    {
        var outside = stored.Outside.ToImmutableSortedDictionary(
            pair => pair.Key, pair => pair.Value with { Index = index(pair.Value) }, StringComparer.Ordinal);
        var transition = new Transition(stored with { Outside = outside }, time);
        transition.DeriveAll();
        return transition.Finish().State with { Revision = stored.Revision };
    }
}

/// <summary>What one event did.</summary>
/// <param name="State">The state after it.</param>
/// <param name="Jobs">The jobs that changed.</param>
/// <param name="Packages">The package bases of which something changed.</param>
/// <param name="Publish">Our repositories (<see cref="MasterState.RepositoryKey"/>) whose content changed.</param>
public sealed record MasterStep(
    MasterState State,
    ImmutableHashSet<string> Jobs,
    ImmutableHashSet<string> Packages,
    ImmutableHashSet<string> Publish);
