using System.Collections.Immutable;
using Quarters.Core.Sources;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Sources.Intake;

/// <summary>A package as a source found it, before it is read.</summary>
internal sealed record Candidate
{
    /// <summary>Its directory inside the source; empty for the top.</summary>
    internal required string Path { get; init; }

    /// <summary>Its files; null when they cannot be had, and then <see cref="Problem"/> says why.</summary>
    internal required SourceTree? Tree { get; init; }

    internal string? Problem { get; init; }

    /// <summary>True when the problem is that it cannot be had now: one that was there before stays as it was, and the
    /// next poll tries again.</summary>
    internal bool IsAway { get; init; }

    internal required string Revision { get; init; }

    internal required DateTimeOffset Time { get; init; }

    /// <summary>Who is named in the package: what <see cref="Packagers.Name"/> found.</summary>
    internal required string Packager { get; init; }
}

/// <summary>The source that candidates come from.</summary>
internal sealed record SourceIdentity(string Name, string Kind, string Location, string Repository);

/// <summary>A candidate and what came of it: exactly one of package and problem is not null.</summary>
internal sealed record Taken(Candidate Candidate, SourcePackage? Package, string? Problem, bool Parsed);

/// <summary>Turns trees into records: what is known is looked up, the rest is read, archives are stored.</summary>
public sealed class PackageIntake(PkgbuildReader reader, TreeCache cache, ArchiveStore archives)
{
    /// <summary>Who is named when nobody is known, in makepkg's words.</summary>
    public const string UnknownPackager = "Unknown Packager";

    /// <summary>What the packages' own <c>.SRCINFO</c> count for.</summary>
    public SrcInfoPolicy SrcInfo { get; init; }

    /// <summary>A package that was taken before and has not changed since, for sources that cannot be asked for it
    /// again: its files are in its archive.</summary>
    internal Candidate Recall(string path, KnownPackage known)
    {
        var (tree, problem) = Find(known);
        return new Candidate
        {
            Path = path,
            Tree = tree,
            Problem = tree is not null ? null : "Its files are not kept here any more; change it to have it read anew."
                + (problem is null ? "" : $" ({problem})"),
            Revision = known.Revision,
            Time = known.Time,
            Packager = known.Packager,
        };
    }

    /// <summary>The files of a package as they were taken; null when it could not be read, or they are not kept any
    /// more.</summary>
    internal SourceTree? Kept(KnownPackage? known) => known is null ? null : Find(known).Tree;

    private (SourceTree? Tree, string? Problem) Find(KnownPackage known)
    {
        try
        {
            return (known.Archive is { } archive ? archives.Find(archive) : null, null);
        }
        catch (Exception damaged) when (damaged is SourceTreeException or IOException)
        {
            return (null, damaged.Message);
        }
    }

    /// <summary>The files of a package that was taken, and what its PKGBUILD says; null when its archive is not kept
    /// any more.</summary>
    internal async Task<ReviewedPackage?> ReadAgainAsync(SourcePackage package, CancellationToken cancellationToken)
    {
        try
        {
            if (archives.Find(package.ArchiveSha256) is not { } tree)
                return null;
            var name = NameOf(package.Origin.Location, package.Origin.Path);
            if (cache.Find(tree.Sha256, KeyOf(name, tree)) is { } known)
                return new ReviewedPackage(tree, known.Info);
            var reading = await ReadAsync([new PkgbuildInput(name, tree)], cancellationToken);
            return reading[0].Reading.Info is { } info ? new ReviewedPackage(tree, info) : null;
        }
        catch (SourceTreeException damaged)
        {
            throw new IOException($"The archive of {package.Pkgbase} cannot be read: {damaged.Message}", damaged);
        }
    }

    /// <summary>Reads a package anew from a tree that we made from its own: it comes from where that came
    /// from.</summary>
    internal async Task<Taken> TakeChangedAsync(
        SourcePackage package, SourceTree tree, CancellationToken cancellationToken)
    {
        var origin = package.Origin;
        var taken = await TakeAsync(
            new SourceIdentity(origin.Source, origin.Kind, origin.Location, package.Repository),
            [new Candidate
            {
                Path = origin.Path,
                Tree = tree,
                Revision = origin.Revision,
                Time = origin.Time,
                Packager = package.Packager,
            }],
            cancellationToken);
        return taken[0];
    }

