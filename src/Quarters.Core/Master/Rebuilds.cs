using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>Mass rebuilds from their beginning until they are merged or dropped.</summary>
public static class Rebuilds
{
    /// <summary>So much of a line that differs is shown, in characters.</summary>
    private const int MaxLine = 200;

    /// <summary>The source packages that are to be made: of all that have none yet, and of those whose source has
    /// another now, which supersedes what was made of the last.</summary>
    public static IEnumerable<BumpWish> Pending(MasterState state)
    {
        var wanted = (
            from rebuild in state.Rebuilds.Values
            where rebuild.Stage is null
            from pair in rebuild.Members
            let source = state.Packages.GetValueOrDefault(pair.Key)?.Source
            where source is not null && pair.Value.Of != source.ArchiveSha256
            select (Rebuild: rebuild, Source: source)).ToList();
        if (wanted.Count == 0) return [];
        var before = Moves.PublishedBefore(
            state, wanted.Select(one => one.Source.Pkgbase).ToHashSet(StringComparer.Ordinal));
        return wanted.Select(one => new BumpWish(
            one.Rebuild.Name,
            one.Source,
            ReleaseFor(
                one.Source,
                HeldVersions(state, one.Source, one.Rebuild.Name).Concat(before[one.Source.Pkgbase]),
                one.Rebuild.Bump)));
    }

    /// <summary>The versions of a package base that repositories of ours hold.</summary>
    /// <param name="state">The state.</param>
    /// <param name="source">The package's source.</param>
    /// <param name="side">A side repository that counts too, since its files do not change under their names either;
    /// null for none.</param>
    internal static IEnumerable<string> HeldVersions(MasterState state, SourcePackage source, string? side = null) =>
        from repository in state.Repositories.Values
        where repository.Name == side || state.Settings!.Repositories.Contains(repository.Name)
        from output in source.Packages
        let held = repository.Packages.GetValueOrDefault(output.Name)
        where held?.Pkgbase == source.Pkgbase
        select held.Version;

    /// <summary>The release that a rebuild gives a package; null where its source is newer than all that was published,
    /// and so is built as it is.</summary>
    /// <param name="source">The package's source.</param>
    /// <param name="published">The versions that are or were published, in any order: whoever has one of them must not
    /// meet another package of that version.</param>
    /// <param name="bump">How releases are raised.</param>
    internal static string? ReleaseFor(SourcePackage source, IEnumerable<string> published, BumpKind bump)
    {
        var isNewer = true;
        string? newest = null;
        foreach (var version in published)
        {
            isNewer &= PackageVersion.Compare(source.Version, version) > 0;
            if (Release.DiffersInReleaseOnly(version, source.Version)
                && (newest is null || PackageVersion.Compare(version, newest) > 0))
                newest = version;
        }

        return isNewer ? null : Release.Next(source.Version, newest, bump);
    }

    internal static Verdict Judge(MasterState state, MergeRebuild merge)
    {
        if (state.Rebuilds.GetValueOrDefault(merge.Name) is not { } rebuild)
            return Verdict.Refuse($"there is no rebuild {merge.Name}");
        if (rebuild.Stage is { } stage) return RefuseStage(merge.Name, stage);
        if (Settling.Of(state, rebuild) is { IsEmpty: false } again)
            return Verdict.Refuse($"{NameList.Of(again)} are about to be built once more");
        var missing = rebuild.Members.Where(pair => !IsBuilt(state, rebuild, pair.Value))
            .ToDictionary(pair => pair.Key, pair => WhyNot(state, rebuild, pair.Key));
        ImmutableArray<string> lines = [.. missing.Select(pair => $"{pair.Key} is not built: {pair.Value}").Order()];
        if (missing.Count > 0 && !merge.BuiltOnly)
            return Verdict.Refuse($"{missing.Count} of {rebuild.Members.Count} packages are not built") with
            {
                Details = lines,
            };
        var change = ChangeOf(state, rebuild, missing.Keys);
        if (change.IsEmpty) return Verdict.Refuse("nothing of it is built") with { Details = lines };
        ImmutableArray<string> older =
        [
            .. change.Where(one => one is { Before: { } before, After: { } after }
                && PackageVersion.Compare(after.Version, before.Version) <= 0)
                .Select(one => $"{one.Key()} holds {one.Name} {one.Before!.Version}, and the rebuild has "
                    + one.After!.Version),
        ];
        if (!older.IsEmpty) return Verdict.Refuse("what is published is newer") with { Details = older };
        var broken = Moves.Tell(MoveCheck.FindBroken(state, change, null));
        if (!broken.IsEmpty)
            return Verdict.Refuse($"it would break {broken.Length} dependencies") with { Details = broken };
        var why = $"the rebuild {rebuild.Name} ({rebuild.Why}) merged";
        var done = Moves.Done(
            state, change, why, [.. lines, .. Moves.Lines(change)], merge.DryRun);
        return merge.DryRun ? done : done with
        {
            Events =
            [
                new RepositoriesChanged(change, why) { Rebuild = rebuild.Name },
                new RebuildEnded(rebuild.Name, true),
            ],
        };
    }

