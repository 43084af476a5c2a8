using System.Collections.Immutable;
using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>Says in sentences why a package stands where it stands.</summary>
public static class Why
{
    /// <summary>How much of a chain of waiting packages is shown, and how far it is followed to find a cycle at its
    /// end.</summary>
    private const int MaxChain = 12, MaxDepth = 1000;

    /// <summary>How many of a job's attempts are told.</summary>
    private const int MaxTries = 4;

    /// <summary>Why a package base is not built, or that it is; one sentence or more. Unknown names get one that says
    /// so.</summary>
    public static ImmutableArray<string> Of(MasterState state, string pkgbase)
    {
        var lines = ImmutableArray.CreateBuilder<string>();
        foreach (var unreadable in state.Unreadable.Values
            .Where(u => u.Name == pkgbase).OrderBy(u => u.Path, StringComparer.Ordinal))
            lines.Add($"{pkgbase} is failed: it cannot be read: {unreadable.Reason}");
        if (!state.Packages.TryGetValue(pkgbase, out var record))
        {
            if (lines.Count == 0) lines.Add(Unknown(state, pkgbase));
            return lines.ToImmutable();
        }

        if (record.Held is { } held)
            lines.Add($"{pkgbase} is held since {held.Since:yyyy-MM-dd HH:mm} UTC: {held.Reason}.");
        if (record is { Withdrawn: { } withdrawn, Source: not null })
        {
            lines.Add($"{pkgbase} {withdrawn} was taken out of the repositories; a newer version is built, or this one "
                + "with its release raised by `quarters rebuild`.");
        }

        if (state.Reviews.TryGetValue(pkgbase, out var review)) lines.AddRange(Reviews.Why(review));
        var rebuild = state.Rebuilds.Values.FirstOrDefault(one => one.Has(pkgbase));
        if (rebuild is not null) lines.AddRange(Rebuilds.Why(rebuild, pkgbase));
        if (record.Source is null && lines.Count == 0) lines.Add($"{pkgbase} is in no source any more.");
        if (record.Source is { } source)
        {
            var built = rebuild?.Members[pkgbase].Source ?? source;
            // What a stage of a bootstrap has built already is no news of the package.
            var current = record.Jobs.Select(id => state.Jobs[id])
                .Where(j => j.SourceSha256 == built.ArchiveSha256
                    && (!j.IsStaged || j.IsOpen || j.Status == JobStatus.Failed)).ToList();
            foreach (var job in current.Where(j => j.Status != JobStatus.Superseded)) AddJob(state, job, lines);
            if (lines.Count == (review is null ? 0 : 1)) lines.Add(NothingToDo(state, source));
        }

        lines.AddRange(LostLibraries.Of(state, pkgbase).Select(lost =>
            $"{pkgbase} is linked with {lost.Soname}, which nobody has any more since {lost.Pkgbase} {lost.Version}."));
        if (record.Source is { } promoted) lines.AddRange(Promotions.Why(state, promoted));
        AddWanters(state, pkgbase, lines);
        return lines.ToImmutable();
    }

    /// <summary>Why a job stands where it stands, in one sentence; empty where the status says all.</summary>
    public static string Of(MasterState state, Job job) => job.Status switch
    {
        JobStatus.Blocked => string.Join("; ", job.Blockers.Select(b => Of(state, b))),
        JobStatus.Failed when job.Attempts is [.., var last] =>
            $"{Tries(Counted(job, last))}: broken, since {job.Verdict ?? "it is not tried again"}",
        JobStatus.Superseded when job.Attempts is [.., var last] => Tries([last]),
        JobStatus.Ready when job.CurrentAttempts() is { IsEmpty: false } tried =>
            $"{Tries(tried)}: to be tried {Next(state, job, tried[^1])}",
        JobStatus.Ready when job.Retries is [.., var reason] => $"to be tried again, since {reason.Why}",
        JobStatus.Ready when !job.BuiltAgainstOlder.IsEmpty =>
            $"built against the older {string.Join(", ", job.BuiltAgainstOlder)}, which waits for it",
        JobStatus.Built when !job.BuiltAgainstOlder.IsEmpty =>
            $"it was built against the older {string.Join(", ", job.BuiltAgainstOlder)}, which waited for it",
        JobStatus.Building => $"attempt {job.Attempt} runs at {job.Builder}",
        _ => "",
    };

    /// <summary>The attempts that a broken job is judged by: at least the last.</summary>
    private static ImmutableArray<Attempt> Counted(Job job, Attempt last) =>
        job.CurrentAttempts() is { IsEmpty: false } tried ? tried : [last];

    /// <summary>What came of the last attempts: <c>failed at anna (build: …) and boris (build: …)</c>.</summary>
    private static string Tries(ImmutableArray<Attempt> attempts)
    {
        var text = attempts.Length > MaxTries ? $"tried {attempts.Length} times, then " : "";
        AttemptEnd? before = null;
        foreach (var attempt in attempts.Skip(attempts.Length - MaxTries))
        {
            var verb = attempt.End switch
            {
                AttemptEnd.Refused => "refused from ",
                AttemptEnd.Lost => "lost at ",
                AttemptEnd.GivenUp => "given up at ",
                AttemptEnd.Witnessed => "built by ",
                _ => "failed at ",
            };
            text += (before is null ? "" : attempt.End == before ? " and " : ", then ")
                + (attempt.End == before ? "" : verb)
                + $"{attempt.Builder} ({attempt.Reason.TrimEnd('.')})";
            before = attempt.End;
        }

        return text;
    }

