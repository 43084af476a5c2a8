using System.Globalization;
using Quarters.Core.Sources;
using Quarters.Sources.Directories;
using Quarters.Sources.Intake;
using Quarters.Sources.Versioned;

namespace Quarters.Sources.Hg;

/// <summary>A Mercurial repository as a tree with revisions: changesets are pulled into a mirror, and read from
/// there.</summary>
internal sealed class HgTree(HgSourceSettings settings) : IVersionedTree
{
    private const int PathsOfOneCommand = 200;
    private const string ChangeTemplate =
        "{node}\\0{date|hgdate}\\0{user}\\0{join(files, '\\0')}\\0\\n";

    private readonly PackageLayout _layout = settings.Layout;
    private readonly string _directory = settings.InState(".hg");
    private readonly HgMirror _mirror = new(
        settings.InState(".hg"), settings.FetchTimeout, settings.CommandTimeout);

    public string Location => settings.Url;

    public Task<string?> FetchAsync(string? before, CancellationToken cancellationToken) =>
        _mirror.FetchAsync(settings.Url, settings.Branch, cancellationToken);

    public async Task<HashSet<string>?> TouchedAsync(string before, string now, CancellationToken cancellationToken)
    {
        // What was stripped upstream stays in the mirror: the difference to it is still right.
        if (!await _mirror.HasAsync(before, cancellationToken))
            return null;
        var paths = await _mirror.AskAsync(
            [
                "status", "--rev", before, "--rev", now, "--added", "--modified", "--removed", "--no-status",
                "--print0",
            ],
            cancellationToken);
        return paths.Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Select(path => _layout.Place(path)?.Package).OfType<string>().ToHashSet(StringComparer.Ordinal);
    }

    public async Task<Dictionary<string, ListedPackage>> ListAsync(
        string revision, IReadOnlySet<string>? only, CancellationToken cancellationToken)
    {
        var files = new List<ListedFile>();
        string[][] all = only is null || _layout.Depth == 0 ? [[]] : [.. only.Chunk(PathsOfOneCommand)];
        foreach (var some in all)
        {
            var listing = await _mirror.AskAsync(
                [
                    "files", "--rev", revision, "--template", "{path}\\0{size}\\0{flags}\\n", "--",
                    .. some.Select(path => "path:" + path),
                ],
                cancellationToken);
            files.AddRange(listing.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ParseFile));
        }

        return ListedPackage.Group(_layout, files);
    }

    /// <summary>One walk over the new changesets, never a log for each package.</summary>
    public async Task<Dictionary<string, Change>> LastChangesAsync(
        IReadOnlyCollection<string> packages, string? before, string now, CancellationToken cancellationToken)
    {
        var missing = packages.ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, Change>(StringComparer.Ordinal);
        Change? newest = null;
        // After a rewrite none of the new changesets need have touched them: then the whole history tells.
        string[] ranges = before is null ? [$"::{now}"] : [$"only({now}, {before})", $"::{now}"];
        foreach (var range in ranges.TakeWhile(_ => missing.Count > 0))
        {
            var log = await _mirror.AskAsync(
                ["log", "--rev", $"reverse({range})", "--template", ChangeTemplate], cancellationToken);
            foreach (var (change, paths) in log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ParseChange))
            {
                newest ??= change;
                foreach (var path in paths)
                {
                    if (_layout.Place(path)?.Package is { } package && missing.Remove(package))
                        found[package] = change;
                }
            }
        }

        foreach (var package in missing)
            found[package] = newest ?? new Change(now, DateTimeOffset.UnixEpoch, new Author("", ""));
        return found;
    }

    public async Task<List<List<TreeEntry>>> ReadAsync(
        string revision, IReadOnlyList<ListedPackage> packages, CancellationToken cancellationToken)
    {
        var archive = Path.GetFullPath(Path.Combine(_directory, "archive"));
        if (Directory.Exists(archive))
            Directory.Delete(archive, recursive: true);
        var includes = packages.Where(package => package.Directory.Length > 0)
            .SelectMany(package => new[] { "--include", "path:" + package.Directory });
        await _mirror.AskAsync(
            [
                "archive", "--rev", revision, "--no-decode", "--config", "ui.archivemeta=no", .. includes, "--",
                archive,
            ],
            cancellationToken);
        var read = packages.Select(
            package => PackageDirectory.ReadAll(Path.Combine(archive, package.Directory))).ToList();
        Directory.Delete(archive, recursive: true);
        return read;
    }

    private static ListedFile ParseFile(string line)
    {
        if (line.Split('\0') is not [var path, var size, var flags]
            || !long.TryParse(size, CultureInfo.InvariantCulture, out var bytes))
            throw new IOException($"hg files answered '{line.Replace('\0', ' ')}'.");
        return new ListedFile(path, "", bytes, flags switch
        {
            "l" => TreeEntryKind.Symlink,
            "x" => TreeEntryKind.Executable,
            _ => TreeEntryKind.File,
        });
    }

    private static (Change Change, IEnumerable<string> Paths) ParseChange(string line)
    {
        if (line.Split('\0') is not [var id, var date, var user, .. var paths])
            throw new IOException($"hg log answered '{line}'.");
        var seconds = long.TryParse(date.Split(' ')[0], CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;
        return (new Change(id, CommitTime.Of(seconds), Author.Parse(user)), paths.Where(path => path.Length > 0));
    }
}
