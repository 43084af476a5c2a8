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

    // Of so few packages what changed is asked for, instead of what they are.
    private const int PatchedAtMost = 64;

    private readonly VersionedSettings _settings;
    private readonly PackageIntake _intake;
    private readonly IVersionedTree _tree;
    private readonly MemoryFile _memoryFile;
    private readonly SourceIdentity _identity;

    internal VersionedSource(VersionedSettings settings, string kind, IVersionedTree tree, PackageIntake intake)
    {
        _settings = settings;
        _intake = intake;
        _tree = tree;
        _memoryFile = settings.OpenMemory();
        _identity = new SourceIdentity(settings.Name, kind, tree.Location, settings.Repository);
    }

    internal async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_settings.StateDirectory);
        var packagers = Packagers.Load(_settings.Packagers);
        var memory = _memoryFile.Load(cursor);
        var fingerprint = Fingerprint(packagers);
        var before = RevisionOf(memory, fingerprint);
        var head = await _tree.FetchAsync(before, cancellationToken);
        if (head is null && memory is { Packages.IsEmpty: false })
            throw new SourceUnreachableException(
                $"{_tree.Location} has become empty; its packages are kept as they were.");
        var next = $"{head ?? EmptyRepository} {fingerprint}";
        if (memory is not null && memory.Cursor == next)
            return new SourceReport { Source = _settings.Name, Cursor = next, Total = memory.Packages.Count };
        var touched = before is null ? null : await _tree.TouchedAsync(before, head!, cancellationToken);
        var reading = new Reading(
            head, touched is null ? null : before, touched, touched is null ? null : memory, packagers);
        var (report, after) = await ReadAsync(reading, next, cancellationToken);
        _memoryFile.Save(after);
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
    private static string? RevisionOf(SourceMemory? memory, string fingerprint) =>
        memory?.Cursor.Split(' ') is [var revision, var of] && of == fingerprint && revision != EmptyRepository
            ? revision
            : null;

    private async Task<(SourceReport Report, SourceMemory Memory)> ReadAsync(
        Reading reading, string cursor, CancellationToken cancellationToken)
    {
        List<string> present = [];
        if (reading.Head is { } head)
        {
            if (reading is { Touched: { } touched, Before: { } before, Memory: { } memory })
            {
                if (touched.Count > 0)
                {
                    // Neither needs the other, and each waits for programs.
                    var changes = _tree.LastChangesAsync(touched, before, head, cancellationToken);
                    var listed = ListAsync(touched, before, head, memory, cancellationToken);
                    await Task.WhenAll(changes, listed);
                    (reading.Changes, reading.Listed) = (await changes, await listed);
                }
            }
            else
            {
                reading.Listed = await _tree.ListAsync(head, null, cancellationToken);
                if (reading.Listed.Count > 0)
                    reading.Changes = await _tree.LastChangesAsync(reading.Listed.Keys, null, head, cancellationToken);
            }

            present = [.. reading.Listed.Keys.Order(StringComparer.Ordinal)];
        }

        List<string> removed = reading.Touched is null || reading.Memory is null
            ? []
            : [.. reading.Touched.Where(
                path => reading.Memory.Packages.ContainsKey(path) && !reading.Listed.ContainsKey(path))];
        var poll = new Poll(_intake, _identity, reading.Memory, (paths, token) => LoadAsync(paths, reading, token));
        return await poll.RunAsync(cursor, present, removed, _ => "", cancellationToken);
    }

    private async Task<Dictionary<string, ListedPackage>> ListAsync(
        HashSet<string> touched, string before, string now, SourceMemory memory, CancellationToken cancellationToken)
    {
        var known = touched.Count > PatchedAtMost
            ? []
            : touched.Select(path => (Path: path, Tree: _intake.Kept(memory.Packages.GetValueOrDefault(path))))
                .Where(one => one.Tree is not null)
                .ToDictionary(one => one.Path, one => one.Tree!, StringComparer.Ordinal);
        var listed = await _tree.PatchAsync(before, now, known, cancellationToken);
        var rest = touched.Where(path => !listed.ContainsKey(path)).ToHashSet(StringComparer.Ordinal);
        if (rest.Count == 0)
            return listed;
        foreach (var (path, package) in await _tree.ListAsync(now, rest, cancellationToken))
            listed[path] = package;
        return listed;
    }

    private async IAsyncEnumerable<IReadOnlyList<Candidate>> LoadAsync(
        IReadOnlyList<string> paths, Reading reading, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A package that nobody touched is asked for when it gets a name that another one held.
        var others = paths.Where(path => !reading.Listed.ContainsKey(path)).ToHashSet(StringComparer.Ordinal);
        if (others.Count > 0)
        {
            foreach (var (path, listed) in await _tree.ListAsync(reading.Head!, others, cancellationToken))
                reading.Listed[path] = listed;
        }

        var chunk = new List<string>();
        var bytes = 0L;
        foreach (var path in paths)
        {
            var size = reading.Listed[path].FindFault(_settings.TreeLimits) is null ? reading.Listed[path].Bytes : 0;
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
        var faults = paths.ToDictionary(path => path, path => reading.Listed[path].FindFault(_settings.TreeLimits));
        var good = paths.Where(path => faults[path] is null).ToLookup(path => reading.Listed[path].Entries is null);
        var trees = good[false].ToDictionary(path => path, path => TreeOf(reading.Listed[path].Entries!));
        if (good[true].ToList() is { Count: > 0 } unread)
        {
            var contents = await _tree.ReadAsync(
                reading.Head!, unread.ConvertAll(path => reading.Listed[path]), cancellationToken);
            foreach (var (path, entries) in unread.Zip(contents))
                trees[path] = TreeOf(entries);
        }

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
            return (SourceTree.Create(entries, _settings.TreeLimits), null);
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
        var text = $"{_tree.Location}\n{_settings.Layout.Text}\n{_settings.Repository}\n{packagers.Text}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }
}
