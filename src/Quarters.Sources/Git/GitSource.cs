using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Git;

/// <summary>
/// Packages in a git repository: one directory each, or the whole repository one package. A poll fetches, asks git
/// which paths differ from the commit of the cursor, and reads the packages that these belong to.
/// </summary>
public sealed class GitSource : ISource
{
    private const string Kind = "git";
    private const string EmptyRepository = "empty";
    private const int CandidatesAtOnce = 256;
    private const long BytesAtOnce = 16L << 20;

    private readonly GitSourceSettings settings;
    private readonly PackageIntake intake;
    private readonly GitMirror mirror;
    private readonly MemoryFile memoryFile;
    private readonly SourceIdentity identity;

    /// <summary>Makes a source; nothing is fetched before the first poll.</summary>
    /// <exception cref="ArgumentException">A setting cannot be used; the message says which and why.</exception>
    public GitSource(GitSourceSettings settings, PackageIntake intake)
    {
        settings.Check();
        this.settings = settings with { Prefix = settings.Prefix.Trim('/') };
        this.intake = intake;
        mirror = new GitMirror(
            Path.Combine(settings.StateDirectory, settings.Name + ".git"), settings.FetchTimeout,
                settings.CommandTimeout);
        memoryFile = new MemoryFile(Path.Combine(settings.StateDirectory, settings.Name + ".memory.json"));
        identity = new SourceIdentity(settings.Name, Kind, settings.Url, settings.Repository);
    }

    /// <inheritdoc/>
    public string Name => settings.Name;

