using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>Bootstraps from their beginning until they are merged or dropped.</summary>
public static class Bootstraps
{
    /// <summary>Between a bootstrap's name and a stage's number.</summary>
    internal const string StageSuffix = "-stage";

    /// <summary>No bootstrap has more stages.</summary>
    public const int MaxStages = 100;

    /// <summary>So many lines are told at most of what is left out, and of what is not built.</summary>
    private const int MaxLines = 200;

    /// <summary>The stages that are complete, and of which is to be told what differs.</summary>
    public static IEnumerable<(Bootstrap Bootstrap, Rebuild Stage)> Due(MasterState state) =>
        from bootstrap in state.Bootstraps.Values
        where bootstrap.End is null
        let stage = state.Rebuilds.GetValueOrDefault(bootstrap.RepositoryOf(bootstrap.Stage))
        where stage is not null && stage.Members.Values.All(member => Rebuilds.IsBuilt(state, stage, member))
        select (bootstrap, stage);

    /// <summary>The packages of a stage's side repository, for all architectures.</summary>
    public static IEnumerable<RepositoryPackage> PackagesOf(MasterState state, string repository) => state.Repositories
        .Values.Where(one => one.Name == repository).SelectMany(one => one.Packages.Values);

    /// <summary>How far each is.</summary>
    public static BootstrapsDocument Document(MasterState state) => new()
    {
        Revision = state.Revision,
        Bootstraps = [.. state.Bootstraps.Values.Select(bootstrap => Status(state, bootstrap))],
    };

    /// <summary>How far one is.</summary>
    public static BootstrapStatus Status(MasterState state, Bootstrap bootstrap)
    {
        var stage = state.Rebuilds[bootstrap.RepositoryOf(bootstrap.Stage)];
        var missing = stage.Members.Where(pair => !Rebuilds.IsBuilt(state, stage, pair.Value)).ToList();
        // Without a seed no snapshot of the stage can be offered.
        ImmutableArray<string> lost =
        [
            .. bootstrap.Seeds.Where(seed => state.Settings is { } settings
                && settings.Outside.All(one => one.Name != seed)),
        ];
        var goesOn = missing.Count == 0 || missing.Any(pair => state.Packages[pair.Key].Jobs
            .Select(id => state.Jobs[id])
            .Any(job => job.Rebuild == stage.Name && (job.Status == JobStatus.Building
                || (job.Status == JobStatus.Ready && lost.IsEmpty))));
        var problem = missing.Count == 0 ? bootstrap.Problem : null;
        return new BootstrapStatus
        {
            Name = bootstrap.Name,
            Seeds = bootstrap.Seeds,
            Packages = stage.Members.Count,
            LeftOut = [.. bootstrap.LeftOut.Take(MaxLines)],
            MoreLeftOut = Math.Max(0, bootstrap.LeftOut.Length - MaxLines),
            Begun = bootstrap.Begun,
            Outcome = bootstrap.End ?? (goesOn && problem is null ? BootstrapOutcome.Building : BootstrapOutcome.Stuck),
            Stage = bootstrap.Stage,
            MaxStages = bootstrap.MaxStages,
            Built = stage.Members.Count - missing.Count,
            NotBuilt =
            [
                .. missing.Count == 0 ? [] : lost.Select(seed =>
                    $"the seed {seed} is not in the configuration any more: put it back, or drop the bootstrap"),
                .. missing.Take(MaxLines).Select(pair =>
                    $"{pair.Key}: {Rebuilds.WhyNot(state, stage, pair.Key)}"),
                .. ((string?[])[problem]).OfType<string>(),
            ],
            Finished = bootstrap.Finished,
        };
    }

    internal static Verdict Judge(MasterState state, MergeRebuild merge)
    {
        var bootstrap = state.Bootstraps[merge.Name];
        if (bootstrap.End is null)
            return Verdict.Refuse($"stage {bootstrap.Stage} is not built yet: quarters bootstrap show {merge.Name}");
        var stage = state.Rebuilds[bootstrap.RepositoryOf(bootstrap.Stage)];
        ImmutableArray<Replacement> change =
            [.. Rebuilds.ChangeOf(state, stage, []).Where(one => one.Before?.Sha256 != one.After?.Sha256)];
        ImmutableArray<string> kept =
        [
            .. change.Where(one => one is { Before: { } before, After: { } after }
                && PackageVersion.Compare(after.Version, before.Version) <= 0)
                .Select(one => $"{one.Key()} holds {one.Name} {one.Before!.Version}, and the last stage has "
                    + $"{one.After!.Version} with other bytes"),
        ];
        if (!kept.IsEmpty)
            return Verdict.Refuse("what is published is as new, and no file of that name may change") with
            {
                Details = kept,
            };
        var broken = Moves.Tell(MoveCheck.FindBroken(state, change, null));
        if (!broken.IsEmpty)
            return Verdict.Refuse($"it would break {broken.Length} dependencies") with { Details = broken };
        var done = change.IsEmpty
            ? Verdict.Nothing with { Details = ["what is published has the same bytes already"] }
            : Moves.Done(
                state, change, $"the bootstrap {merge.Name} ({bootstrap.Stage} stages from "
                + $"{string.Join(", ", bootstrap.Seeds)}) merged", Moves.Lines(change), merge.DryRun);
        return merge.DryRun ? done : done with { Events = done.Events.Add(new BootstrapEnded(merge.Name, true)) };
    }