    internal static Verdict Judge(MasterState state, DropRebuild drop) =>
        state.Rebuilds.GetValueOrDefault(drop.Name) switch
        {
            null => Verdict.Refuse($"there is no rebuild {drop.Name}"),
            { Stage: { } stage } => RefuseStage(drop.Name, stage),
            _ => Verdict.Of(new RebuildEnded(drop.Name, false)),
        };

    private static Verdict RefuseStage(string name, BootstrapStage stage) => Verdict.Refuse(
        $"{name} is a stage of the bootstrap {stage.Bootstrap}, which is merged or dropped as a whole");

    internal static void Begin(Transition transition, RebuildBegun begun)
    {
        transition.Rebuilds[begun.Name] = new Rebuild
        {
            Name = begun.Name,
            Bump = begun.Bump,
            Why = begun.Why,
            Settle = begun.Settle,
            Begun = transition.Time,
            Revision = transition.Revision,
            Members = begun.Pkgbases.ToImmutableSortedDictionary(
                pkgbase => pkgbase, _ => new RebuildMember(), StringComparer.Ordinal),
        };
        LostLibraries.Note(transition, begun);
        // Until all is prepared nothing of it is built, here or there.
        foreach (var pkgbase in begun.Pkgbases) Wants.Plan(transition, pkgbase);
    }

    internal static void Bump(Transition transition, RebuildBumped bumped)
    {
        if (!transition.Rebuilds.TryGetValue(bumped.Name, out var rebuild)
            || !rebuild.Members.ContainsKey(bumped.Pkgbase))
            return;
        var wasPrepared = rebuild.IsPrepared();
        rebuild = rebuild with { Members = rebuild.Members.SetItem(bumped.Pkgbase, bumped.Member) };
        // What waits under the old source package goes first: it is found by what that says.
        if (wasPrepared) Retire(transition, rebuild.Name, bumped.Pkgbase);
        transition.Rebuilds[bumped.Name] = rebuild;
        if (wasPrepared) Wants.Plan(transition, bumped.Pkgbase);
        else if (rebuild.IsPrepared())
            foreach (var pkgbase in rebuild.Members.Keys) Wants.Plan(transition, pkgbase);
    }

    internal static void End(Transition transition, RebuildEnded ended)
    {
        if (!transition.Rebuilds.TryGetValue(ended.Name, out var rebuild)) return;
        foreach (var pkgbase in rebuild.Members.Keys) Retire(transition, rebuild.Name, pkgbase);
        transition.ForgetRepository(rebuild.Name);
        foreach (var pkgbase in rebuild.Members.Keys) Wants.Plan(transition, pkgbase);
    }

    /// <summary>Whether all packages of a member are in the side repository.</summary>
    internal static bool IsBuilt(MasterState state, Rebuild rebuild, RebuildMember member) =>
        member.Source is { } source && Wants.Targets(state.Settings!, source).All(target =>
            state.Repositories.GetValueOrDefault(MasterState.RepositoryKey(rebuild.Name, target.PublishedFor))
                is { } side
            && Wants.PublishedVersion(side, source, target.PublishedFor) == source.Version);

