using System.Collections.Immutable;
using Quarters.Core.Sources;

namespace Quarters.Sources.Intake;

/// <summary>Finds the packages at some paths, a few at a time, so that not all trees are in memory at once.</summary>
internal delegate IAsyncEnumerable<IReadOnlyList<Candidate>> CandidateLoader(
    IReadOnlyList<string> paths, CancellationToken cancellationToken);

/// <summary>
/// One poll, from the paths that were touched to the report. A package base belongs to the first path that claims it;
/// so a change of one package can give or take another one's name, which then is reported too.
/// </summary>
internal sealed class Poll(PackageIntake intake, SourceIdentity source, SourceMemory? memory, CandidateLoader load)
{
    private readonly ImmutableArray<SourcePackage>.Builder _changed = ImmutableArray.CreateBuilder<SourcePackage>();
    private readonly ImmutableArray<UnreadablePackage>.Builder _unreadable =
        ImmutableArray.CreateBuilder<UnreadablePackage>();
    private int _parsed;

    private ImmutableSortedDictionary<string, KnownPackage> Before =>
        memory?.Packages ?? ImmutableSortedDictionary.Create<string, KnownPackage>(StringComparer.Ordinal);

    /// <param name="cursor">Where the next poll goes on.</param>
    /// <param name="present">Paths that hold a package and are new or touched; all of them where there is no
    /// memory.</param>
    /// <param name="removed">Paths that held a package and do not any more.</param>
    /// <param name="mark">The mark of a path, for <see cref="KnownPackage.Mark"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="SourceUnreachableException">Nothing of what was looked for can be had now.</exception>
    internal async Task<(SourceReport Report, SourceMemory Memory)> RunAsync(
        string cursor,
        IReadOnlyList<string> present,
        IReadOnlyList<string> removed,
        Func<string, string> mark,
        CancellationToken cancellationToken)
    {
        var taken = await TakeAsync(present, cancellationToken);
        var kept = taken.Values.Where(one => one.Candidate.IsAway).Select(one => one.Candidate.Path)
            .Where(path => Before.GetValueOrDefault(path)?.Pkgbase is not null).ToList();
        foreach (var path in kept)
            taken.Remove(path);
        // Without a mark it differs from whatever the next poll finds there, and so is tried again.
        var after = Before.RemoveRange(removed)
            .SetItems(kept.Select(path => KeyValuePair.Create(path, Before[path] with { Mark = "" })))
            .SetItems(taken.Values.Select(one => KeyValuePair.Create(
                one.Candidate.Path, Know(one, one.Candidate.IsAway ? "" : mark(one.Candidate.Path)))));
        var claims = Claims(after, AffectedNames(present.Concat(removed), after));
        var held = Claims(Before, claims.Keys.ToHashSet(StringComparer.Ordinal));
        foreach (var one in taken.Values)
            Report(one, claims);
        await ReportBystandersAsync(claims, held, taken, cancellationToken);
        var report = new SourceReport
        {
            Source = source.Name,
            Cursor = cursor,
            Changed = _changed.ToImmutable(),
            RemovedPaths = [.. removed],
            Unreadable = _unreadable.ToImmutable(),
            Complete = memory is null,
            Parsed = _parsed,
            Total = after.Count,
        };
        return (report, new SourceMemory { Cursor = cursor, Packages = after });
    }

    private async Task<Dictionary<string, Taken>> TakeAsync(
        IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var all = new Dictionary<string, Taken>(StringComparer.Ordinal);
        if (paths.Count == 0)
            return all;
        await foreach (var candidates in load(paths, cancellationToken))
        {
            foreach (var one in await intake.TakeAsync(source, candidates, cancellationToken))
            {
                // The tree is stored by now; keeping it would keep every file of the source in memory.
                all[one.Candidate.Path] = one with { Candidate = one.Candidate with { Tree = null } };
                _parsed += one.Parsed ? 1 : 0;
            }
        }

        // One that cannot be had is that package's misfortune; all of them are the source's.
        if (all.Values.All(one => one.Candidate.IsAway))
            throw new SourceUnreachableException(all.Values.First().Problem!);
        return all;
    }

    private static KnownPackage Know(Taken one, string mark) => new()
    {
        Pkgbase = one.Package?.Pkgbase,
        Mark = mark,
        Revision = one.Candidate.Revision,
        Time = one.Candidate.Time,
        Packager = one.Candidate.Packager,
        Archive = one.Package?.ArchiveSha256,
    };

    private HashSet<string> AffectedNames(
        IEnumerable<string> touched, ImmutableSortedDictionary<string, KnownPackage> after)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in touched)
        {
            if (Before.GetValueOrDefault(path)?.Pkgbase is { } old)
                names.Add(old);
            if (after.GetValueOrDefault(path)?.Pkgbase is { } current)
                names.Add(current);
        }

        return names;
    }

    /// <summary>The paths that claim each of the names, the first of which holds it.</summary>
    private static Dictionary<string, List<string>> Claims(
        ImmutableSortedDictionary<string, KnownPackage> packages, HashSet<string> names)
    {
        var claims = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (path, package) in packages)
        {
            if (package.Pkgbase is not { } name || !names.Contains(name))
                continue;
            if (!claims.TryGetValue(name, out var paths))
                claims[name] = paths = [];
            paths.Add(path);
        }

        return claims;
    }

    private void Report(Taken one, Dictionary<string, List<string>> claims)
    {
        if (one.Package is not { } package)
            Refuse(one.Candidate, System.IO.Path.GetFileName(one.Candidate.Path), one.Problem!);
        else if (claims[package.Pkgbase][0] is var holder && holder == one.Candidate.Path)
            _changed.Add(package);
        else
            Refuse(one.Candidate, package.Pkgbase, TakenName(package.Pkgbase, holder));
    }

    private async Task ReportBystandersAsync(
        Dictionary<string, List<string>> claims,
        Dictionary<string, List<string>> held,
        Dictionary<string, Taken> taken,
        CancellationToken cancellationToken)
    {
        var risen = new List<string>();
        foreach (var (name, paths) in claims)
        {
            var holder = held.GetValueOrDefault(name)?[0];
            if (holder == paths[0])
                continue;
            if (!taken.ContainsKey(paths[0]))
                risen.Add(paths[0]);
            if (holder is not null && paths.Contains(holder) && !taken.ContainsKey(holder))
                Refuse(holder, name, TakenName(name, paths[0]), Before[holder].Revision, Before[holder].Time);
        }

        foreach (var one in (await TakeAsync(risen, cancellationToken)).Values)
        {
            if (one.Package is { } package)
                _changed.Add(package);
            else
                Refuse(one.Candidate, System.IO.Path.GetFileName(one.Candidate.Path), one.Problem!);
        }
    }

    private void Refuse(Candidate candidate, string name, string reason) =>
        Refuse(candidate.Path, name, reason, candidate.Revision, candidate.Time);

    private void Refuse(string path, string name, string reason, string revision, DateTimeOffset time) =>
        _unreadable.Add(new UnreadablePackage
        {
            Path = path,
            Name = name.Length > 0 ? name : source.Name,
            Reason = reason,
            Revision = revision,
            Time = time,
        });

    private static string TakenName(string name, string holder) =>
        $"It claims the package base {name}, which "
        + $"{(holder.Length > 0 ? holder : "the top of the source")} claims too; "
        + "the first in the order of paths has it. Rename or remove one of the two.";
}