    /// <summary>By whom and when it is to be tried next.</summary>
    private static string Next(MasterState state, Job job, Attempt last)
    {
        // As seen when it may first be taken: what is said must not depend on who asks when.
        var from = job.NotBefore ?? last.Settled;
        var avoided = Avoidance.Of(state.BuildersFor(job), job, from);
        var by = avoided.IsEmpty ? "again" : $"by another builder than {NameList.Of([.. avoided.Select(b => b.Name)])}";
        if (state.BuildersFor(job).All(avoided.Contains)) by += ", and no other is listed that could";
        var at = job.NotBefore is { } start ? $", not before {start:HH:mm:ss} UTC" : "";
        var until = Avoidance.NextChange(state.BuildersFor(job), job, from) is { } end
            ? $" (if none takes it until {end:yyyy-MM-dd HH:mm} UTC, also by the same)"
            : "";
        return by + at + until;
    }

    private static string Of(MasterState state, Blocker blocker)
    {
        switch (blocker.Kind)
        {
            case BlockerKind.Missing:
                return $"nobody provides {blocker.Relation}";
            case BlockerKind.Failed:
                return $"{blocker.Relation} comes from {blocker.Pkgbase}, which failed";
            default:
                var provider = OpenJob(state, blocker.Pkgbase!);
                return provider is null
                    ? $"it waits for {blocker.Pkgbase}"
                    : $"it waits for {blocker.Pkgbase}, which is {Name(provider.Status)}";
        }
    }

    private static void AddJob(MasterState state, Job job, ImmutableArray<string>.Builder lines)
    {
        var reason = Of(state, job).TrimEnd('.');
        var what = $"{job.Pkgbase} {job.Version} for {job.Architecture}{(job.IsStaged ? " in " + job.Rebuild : "")} is "
            + Name(job.Status);
        lines.Add(reason.Length == 0 ? what + "." : $"{what}: {reason}.");
        if (job.Status == JobStatus.Blocked) AddChain(state, job, lines);
        if (job.Status == JobStatus.Failed && job.Attempts is [.., { Result.Failure: not null }])
            lines.Add($"See the whole log: quarters log {job.Id}");
    }

    private static void AddChain(MasterState state, Job job, ImmutableArray<string>.Builder lines)
    {
        var chain = new List<string> { job.Pkgbase };
        for (var depth = 0; depth < MaxDepth; depth++)
        {
            var next = job.Blockers.FirstOrDefault(b => b.Kind == BlockerKind.Waiting)?.Pkgbase;
            if (next is null || OpenJob(state, next) is not { } provider) return;
            if (chain.IndexOf(next) is >= 0 and var start)
            {
                lines.Add($"  {string.Join(" waits for ", chain.Skip(start).Append(next))}: a cycle, and no repository "
                    + "holds an older package to build it against; provide one of them from elsewhere.");
                return;
            }

            chain.Add(next);
            job = provider;
            if (depth >= MaxChain) continue;
            var reason = Of(state, provider).TrimEnd('.');
            var what = $"  {provider.Pkgbase} {provider.Version} is {Name(provider.Status)}";
            lines.Add(reason.Length == 0 ? what + "." : $"{what}: {reason}.");
        }
    }

    private static void AddWanters(MasterState state, string pkgbase, ImmutableArray<string>.Builder lines)
    {
        var wanters = state.Blocked.Select(id => state.Jobs[id])
            .Where(j => j.Blockers.Any(b => b.Pkgbase == pkgbase))
            .Select(j => j.Pkgbase).Distinct(StringComparer.Ordinal).ToList();
        if (wanters.Count > 0) lines.Add($"Waiting for it: {NameList.Of(wanters)}.");
    }

    private static string Unknown(MasterState state, string name)
    {
        var wanters = state.Blocked.Select(id => state.Jobs[id])
            .Where(j => j.Blockers.Any(
                b => b.Relation == name || b.Relation.StartsWith(name, StringComparison.Ordinal)))
            .Select(j => j.Pkgbase).Distinct(StringComparer.Ordinal).ToList();
        var owner = state.Packages.Values.Select(p => p.Source)
            .FirstOrDefault(s => s is not null && s.Packages.Any(o => o.Name == name));
        if (owner is not null) return $"{name} is a package of {owner.Pkgbase}; ask: quarters why {owner.Pkgbase}";
        return wanters.Count == 0
            ? $"{name} is unknown here: no source holds a package base of that name."
            : $"{name} is in no source and in no repository; it is wanted by {NameList.Of(wanters)}.";
    }

    private static string NothingToDo(MasterState state, Sources.SourcePackage source)
    {
        var architectures = state.Settings?.Architectures ?? [];
        if (!source.Architectures.Contains("any") && !source.Architectures.Any(architectures.Contains))
            return $"{source.Pkgbase} is not built: it is for {string.Join(", ", source.Architectures)}, "
                + $"and this farm builds for {string.Join(", ", architectures)}.";
        return $"{source.Pkgbase} {source.Version} is built: "
            + "our repositories hold this version or a newer one.";
    }

    private static Job? OpenJob(MasterState state, string pkgbase) =>
        state.Packages.TryGetValue(pkgbase, out var record)
            ? record.Jobs.Select(id => state.Jobs[id]).LastOrDefault(j => j.IsOpen)
            : null;

    private static string Name(JobStatus status) => status switch
    {
        JobStatus.Blocked => "blocked",
        JobStatus.Ready => "ready",
        JobStatus.Building => "building",
        JobStatus.Built => "built",
        JobStatus.Failed => "failed",
        _ => "superseded",
    };
}
