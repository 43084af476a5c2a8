using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>What an operator wants of single packages and jobs: build, cancel, hold and release.</summary>
internal static class Wishes
{
    public static Verdict Judge(MasterState state, BuildNow build)
    {
        if (state.Packages.GetValueOrDefault(build.Name) is not { Source: { } source } record)
            return Unknown(build.Name);
        if (record.Held is { } held)
            return Verdict.Refuse($"{build.Name} is held ({held.Reason}): release it first");
        var job = record.Jobs.Select(id => state.Jobs[id])
            .LastOrDefault(job => job.SourceSha256 == source.ArchiveSha256 && !job.IsStaged);
        if (job is { IsOpen: true } && !Attempts.CanRetry(state, build.Name)) return Verdict.Nothing;
        if (WasPublished(state, source)) return Verdict.Refuse(
            $"{build.Name} {source.Version} was published already, and no file of that name may change; a rebuild "
            + "raises its pkgrel: quarters rebuild");
        var why = "an operator asked for it";
        return Attempts.CanRetry(state, build.Name)
            ? Verdict.Of(new Retried(build.Name, why))
            : Verdict.Of(new BuildOrdered(build.Name));
    }

    public static Verdict Judge(MasterState state, CancelJob cancel) =>
        state.Jobs.GetValueOrDefault(cancel.Name) switch
        {
            null => Verdict.Refuse("there is no job of that id; `quarters jobs` shows those that are open"),
            { IsOpen: false } done => Verdict.Refuse($"{done.Id} is not open: there is nothing to cancel"),
            var job => Verdict.Of(new JobCancelled(job.Id)),
        };

    public static Verdict Judge(MasterState state, HoldPackage hold)
    {
        if (!state.Packages.TryGetValue(hold.Name, out var record)) return Unknown(hold.Name);
        if (hold.Reason.Length > HoldPackage.MaxReasonLength)
            return Verdict.Refuse($"the reason is longer than {HoldPackage.MaxReasonLength} characters");
        var reason = hold.Reason.Length == 0 ? "an operator holds it" : hold.Reason;
        return record.Held?.Reason == reason ? Verdict.Nothing : Verdict.Of(new PackageHeld(hold.Name, reason));
    }

    public static Verdict Judge(MasterState state, ReleasePackage release)
    {
        if (!state.Packages.TryGetValue(release.Name, out var record)) return Unknown(release.Name);
        return record.Held is null ? Verdict.Nothing : Verdict.Of(new PackageReleased(release.Name));
    }

    public static void Order(Transition transition, BuildOrdered ordered)
    {
        if (transition.Packages.GetValueOrDefault(ordered.Pkgbase) is not { Source: { } source } record) return;
        transition.Packages[ordered.Pkgbase] = record with { Ordered = source.ArchiveSha256, Withdrawn = null };
        Wants.Plan(transition, ordered.Pkgbase);
    }

    /// <summary>A cancelled job rests like one that failed: nobody asks for it until something changes.</summary>
    public static void Cancel(Transition transition, JobCancelled cancelled)
    {
        if (transition.FindJob(cancelled.Job) is not { IsOpen: true } job) return;
        transition.SetJob(job with
        {
            Status = JobStatus.Failed,
            Builder = null,
            Snapshot = null,
            Blockers = [],
            NotBefore = null,
            Verdict = "an operator cancelled it",
        });
    }

    public static void Hold(Transition transition, PackageHeld held) =>
        SetHold(transition, held.Pkgbase, new Hold(held.Reason, transition.Time));

    public static void Release(Transition transition, PackageReleased released) =>
        SetHold(transition, released.Pkgbase, null);

    private static void SetHold(Transition transition, string pkgbase, Hold? hold)
    {
        if (!transition.Packages.TryGetValue(pkgbase, out var record)) return;
        transition.Packages[pkgbase] = record with
        {
            Held = hold,
            Released = hold is null ? transition.Time : record.Released,
        };
        Wants.Plan(transition, pkgbase);
    }

    /// <summary>Whether a source's version is published, or was: somebody may have it.</summary>
    private static bool WasPublished(MasterState state, SourcePackage source) =>
        state.Repositories.Values.Any(repository => source.Packages.Any(
            output => repository.Packages.GetValueOrDefault(output.Name) is { } held
                && held.Pkgbase == source.Pkgbase && held.Version == source.Version))
        || Moves.PublishedBefore(state, new HashSet<string> { source.Pkgbase })[source.Pkgbase]
            .Contains(source.Version);

    private static Verdict Unknown(string name) =>
        Verdict.Refuse($"no source holds a package base {name}");
}

/// <summary>A package that is neither built nor moved.</summary>
/// <param name="Reason">Why, in an operator's words.</param>
/// <param name="Since">Since when.</param>
public sealed record Hold(string Reason, DateTimeOffset Since);
