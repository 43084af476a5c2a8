using System.Buffers;
using System.Collections.Immutable;
using Quarters.Core.Documents;

namespace Quarters.Core.Master;

/// <summary>What signals bring about. A signal is judged against the state as it is then, and settled once.</summary>
public static class Signals
{
    /// <summary>No more builders than so many are listed.</summary>
    public const int MaxBuilders = 10_000;

    /// <summary>No builder's address is longer than this many characters.</summary>
    public const int MaxUrlLength = 500;

    /// <summary>So far an operator's clock may be ahead.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);

    private const int KeyLength = 64;

    private const string KeyPrefix = "sha256:";

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>What to journal for a signal, in one batch: the events of what it brings about, and that it is settled.
    /// Nothing when it was settled before.</summary>
    /// <param name="state">The state to judge it against.</param>
    /// <param name="signal">The signal.</param>
    /// <param name="from">The operator who published it; null when it was in the spool.</param>
    public static ImmutableArray<MasterEvent> Settle(MasterState state, Signal signal, string? from = null)
    {
        if (state.Signals.ContainsKey(signal.Id)) return [];
        var verdict = Judge(state, signal);
        return
        [
            .. verdict.Events,
            new SignalSettled(signal, verdict.Refusal) { Operator = from, Details = verdict.Details },
        ];
    }

    /// <summary>
    /// The signals of an operator's document that are to be settled, in their order: those after the last one that was.
    /// So none is acted on twice, even if somebody shows an old document when its outcome is long forgotten. One from
    /// the future waits, or none after it would be heard.
    /// </summary>
    public static IEnumerable<Signal> NewOf(
        MasterState state, string from, SignalsDocument document, DateTimeOffset now)
    {
        var mark = state.OperatorMarks.GetValueOrDefault(from);
        return document.Signals
            .Where(signal => !IsPostponed(signal, now) && (mark is null || mark.IsBefore(signal)))
            .OrderBy(signal => signal.Time).ThenBy(signal => signal.Id, StringComparer.Ordinal);
    }

    /// <summary>The first signal of an operator's document whose time is still to come; null for none.</summary>
    public static Signal? FindPostponed(SignalsDocument document, DateTimeOffset now) =>
        document.Signals.Where(signal => IsPostponed(signal, now)).MinBy(signal => signal.Time);

    /// <summary>Whether no master acts on a signal yet, because its time is too far in the future.</summary>
    public static bool IsPostponed(Signal signal, DateTimeOffset now) => signal.Time > now + ClockTolerance;

    /// <summary>Why an operator's document cannot be one; null when it can.</summary>
    public static string? FindFault(SignalsDocument document)
    {
        if (document.Signals.Length > SignalsDocument.MaxSignals)
            return $"it holds more than {SignalsDocument.MaxSignals} signals";
        foreach (var signal in document.Signals)
        {
            if (signal?.Schema != Schemas.Signal || !Signal.IsValidId(signal.Id))
                return $"'{signal?.Id}' is no signal: it needs the schema {Schemas.Signal} and an id of letters, "
                    + "digits and '-'";
            if (FindFault(signal) is { } fault) return $"{signal.Id} is no signal: {fault}";
        }

        return null;
    }

    /// <summary>Why what was read cannot be a signal, whichever way it came; null when it can. What reads JSON refuses
    /// null for a member, but not in a list.</summary>
    public static string? FindFault(Signal signal)
    {
        (string Member, ImmutableArray<string> Names)[] lists = signal switch
        {
            MovePackages move => [("names", move.Names)],
            RemovePackages remove => [("names", remove.Names)],
            BeginRebuild begin =>
                [("names", begin.Names), ("dependentsOf", begin.DependentsOf), ("sonames", begin.Sonames)],
            BeginBootstrap begin => [("names", begin.Names), ("seeds", begin.Seeds)],
            _ => [],
        };
        foreach (var (member, names) in lists)
        {
            if (names.Contains(null!)) return $"there is null among its {member}";
        }

        return null;
    }

    /// <summary>Why a builder's address cannot be one; null when it can.</summary>
    public static string? FindUrlFault(string url) =>
        url.Length <= MaxUrlLength && Uri.TryCreate(url, UriKind.Absolute, out var address)
        && address.Scheme == Uri.UriSchemeHttps && address.Query.Length == 0 && address.Fragment.Length == 0
        && address.UserInfo.Length == 0
            ? null
            : "the address must begin with https:// and be no more than host, port and path, such as "
                + "https://builder.example.org:7374/";

    /// <summary>Whether a text names a key: <c>sha256:</c> and 64 lower-case hexadecimal digits.</summary>
    public static bool IsKey(string text) =>
        text.Length == KeyPrefix.Length + KeyLength && text.StartsWith(KeyPrefix, StringComparison.Ordinal)
        && text.AsSpan(KeyPrefix.Length).IndexOfAnyExcept(HexDigits) < 0;