    /// <inheritdoc/>
    public async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        var packagers = Packagers.Load(settings.Packagers);
        var memory = memoryFile.Load(cursor);
        var head = await mirror.FetchAsync(settings.Url, settings.Branch, cancellationToken);
        if (head is null && memory is { Packages.IsEmpty: false })
            throw new SourceUnreachableException(
                $"{settings.Url} has become empty; its packages are kept as they were.");
        var next = $"{head ?? EmptyRepository} {Fingerprint(packagers)}";
        if (memory is not null && memory.Cursor == next)
            return new SourceReport { Source = Name, Cursor = next, Total = memory.Packages.Count };
        var before = await CommitOfAsync(memory, next, cancellationToken);
        if (before is null)
            memory = null;
        var (report, after) = await ReadAsync(memory, before, head, next, packagers, cancellationToken);
        memoryFile.Save(after);
        return report;
    }

    /// <summary>The commit that the memory is of, if the changes since can be had: else everything is read.</summary>
    private async Task<string?> CommitOfAsync(SourceMemory? memory, string next, CancellationToken cancellationToken)
    {
        if (memory?.Cursor.Split(' ') is not [var commit, var fingerprint] || fingerprint != next.Split(' ')[1])
            return null;
        // After history was rewritten the old commit stays in the mirror for a while; then the difference is still
        // right.
        return commit != EmptyRepository && await mirror.HasCommitAsync(commit, cancellationToken) ? commit : null;
    }

    private async Task<(SourceReport Report, SourceMemory Memory)> ReadAsync(
        SourceMemory? memory,
        string? before,
        string? head,
        string cursor,
        Packagers packagers,
        CancellationToken cancellationToken)
    {
        var known = memory?.Packages.Keys.ToHashSet(StringComparer.Ordinal) ?? [];
        var touched = before is null ? null : await TouchedAsync(before, head!, cancellationToken);
        var listed = head is null ? [] : await PackagesAsync(head, touched, cancellationToken);
        List<string> removed =
            touched is null ? [] : [.. touched.Where(path => known.Contains(path) && !listed.ContainsKey(path))];
        var present = listed.Keys.Order(StringComparer.Ordinal).ToList();
        var commits = head is null
            ? []
            : await LastCommitsAsync(present, before is null ? head : $"{before}..{head}", head, cancellationToken);
        var poll = new Poll(
            intake, identity, memory,
            (paths, token) => LoadAsync(paths, head!, listed, commits, memory, packagers, token));
        return await poll.RunAsync(cursor, present, removed, _ => "", cancellationToken);
    }

    private async Task<HashSet<string>> TouchedAsync(string before, string head, CancellationToken cancellationToken)
    {
        var paths = await mirror.DifferenceAsync(before, head, settings.Prefix, cancellationToken);
        return paths.Select(PackageOf).OfType<string>().ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The packages at a commit with their files, all of them or those at some paths.</summary>
    private async Task<Dictionary<string, List<GitEntry>>> PackagesAsync(
        string commit, HashSet<string>? only, CancellationToken cancellationToken)
    {
        if (only is { Count: 0 })
            return [];
        IReadOnlyList<string> directories = settings.Depth > 0 && only is not null
            ? [.. only]
            : settings.Prefix.Length > 0 ? [settings.Prefix] : [];
        var packages = new Dictionary<string, List<GitEntry>>(StringComparer.Ordinal);
        foreach (var entry in await mirror.ListAsync(commit, directories, cancellationToken))
        {
            if (PackageOf(entry.Path) is not { } package)
                continue;
            if (!packages.TryGetValue(package, out var entries))
                packages[package] = entries = [];
            entries.Add(entry);
        }

        foreach (var (path, entries) in packages.ToList())
        {
            var pkgbuild = path.Length > 0 ? path + "/PKGBUILD" : "PKGBUILD";
            if (!entries.Exists(entry => entry.Path == pkgbuild))
                packages.Remove(path);
        }

        return packages;
    }

    /// <summary>The last commit that touched each package: one walk over the new commits, never a log for each
    /// package.</summary>
    private async Task<Dictionary<string, GitCommit>> LastCommitsAsync(
        List<string> packages, string range, string head, CancellationToken cancellationToken)
    {
        var missing = packages.ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, GitCommit>(StringComparer.Ordinal);
        GitCommit? newest = null;
        bool Visit(GitCommit commit)
        {
            newest ??= commit;
            foreach (var path in commit.Paths)
            {
                if (PackageOf(path) is { } package && missing.Remove(package))
                    found[package] = commit with { Paths = [] };
            }

            return missing.Count > 0;
        }

        if (missing.Count > 0)
            await mirror.WalkAsync(range, settings.Prefix, Visit, cancellationToken);
        // After a rewrite none of the new commits need have touched them: then the whole history tells.
        if (missing.Count > 0 && range != head)
            await mirror.WalkAsync(head, settings.Prefix, Visit, cancellationToken);
        foreach (var package in missing)
            found[package] = newest ?? new GitCommit(head, DateTimeOffset.UnixEpoch, "", "", []);
        return found;
    }

    private async IAsyncEnumerable<IReadOnlyList<Candidate>> LoadAsync(
        IReadOnlyList<string> paths,
        string head,
        Dictionary<string, List<GitEntry>> listed,
        Dictionary<string, GitCommit> commits,
        SourceMemory? memory,
        Packagers packagers,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A package that nobody touched is asked for when it gets a name that another one held.
        var others = paths.Where(path => !listed.ContainsKey(path)).ToHashSet(StringComparer.Ordinal);
        foreach (var (path, entries) in await PackagesAsync(head, others, cancellationToken))
            listed[path] = entries;
        var chunk = new List<string>();
        var bytes = 0L;
        foreach (var path in paths)
        {
            var size = Problem(listed[path]) is null ? listed[path].Sum(entry => entry.Size) : 0;
            if (chunk.Count == CandidatesAtOnce || (chunk.Count > 0 && bytes + size > BytesAtOnce))
            {
                yield return await CandidatesAsync(chunk, listed, commits, memory, packagers, cancellationToken);
                chunk.Clear();
                bytes = 0;
            }

            chunk.Add(path);
            bytes += size;
        }

        yield return await CandidatesAsync(chunk, listed, commits, memory, packagers, cancellationToken);
    }

    private async Task<List<Candidate>> CandidatesAsync(
        List<string> paths,
        Dictionary<string, List<GitEntry>> listed,
        Dictionary<string, GitCommit> commits,
        SourceMemory? memory,
        Packagers packagers,
        CancellationToken cancellationToken)
    {
        var good = paths.Where(path => Problem(listed[path]) is null).ToList();
        var contents = await mirror.ReadAsync([.. good.SelectMany(path => listed[path])], cancellationToken);
        var next = 0;
        var candidates = new List<Candidate>(paths.Count);
        foreach (var path in paths)
        {
            var entries = listed[path];
            var problem = Problem(entries);
            SourceTree? tree = null;
            if (problem is null)
            {
                (tree, problem) = Tree(path, entries, contents.GetRange(next, entries.Count));
                next += entries.Count;
            }

            var known = memory?.Packages.GetValueOrDefault(path);
            var commit = commits.GetValueOrDefault(path);
            candidates.Add(new Candidate
            {
                Path = path,
                Tree = tree,
                Problem = problem,
                Revision = commit?.Id ?? known!.Revision,
                Time = commit?.Time ?? known!.Time,
                Packager = commit is null
                    ? known!.Packager
                    : packagers.Name(new Author(commit.AuthorName, commit.AuthorAddress), tree),
            });
        }

        return candidates;
    }

    /// <summary>What can be said against a package before its files are read.</summary>
    private string? Problem(List<GitEntry> entries)
    {
        var submodule = entries.Find(entry => entry.IsSubmodule);
        if (submodule.Path is not null)
            return $"{submodule.Path} is a git submodule, which is not fetched: name its repository in source=() "
                + "instead.";
        if (entries.Count > settings.TreeLimits.MaxFiles)
            return $"Its directory holds {entries.Count} files; at most {settings.TreeLimits.MaxFiles} are taken.";
        var bytes = entries.Sum(entry => entry.Size);
        return bytes > settings.TreeLimits.MaxBytes
            ? $"Its directory holds {bytes} bytes; at most {settings.TreeLimits.MaxBytes} are taken."
            : null;
    }

    private (SourceTree? Tree, string? Problem) Tree(
        string package, List<GitEntry> entries, List<ReadOnlyMemory<byte>> contents)
    {
        try
        {
            var start = package.Length > 0 ? package.Length + 1 : 0;
            var tree = SourceTree.Create(
                entries.Zip(contents, (entry, content) => new TreeEntry(entry.Path[start..], KindOf(entry), content)),
                settings.TreeLimits);
            return (tree, null);
        }
        catch (SourceTreeException refused)
        {
            return (null, $"Its directory cannot be taken: {refused.Message}.");
        }
    }

    private static TreeEntryKind KindOf(GitEntry entry) => entry.Mode switch
    {
        "120000" => TreeEntryKind.Symlink,
        "100755" => TreeEntryKind.Executable,
        _ => TreeEntryKind.File,
    };

    /// <summary>The package that a path belongs to; null for what lies above or beside the packages.</summary>
    private string? PackageOf(string path)
    {
        var start = 0;
        if (settings.Prefix.Length > 0)
        {
            if (!path.StartsWith(settings.Prefix + "/", StringComparison.Ordinal))
                return null;
            start = settings.Prefix.Length + 1;
        }

        if (settings.Depth == 0)
            return settings.Prefix;
        var end = start - 1;
        for (var i = 0; i < settings.Depth; i++)
        {
            end = path.IndexOf('/', end + 1);
            if (end < 0)
                return null;
        }

        return path[..end];
    }

    /// <summary>Changes when the settings mean other packages or packagers, and then everything is reported
    /// anew.</summary>
    private string Fingerprint(Packagers packagers)
    {
        var text = $"{settings.Url}\n{settings.Prefix}\n{settings.Depth}\n{settings.Repository}\n{packagers.Text}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }
}