    internal static void Begin(Transition transition, BootstrapBegun begun)
    {
        transition.Bootstraps[begun.Name] = new Bootstrap
        {
            Name = begun.Name,
            Seeds = begun.Seeds,
            MaxStages = begun.MaxStages,
            LeftOut = begun.LeftOut,
            Begun = transition.Time,
        };
        // Every stage builds these sources, whatever is committed meanwhile.
        BeginStage(transition, transition.Bootstraps[begun.Name], begun.Pkgbases
            .Select(pkgbase => transition.Packages.GetValueOrDefault(pkgbase)?.Source).OfType<SourcePackage>());
    }

    internal static void Finish(Transition transition, StageFinished finished)
    {
        if (!transition.Bootstraps.TryGetValue(finished.Name, out var bootstrap) || bootstrap.End is not null
            || bootstrap.Stage != finished.Stage.Number
            || !transition.Rebuilds.TryGetValue(bootstrap.RepositoryOf(bootstrap.Stage), out var stage)) return;
        bootstrap = bootstrap with { Finished = bootstrap.Finished.Add(finished.Stage), Problem = null };
        BootstrapOutcome? end = bootstrap.Stage > 1 && finished.Stage.Differing == 0 ? BootstrapOutcome.Fixpoint
            : bootstrap.Stage >= bootstrap.MaxStages ? BootstrapOutcome.Limit
            : null;
        transition.Bootstraps[bootstrap.Name] = bootstrap with { End = end };
        if (end is not null) return;
        // Nobody builds against the one before the last any more, and what differed is known.
        if (stage.Stage!.Before is { } before) transition.ForgetRepository(before);
        transition.Bootstraps[bootstrap.Name] = bootstrap = bootstrap with { Stage = bootstrap.Stage + 1 };
        BeginStage(transition, bootstrap, stage.Members.Values.Select(member => member.Source!));
    }

    internal static void Note(Transition transition, StageUnreadable unreadable)
    {
        if (transition.Bootstraps.TryGetValue(unreadable.Name, out var bootstrap) && bootstrap.End is null
            && bootstrap.Stage == unreadable.Stage)
            transition.Bootstraps[bootstrap.Name] = bootstrap with { Problem = unreadable.Problem };
    }

    internal static void End(Transition transition, BootstrapEnded ended)
    {
        if (!transition.Bootstraps.Remove(ended.Name)) return;
        foreach (var stage in transition.Rebuilds.Values.Where(one => one.Stage?.Bootstrap == ended.Name).ToList())
            Rebuilds.End(transition, new RebuildEnded(stage.Name, ended.IsMerged));
    }

    private static void BeginStage(
        Transition transition, Bootstrap bootstrap, IEnumerable<SourcePackage> sources)
    {
        var name = bootstrap.RepositoryOf(bootstrap.Stage);
        var stage = new Rebuild
        {
            Name = name,
            Why = $"stage {bootstrap.Stage} of the bootstrap {bootstrap.Name}",
            Begun = transition.Time,
            Bump = BumpKind.Fraction,
            Stage = new BootstrapStage(
                bootstrap.Name, bootstrap.Stage,
                bootstrap.Stage == 1 ? null : bootstrap.RepositoryOf(bootstrap.Stage - 1), bootstrap.Seeds),
            Members = sources.ToImmutableSortedDictionary(
                source => source.Pkgbase,
                source => new RebuildMember { Of = source.ArchiveSha256, Source = source },
                StringComparer.Ordinal),
        };
        transition.Rebuilds[name] = stage;
        // Published empty, so that no snapshot of it is one of something else.
        foreach (var architecture in transition.Settings!.Architectures)
            transition.ChangeRepository(name, architecture, []);
        foreach (var pkgbase in stage.Members.Keys) Wants.Plan(transition, pkgbase);
    }
}
