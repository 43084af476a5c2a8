using System.Collections.Immutable;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>
/// What the master may forget: jobs that ended and snapshots that nobody builds against, when they are old and many.
/// What the state then names is what files are kept for. The last good build of a package is never forgotten, nor is
/// that of which a repository holds a package, or would if a change were taken back.
/// </summary>
public static class Retention
{
    /// <summary>So much is forgotten in one step at most.</summary>
    private const int MaxAtOnce = 10_000;

    /// <summary>What is to be forgotten now; nothing when there is nothing.</summary>
    public static ImmutableArray<MasterEvent> Due(MasterState state, DateTimeOffset now)
    {
        if (state.Settings is not { } settings) return [];
        var before = now - TimeSpan.FromSeconds(settings.Keep.Seconds);
        var inUse = Snapshots.InUse(state);
        ImmutableArray<string> snapshots =
        [
            .. state.Snapshots.Where(pair => pair.Value.Until < before && !inUse.Contains(pair.Key))
                .Select(pair => pair.Key).Order(StringComparer.Ordinal).Take(MaxAtOnce),
        ];
        var published = state.Repositories.Values.SelectMany(repository => repository.Packages.Values)
            .Concat(PackagesOf(state.Changes.SelectMany(change => change.Replacements)))
            .Select(package => package.Job).ToHashSet(StringComparer.Ordinal);
        ImmutableArray<string> jobs =
        [
            .. state.Packages.Values.Where(record => record.Jobs.Length > settings.Keep.Builds)
                .SelectMany(record => record.Jobs.SkipLast(settings.Keep.Builds).Except(LastGood(state, record)))
                .Where(id => MayForget(state.Jobs[id], before) && !published.Contains(id))
                .Order(StringComparer.Ordinal).Take(MaxAtOnce),
        ];
        return snapshots.IsEmpty && jobs.IsEmpty ? [] : [new HistoryForgotten(jobs, snapshots)];
    }

    /// <summary>The package files that a repository needs: what it holds, and what a change brings back that can be
    /// taken back.</summary>
    /// <param name="state">The state.</param>
    /// <param name="key">The repository, <see cref="MasterState.RepositoryKey"/>.</param>
    public static HashSet<string> PackageFilesOf(MasterState state, string key)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (state.Repositories.TryGetValue(key, out var repository))
            names.UnionWith(repository.Packages.Values.Select(package => package.FileName));
        names.UnionWith(PackagesOf(state.Changes.SelectMany(change => change.Replacements)
            .Where(one => one.Key() == key)).Select(package => package.FileName));
        return names;
    }

    /// <summary>The source packages, by SHA-256, that something is or was built from, or may be.</summary>
    public static HashSet<string> SourcePackagesOf(MasterState state)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        named.UnionWith(state.Jobs.Values.Select(job => job.SourceSha256));
        named.UnionWith(state.Packages.Values.Select(record => record.Source).Concat(
            state.Reviews.Values.Select(review => (SourcePackage?)review.Offered)).Concat(
            state.Rebuilds.Values.SelectMany(rebuild => rebuild.Members.Values).Select(member => member.Source))
            .OfType<SourcePackage>().Select(source => source.ArchiveSha256));
        return named;
    }

    internal static void Apply(Transition transition, HistoryForgotten forgotten)
    {
        transition.ForgetSnapshots(forgotten.Snapshots);
        foreach (var jobs in forgotten.Jobs.Select(transition.FindJob).OfType<Job>()
            .GroupBy(job => job.Pkgbase, StringComparer.Ordinal))
        {
            var gone = jobs.Select(job => job.Id).ToHashSet(StringComparer.Ordinal);
            foreach (var job in jobs) transition.ForgetJob(job);
            var record = transition.Packages[jobs.Key];
            transition.Packages[jobs.Key] = record with { Jobs = record.Jobs.RemoveAll(gone.Contains) };
            transition.TouchPackage(jobs.Key);
        }
    }

    /// <summary>What there was and what there is: both come back, since what was taken back can be too.</summary>
    private static IEnumerable<RepositoryPackage> PackagesOf(IEnumerable<Replacement> changes) =>
        changes.SelectMany(one => (RepositoryPackage?[])[one.Before, one.After]).OfType<RepositoryPackage>();

    /// <summary>The job that was built last, on each architecture; of those of one moment the newest.</summary>
    private static IEnumerable<string> LastGood(MasterState state, PackageRecord record) => record.Jobs.Reverse()
        .Select(id => state.Jobs[id]).Where(job => job.Status == JobStatus.Built)
        .GroupBy(job => job.Architecture, StringComparer.Ordinal).Select(jobs => jobs.MaxBy(job => job.Since)!.Id);

    /// <summary>A failure stays for as long as nothing took its place.</summary>
    private static bool MayForget(Job job, DateTimeOffset before) =>
        job.Status is JobStatus.Built or JobStatus.Superseded && job.Since < before;
}
