using Quarters.Core.Sources;
using Quarters.Sources.Intake;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Git;

/// <summary>A git repository as a tree with revisions: commits are fetched into a bare mirror, and read from
/// there.</summary>
internal sealed class GitTree(GitSourceSettings settings) : IVersionedTree
{
    private const long MaxPatchBytes = 16L << 20;

    private readonly PackageLayout _layout = settings.Layout;
    private readonly GitMirror _mirror = new(
        new GitCommands(settings.InState(".git"), settings.FetchTimeout, settings.CommandTimeout));

    private List<GitDifference> _differences = [];
    private GitBlobs? _blobs; // from the difference to the patch

    public string Location => settings.Url;

    /// <summary>A repository that is one package needs no history: its last change is the commit itself.</summary>
    private bool Shallow => _layout.Depth == 0 && _layout.Prefix.Length == 0;

    public Task<string?> FetchAsync(string? before, CancellationToken cancellationToken) =>
        _mirror.FetchAsync(settings.Url, settings.Reference, Shallow, cancellationToken);

    public async Task<HashSet<string>?> TouchedAsync(string before, string now, CancellationToken cancellationToken)
    {
        var reading = _mirror.StartReading(MaxPatchBytes, cancellationToken);
        try
        {
            // After history was rewritten the old commit stays in the mirror for a while; then the difference is still
            // right.
            if (await _mirror.DifferenceAsync(before, now, _layout.Prefix, cancellationToken) is not { } found)
                return null;
            _differences = found;
            var touched = found.Select(one => _layout.Place(one.Path)?.Package).OfType<string>()
                .ToHashSet(StringComparer.Ordinal);
            if (touched.Count > 0)
                (_blobs, reading) = (reading, null);
            return touched;
        }
        finally
        {
            reading?.Dispose();
        }
    }

    /// <summary>The difference names the new contents: so only these are read.</summary>
    public async Task<Dictionary<string, ListedPackage>> PatchAsync(
        string before, string now, IReadOnlyDictionary<string, SourceTree> known, CancellationToken cancellationToken)
    {
        // What another pick holds is not known.
        var patches = _layout.Picks.Length > 1
            ? []
            : known.ToDictionary(one => one.Key, one => new GitPatch(one.Value), StringComparer.Ordinal);
        foreach (var one in _differences)
        {
            if (_layout.Place(one.Path) is var (package, _, inner) && patches.TryGetValue(package, out var patch)
                && !patch.TryTake(inner, one))
                patches.Remove(package);
        }

        var wanted = patches.Values.SelectMany(patch => patch.Wanted).Distinct(StringComparer.Ordinal).ToList();
        using var reading = _blobs!;
        if ((wanted.Count == 0 ? [] : await reading.ReadAsync(wanted)) is not { } contents)
            return [];
        var byId = wanted.Zip(contents).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        return patches
            .Select(one => ListedPackage.Of(one.Key, _layout.DirectoryOf(one.Key, 0), one.Value.Entries(byId)))
            .OfType<ListedPackage>().ToDictionary(package => package.Path, StringComparer.Ordinal);
    }

    public async Task<Dictionary<string, ListedPackage>> ListAsync(
        string revision, IReadOnlySet<string>? only, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> directories = _layout.Depth > 0 && only is not null
            ? [.. only]
            : _layout.Prefix.Length > 0 ? [_layout.Prefix] : [];
        return ListedPackage.Group(_layout, await _mirror.ListAsync(revision, directories, cancellationToken));
    }

    /// <summary>One walk over the new commits, never a log for each package.</summary>
    public async Task<Dictionary<string, Change>> LastChangesAsync(
        IReadOnlyCollection<string> packages, string? before, string now, CancellationToken cancellationToken)
    {
        var missing = packages.ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, Change>(StringComparer.Ordinal);
        Change? newest = null;
        bool Visit(GitCommit commit)
        {
            var change = new Change(commit.Id, commit.Time, new Author(commit.AuthorName, commit.AuthorAddress));
            newest ??= change;
            foreach (var path in commit.Paths)
            {
                if (_layout.Place(path)?.Package is { } package && missing.Remove(package))
                    found[package] = change;
            }

            return missing.Count > 0;
        }

        await _mirror.WalkAsync(before is null ? now : $"{before}..{now}", _layout.Prefix, Visit, cancellationToken);
        // After a rewrite none of the new commits need have touched them: then the whole history tells.
        if (missing.Count > 0 && before is not null)
            await _mirror.WalkAsync(now, _layout.Prefix, Visit, cancellationToken);
        foreach (var package in missing)
            found[package] = newest ?? new Change(now, DateTimeOffset.UnixEpoch, new Author("", ""));
        return found;
    }

    public async Task<List<List<TreeEntry>>> ReadAsync(
        string revision, IReadOnlyList<ListedPackage> packages, CancellationToken cancellationToken)
    {
        var contents = await _mirror.ReadAsync([.. packages.SelectMany(package => package.Files)], cancellationToken);
        var next = 0;
        return [.. packages.Select(package => package.Files.ConvertAll(
            file => new TreeEntry(package.Inner(file), file.Kind!.Value, contents[next++])))];
    }
}