    internal static void Note(Transition transition, SignalSettled settled)
    {
        var signals = transition.Signals;
        signals[settled.Signal.Id] = new SignalOutcome(settled.Signal, transition.Time, settled.Refusal)
        {
            Details = settled.Details,
        };
        if (settled.Operator is { } from)
            transition.Marks = transition.Marks.SetItem(
                from, new SignalMark(settled.Signal.Time, settled.Signal.Id));
        if (signals.Count <= MasterState.MaxSignals) return;
        var oldest = signals.MinBy(known => (known.Value.Settled, known.Key));
        signals.Remove(oldest.Key);
    }

    private static Verdict Judge(MasterState state, Signal signal) => signal switch
    {
        AddBuilder add => Add(state, add),
        DrainBuilder drain => Known(
            state, drain.Name, known => known.Draining == !drain.Undo
                ? Verdict.Nothing
                : Verdict.Of(new BuilderDrained(drain.Name, !drain.Undo))),
        RemoveBuilder remove => Known(
            state, remove.Name, known => known.IsConfigured
                ? Verdict.Refuse($"{remove.Name} is named by the master's configuration; take it out there")
                : Verdict.Of(new BuilderRemoved(remove.Name))),
        RetryJob retry => Retry(state, retry.Name),
        BuildNow build => Wishes.Judge(state, build),
        CancelJob cancel => Wishes.Judge(state, cancel),
        JudgeChange judge => Reviews.Judge(state, judge),
        HoldPackage hold => Wishes.Judge(state, hold),
        ReleasePackage release => Wishes.Judge(state, release),
        MovePackages move => Moves.Judge(state, move),
        RemovePackages remove => Moves.Judge(state, remove),
        UndoChange undo => Moves.Judge(state, undo),
        BeginRebuild begin => RebuildChoice.Judge(state, begin),
        BeginBootstrap begin => BootstrapChoice.Judge(state, begin),
        MergeRebuild merge when state.Bootstraps.ContainsKey(merge.Name) => Bootstraps.Judge(state, merge),
        MergeRebuild merge => Rebuilds.Judge(state, merge),
        DropRebuild drop when state.Bootstraps.ContainsKey(drop.Name) =>
            Verdict.Of(new BootstrapEnded(drop.Name, false)),
        DropRebuild drop => Rebuilds.Judge(state, drop),
        AdoptRepository => Verdict.Refuse("only who works on the master's machine can have a directory there adopted"),
        CollectGarbage => Verdict.Refuse("only the master itself can delete its files"),
        ReloadConfiguration => Verdict.Refuse("only who works on the master's machine can have its configuration read"),
        _ => throw new InvalidOperationException($"no rule for the signal {signal.KindName}"),
    };

    private static Verdict Add(MasterState state, AddBuilder add)
    {
        if (!NodeName.IsValid(add.Name)) return Verdict.Refuse($"a builder's name must be {NodeName.Rule}");
        if (FindUrlFault(add.Url) is { } fault) return Verdict.Refuse(fault);
        if (!IsKey(add.PublicKey))
            return Verdict.Refuse("a key is written sha256:HEX, 64 digits, as `quarters builder init` prints it");
        var known = state.Builders.GetValueOrDefault(add.Name);
        if (known is { IsConfigured: true })
            return Verdict.Refuse($"{add.Name} is named by the master's configuration; choose another name");
        if (known is not null && known.PublicKey != add.PublicKey)
            return Verdict.Refuse(
                $"{add.Name} is listed with another key; if it was made anew, remove it first: "
                + $"quarters builders remove {add.Name}");
        if (state.Builders.Values.FirstOrDefault(b => b.PublicKey == add.PublicKey && b.Name != add.Name) is { } same)
            return Verdict.Refuse($"that key is listed as {same.Name}");
        if (known is null && state.Builders.Count >= MaxBuilders)
            return Verdict.Refuse($"{MaxBuilders} builders are listed, and no more can be");
        return known?.Url == add.Url
            ? Verdict.Nothing
            : Verdict.Of(new BuilderListed(add.Name, add.Url, add.PublicKey));
    }

    private static Verdict Retry(MasterState state, string name)
    {
        if (!state.Jobs.ContainsKey(name) && !state.Packages.ContainsKey(name))
            return Verdict.Refuse("that is unknown here: neither a job's id nor a package base");
        return Attempts.CanRetry(state, name)
            ? Verdict.Of(new Retried(name, "an operator asked for it"))
            : Verdict.Refuse($"{name} did not fail: there is nothing to try again");
    }

    private static Verdict Known(MasterState state, string name, Func<BuilderRecord, Verdict> judge) =>
        state.Builders.TryGetValue(name, out var known)
            ? judge(known)
            : Verdict.Refuse("no builder of that name is listed; `quarters builders list` shows them");
}
