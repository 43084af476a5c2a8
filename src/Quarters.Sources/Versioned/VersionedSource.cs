using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Versioned;

/// <summary>
/// Packages in a repository: one directory each, or the whole repository one package. A poll learns the newest
/// revision, asks which packages differ from the revision of the cursor, and reads these.
/// </summary>
internal sealed class VersionedSource
{
    private const string EmptyRepository = "empty";
    private const int CandidatesAtOnce = 256;
    private const long BytesAtOnce = 16L << 20;

    private readonly VersionedSettings settings;
    private readonly PackageIntake intake;
    private readonly IVersionedTree tree;
    private readonly MemoryFile memoryFile;
    private readonly SourceIdentity identity;

    internal VersionedSource(VersionedSettings settings, string kind, IVersionedTree tree, PackageIntake intake)
    {
        this.settings = settings;
        this.intake = intake;
        this.tree = tree;
        memoryFile = settings.OpenMemory();
        identity = new SourceIdentity(settings.Name, kind, tree.Location, settings.Repository);
    }

    internal async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(settings.StateDirectory);
        var packagers = Packagers.Load(settings.Packagers);
        var memory = memoryFile.Load(cursor);
        var head = await tree.FetchAsync(cancellationToken);
        if (head is null && memory is { Packages.IsEmpty: false })
            throw new SourceUnreachableException(
                $"{tree.Location} has become empty; its packages are kept as they were.");
        var next = $"{head ?? EmptyRepository} {Fingerprint(packagers)}";
        if (memory is not null && memory.Cursor == next)
            return new SourceReport { Source = settings.Name, Cursor = next, Total = memory.Packages.Count };
        var before = RevisionOf(memory, next);
        var touched = before is null ? null : await tree.TouchedAsync(before, head!, cancellationToken);
        var reading = new Reading(
            head, touched is null ? null : before, touched, touched is null ? null : memory, packagers);
        var (report, after) = await ReadAsync(reading, next, cancellationToken);
        memoryFile.Save(after);
        return report;
    }

    /// <summary>What one poll knows.</summary>
    /// <param name="Head">The revision that is read; null in an empty repository.</param>
    /// <param name="Before">The revision of the memory.</param>
    /// <param name="Touched">The packages that may differ; null for all.</param>
    /// <param name="Memory">What was known; null when everything is read.</param>
    /// <param name="Packagers">Who is named.</param>
    private sealed record Reading(
        string? Head, string? Before, HashSet<string>? Touched, SourceMemory? Memory, Packagers Packagers)
    {
        internal Dictionary<string, ListedPackage> Listed { get; set; } = [];

        internal Dictionary<string, Change> Changes { get; set; } = [];
    }

    /// <summary>The revision that the memory is of, if it is of the same settings: else everything is read.</summary>
    private static string? RevisionOf(SourceMemory? memory, string next) =>
        memory?.Cursor.Split(' ') is [var revision, var fingerprint] && fingerprint == next.Split(' ')[1]
        && revision != EmptyRepository
            ? revision
            : null;

    private async Task<(SourceReport Report, SourceMemory Memory)> ReadAsync(
        Reading reading, string cursor, CancellationToken cancellationToken)
    {
        List<string> present = [];
        if (reading.Head is { } head)
        {
            reading.Listed = reading.Touched is { Count: 0 }
                ? []
                : await tree.ListAsync(head, reading.Touched, cancellationToken);
            present = [.. reading.Listed.Keys.Order(StringComparer.Ordinal)];
            if (present.Count > 0)
                reading.Changes = await tree.LastChangesAsync(present, reading.Before, head, cancellationToken);
        }

        List<string> removed = reading.Touched is null || reading.Memory is null
            ? []
            : [.. reading.Touched.Where(
                path => reading.Memory.Packages.ContainsKey(path) && !reading.Listed.ContainsKey(path))];
        var poll = new Poll(intake, identity, reading.Memory, (paths, token) => LoadAsync(paths, reading, token));
        return await poll.RunAsync(cursor, present, removed, _ => "", cancellationToken);
    }

    private async IAsyncEnumerable<IReadOnlyList<Candidate>> LoadAsync(
        IReadOnlyList<string> paths, Reading reading, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A package that nobody touched is asked for when it gets a name that another one held.
        var others = paths.Where(path => !reading.Listed.ContainsKey(path)).ToHashSet(StringComparer.Ordinal);
        if (others.Count > 0)
        {
            foreach (var (path, listed) in await tree.ListAsync(reading.Head!, others, cancellationToken))
                reading.Listed[path] = listed;
        }

        var chunk = new List<string>();
        var bytes = 0L;
        foreach (var path in paths)
        {
            var size = reading.Listed[path].FindFault(settings.TreeLimits) is null ? reading.Listed[path].Bytes : 0;
            if (chunk.Count == CandidatesAtOnce || (chunk.Count > 0 && bytes + size > BytesAtOnce))
            {
                yield return await CandidatesAsync(chunk, reading, cancellationToken);
                chunk.Clear();
                bytes = 0;
            }

            chunk.Add(path);
            bytes += size;
        }

        yield return await CandidatesAsync(chunk, reading, cancellationToken);
    }

    private async Task<List<Candidate>> CandidatesAsync(
        List<string> paths, Reading reading, CancellationToken cancellationToken)
    {
        var faults = paths.ToDictionary(path => path, path => reading.Listed[path].FindFault(settings.TreeLimits));
        var good = paths.Where(path => faults[path] is null).ToList();
        var contents = good.Count == 0
            ? []
            : await tree.ReadAsync(reading.Head!, good.ConvertAll(path => reading.Listed[path]), cancellationToken);
        var trees = good.Zip(contents).ToDictionary(pair => pair.First, pair => TreeOf(pair.Second));
        return paths.ConvertAll(path =>
        {
            var (files, problem) = faults[path] is { } fault ? (null, fault) : trees[path];
            var known = reading.Memory?.Packages.GetValueOrDefault(path);
            var change = reading.Changes.GetValueOrDefault(path);
            return new Candidate
            {
                Path = path,
                Tree = files,
                Problem = problem,
                Revision = change?.Revision ?? known!.Revision,
                Time = change?.Time ?? known!.Time,
                Packager = change is null ? known!.Packager : reading.Packagers.Name(change.Author, files),
            };
        });
    }

    private (SourceTree? Tree, string? Problem) TreeOf(List<TreeEntry> entries)
    {
        try
        {
            return (SourceTree.Create(entries, settings.TreeLimits), null);
        }
        catch (SourceTreeException refused)
        {
            return (null, $"Its directory cannot be taken: {refused.Message}.");
        }
    }

    /// <summary>Changes when the settings mean other packages or packagers, and then everything is reported
    /// anew.</summary>
    private string Fingerprint(Packagers packagers)
    {
        var text = $"{tree.Location}\n{settings.Layout.Text}\n{settings.Repository}\n{packagers.Text}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }
}