    internal async Task<ImmutableArray<Taken>> TakeAsync(
        SourceIdentity source, IReadOnlyList<Candidate> candidates, CancellationToken cancellationToken)
    {
        var known = candidates.Select(candidate => candidate.Tree is { } tree
            ? cache.Find(tree.Sha256, KeyOf(NameOf(source, candidate), tree))
            : null).ToList();
        var unknown = Enumerable.Range(0, candidates.Count)
            .Where(index => known[index] is null && candidates[index].Tree is not null).ToList();
        var inputs = unknown.ConvertAll(
            index => new PkgbuildInput(NameOf(source, candidates[index]), candidates[index].Tree!));
        var readings = (await ReadAsync(inputs, cancellationToken))
            .Zip(unknown).ToDictionary(pair => pair.Second, pair => pair.First);
        var taken = new Taken[candidates.Count];
        // Each is compressed and then waits for the device.
        Parallel.For(
            0, taken.Length, new ParallelOptions { CancellationToken = cancellationToken },
            i => taken[i] = Take(source, candidates[i], known[i], readings.GetValueOrDefault(i)));
        archives.Sync();
        return [.. taken];
    }

    /// <summary>Has bash read what nobody's word is taken for; says of each whether it did.</summary>
    private async Task<IReadOnlyList<(PkgbuildReading Reading, bool Parsed)>> ReadAsync(
        IReadOnlyList<PkgbuildInput> inputs, CancellationToken cancellationToken)
    {
        var byBash = inputs.Where(input => !IsTrusted(input.Tree)).ToList();
        var read = new Queue<PkgbuildReading>(await reader.ReadAsync(byBash, cancellationToken));
        return [.. inputs.Select(input => IsTrusted(input.Tree)
            ? (WrittenSrcInfo.Read(input.Tree), false)
            : (read.Dequeue(), true))];
    }

    private bool IsTrusted(SourceTree tree) => SrcInfo == SrcInfoPolicy.Trust && WrittenSrcInfo.IsIn(tree);

    /// <summary>What was taken on somebody's word is remembered apart: another source may not trust it. No name of a
    /// directory has such a character.</summary>
    private string KeyOf(string name, SourceTree tree) => IsTrusted(tree) ? name + "\0.SRCINFO" : name;

    private Taken Take(
        SourceIdentity source, Candidate candidate, TreeFacts? facts, (PkgbuildReading Reading, bool Parsed) read)
    {
        if (candidate.Tree is not { } tree)
            return new Taken(candidate, null, candidate.Problem, Parsed: false);
        var info = facts?.Info ?? read.Reading.Info;
        if (info is null)
            return new Taken(candidate, null, read.Reading.Problem, read.Parsed);
        if (SrcInfo == SrcInfoPolicy.Verify && WrittenSrcInfo.Difference(tree, info) is { } difference)
            return new Taken(candidate, null, difference, read.Parsed);
        if (facts is null || !archives.Holds(facts.Archive))
        {
            facts = new TreeFacts(info, archives.Add(tree));
            cache.Add(tree.Sha256, KeyOf(NameOf(source, candidate), tree), facts);
        }

        var origin = new SourceOrigin
        {
            Source = source.Name,
            Kind = source.Kind,
            Location = source.Location,
            Path = candidate.Path,
            Revision = candidate.Revision,
            Time = candidate.Time,
        };
        var package = SourcePackages.Create(
            info, origin, candidate.Packager, source.Repository, tree.Sha256, facts.Archive);
        return new Taken(candidate, package, null, read.Parsed);
    }

    private static string NameOf(SourceIdentity source, Candidate candidate) =>
        NameOf(source.Location, candidate.Path);

    private static string NameOf(string location, string path) => path.Length > 0
        ? System.IO.Path.GetFileName(path)
        : System.IO.Path.GetFileNameWithoutExtension(location.TrimEnd('/'));
}