    /// <summary>How far a package of a rebuild is.</summary>
    public static JobStatus StatusOf(MasterState state, Rebuild rebuild, string pkgbase)
    {
        var member = rebuild.Members[pkgbase];
        if (IsBuilt(state, rebuild, member)) return JobStatus.Built;
        if (member.Problem is not null) return JobStatus.Failed;
        // One architecture's may be built, and another's wait.
        return JobOf(state, rebuild, pkgbase)?.Status is { } status and not JobStatus.Built
            ? status
            : JobStatus.Blocked;
    }

    /// <summary>Why a package of a rebuild is not built, as the rest of a sentence.</summary>
    public static string WhyNot(MasterState state, Rebuild rebuild, string pkgbase)
    {
        if (rebuild.Members[pkgbase].Problem is { } problem) return problem;
        var job = JobOf(state, rebuild, pkgbase);
        if (job is null) return rebuild.IsPrepared() ? "it is held" : "the source packages are being made";
        var why = Master.Why.Of(state, job).TrimEnd('.');
        return why.Length == 0 ? $"it is {CamelCaseName(job.Status)}" : why;
    }

    private static Job? JobOf(MasterState state, Rebuild rebuild, string pkgbase) =>
        state.Packages.GetValueOrDefault(pkgbase)?.Jobs.Select(id => state.Jobs[id])
            .LastOrDefault(one => one.Rebuild == rebuild.Name);

    /// <summary>What there is to say of a package of a rebuild: a sentence, and indented the lines that differ from its
    /// source.</summary>
    internal static IEnumerable<string> Why(Rebuild rebuild, string pkgbase)
    {
        var member = rebuild.Members[pkgbase];
        var what = $"{pkgbase} is in the rebuild {rebuild.Name}";
        yield return member switch
        {
            { Problem: { } problem } => $"{what}, and cannot be built there: {problem.TrimEnd('.')}.",
            { Source: null } => $"{what}: its source package is being made.",
            { Diff.IsEmpty: true } => $"{what}: it is built as its source has it.",
            { Source: var made } => $"{what}: it is built from {made.ArchiveSha256}, which differs from its source by",
        };
        foreach (var line in member.Diff)
            yield return "  " + (line.Length <= MaxLine ? line : line[..MaxLine] + "…");
    }

    private static string CamelCaseName(JobStatus status) => status.ToString().ToLowerInvariant();

    private static void Retire(Transition transition, string rebuild, string pkgbase)
    {
        foreach (var job in Waits.OpenJobsOf(transition, pkgbase).Where(job => job.Rebuild == rebuild).ToList())
            transition.SetJob(job with { Status = JobStatus.Superseded, Builder = null, Blockers = [] });
    }

    /// <summary>What the side repository holds takes the place of what its packages' own repositories hold.</summary>
    internal static ImmutableArray<Replacement> ChangeOf(
        MasterState state, Rebuild rebuild, IReadOnlyCollection<string> without)
    {
        var change = ImmutableArray.CreateBuilder<Replacement>();
        foreach (var side in state.Repositories.Values.Where(repository => repository.Name == rebuild.Name))
        {
            var coming =
                from package in side.Packages.Values
                where !without.Contains(package.Pkgbase)
                let source = rebuild.Members.GetValueOrDefault(package.Pkgbase)?.Source
                where source is not null
                group package by source.Repository;
            foreach (var packages in coming)
            {
                var key = MasterState.RepositoryKey(packages.Key, side.Architecture);
                var target = state.Repositories.GetValueOrDefault(key)?.Packages;
                change.AddRange(packages.Select(package => new Replacement(
                    packages.Key, side.Architecture, package.Name, target?.GetValueOrDefault(package.Name), package)));
                // What a package base yields no more goes, unless another one of the rebuild yields it now.
                var names = packages.Select(package => package.Name).ToHashSet(StringComparer.Ordinal);
                var bases = packages.Select(package => package.Pkgbase).ToHashSet(StringComparer.Ordinal);
                change.AddRange((target?.Values ?? [])
                    .Where(left => bases.Contains(left.Pkgbase) && !names.Contains(left.Name))
                    .Select(left => new Replacement(packages.Key, side.Architecture, left.Name, left, null)));
            }
        }

        return change.ToImmutable();
    }
}
