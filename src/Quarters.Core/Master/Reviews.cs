using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>Changes that wait until an operator has looked at them. What was accepted last is built
/// meanwhile.</summary>
internal static class Reviews
{
    public static Verdict Judge(MasterState state, JudgeChange judge)
    {
        if (!state.Reviews.TryGetValue(judge.Name, out var pending))
            return Verdict.Refuse(
                $"no change of {judge.Name} needs review; `quarters review list` shows those that do");
        if (pending.Offered.ArchiveSha256 != judge.ArchiveSha256)
            return Verdict.Refuse(
                $"{judge.Name} has changed since it was looked at: quarters review show {judge.Name}");
        return judge.Reject && pending.Rejected
            ? Verdict.Nothing
            : Verdict.Of(new ChangeJudged(judge.Name, judge.ArchiveSha256, judge.Reject));
    }

    public static void Apply(Transition transition, ChangeJudged judged)
    {
        if (!transition.Reviews.TryGetValue(judged.Pkgbase, out var pending)
            || pending.Offered.ArchiveSha256 != judged.ArchiveSha256)
            return;
        transition.TouchPackage(judged.Pkgbase);
        if (judged.Rejected)
        {
            transition.Reviews[judged.Pkgbase] = pending with { Rejected = true };
            return;
        }

        transition.Reviews.Remove(judged.Pkgbase);
        var record = transition.Packages.GetValueOrDefault(judged.Pkgbase) ?? new PackageRecord();
        transition.Packages[judged.Pkgbase] = record with { Source = pending.Offered };
        Wants.Plan(transition, judged.Pkgbase);
    }

    /// <summary>A source offers a change that needs review.</summary>
    public static void Offer(Transition transition, SourcePackage offered, NeededReview needed)
    {
        var before = transition.Reviews.GetValueOrDefault(offered.Pkgbase);
        // What was rejected stays so, however often it is offered.
        var isSame = before?.Offered.ArchiveSha256 == offered.ArchiveSha256;
        transition.Reviews[offered.Pkgbase] = new PendingReview
        {
            Offered = offered,
            Findings = needed.Findings,
            Diff = needed.Diff,
            Since = isSame ? before!.Since : transition.Time,
            Rejected = isSame && before!.Rejected,
        };
        if (!transition.Packages.ContainsKey(offered.Pkgbase))
            transition.Packages[offered.Pkgbase] = new PackageRecord();
        transition.TouchPackage(offered.Pkgbase);
    }

    /// <summary>A source has the package at a path no more, or not readable: then its change is none either.</summary>
    public static void Forget(Transition transition, string pkgbase, string source, string path)
    {
        if (transition.Reviews.TryGetValue(pkgbase, out var pending) && pending.Offered.Origin.Source == source
            && pending.Offered.Origin.Path == path)
        {
            transition.Reviews.Remove(pkgbase);
            transition.TouchPackage(pkgbase);
        }
    }

    /// <summary>What there is to say of a change that waits, a sentence each.</summary>
    public static IEnumerable<string> Why(PendingReview pending)
    {
        var name = pending.Offered.Pkgbase;
        var what = $"{name} {pending.Offered.Version} from {pending.Offered.Origin.Source}";
        var findings = string.Join("; ", pending.Findings);
        yield return pending.Rejected
            ? $"{what} was rejected by an operator: {findings}."
            : $"{what} needs review: {findings}. Look at it, then accept or reject it: quarters review show {name}";
    }
}

/// <summary>A change that waits until an operator has looked at it.</summary>
/// <param name="Path">The package's path in its source.</param>
/// <param name="Findings">What should be seen, a sentence each.</param>
/// <param name="Diff">How it differs from what was accepted last, cut where it is long.</param>
public sealed record NeededReview(string Path, ImmutableArray<string> Findings, string Diff);

/// <summary>The same, as the master keeps it.</summary>
public sealed record PendingReview
{
    /// <summary>What is built when it is accepted.</summary>
    public required SourcePackage Offered { get; init; }

    /// <summary>What should be seen, a sentence each.</summary>
    public ImmutableArray<string> Findings { get => field.IsDefault ? [] : field; init; }

    /// <summary>How it differs from what was accepted last, cut where it is long.</summary>
    public required string Diff { get; init; }

    /// <summary>Since when it waits.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>An operator does not want it: it waits no more, and is not built.</summary>
    public bool Rejected { get; init; }
}
