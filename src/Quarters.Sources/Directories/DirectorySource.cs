using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Directories;

/// <summary>
/// Packages in a plain directory. A poll looks at the names, sizes and times of all files, and reads the packages in
/// which any of these changed.
/// </summary>
public sealed class DirectorySource : ISource
{
    private const string Kind = "directory";
    private const int CandidatesAtOnce = 256;
    private const long BytesAtOnce = 16L << 20;

    private readonly DirectorySourceSettings _settings;
    private readonly PackageIntake _intake;
    private readonly MemoryFile _memoryFile;
    private readonly SourceIdentity _identity;

    /// <summary>Makes a source; nothing is read before the first poll.</summary>
    /// <exception cref="SourceSettingsException">The name cannot be used.</exception>
    public DirectorySource(DirectorySourceSettings settings, PackageIntake intake)
    {
        _settings = settings;
        _intake = intake;
        _memoryFile = settings.OpenMemory();
        _identity = new SourceIdentity(settings.Name, Kind, Path.GetFullPath(settings.Path), settings.Repository);
    }

    /// <inheritdoc/>
    public string Name => _settings.Name;

    /// <inheritdoc/>
    public async Task<SourceReport> PollAsync(string? cursor, CancellationToken cancellationToken)
    {
        var packagers = Packagers.Load(_settings.Packagers);
        var memory = _memoryFile.Load(cursor);
        var sights = Look(cancellationToken);
        var next = Cursor(sights, packagers);
        if (memory is not null && memory.Cursor == next)
            return new SourceReport { Source = Name, Cursor = next, Total = sights.Count };
        if (memory is not null && Fingerprint(memory.Cursor) != Fingerprint(next))
            memory = null;
        var present = sights.Where(sight => memory?.Packages.GetValueOrDefault(sight.Key)?.Mark != sight.Value.Mark)
            .Select(sight => sight.Key).ToList();
        var removed = memory?.Packages.Keys.Where(path => !sights.ContainsKey(path)).ToList() ?? [];
        var poll = new Poll(_intake, _identity, memory, (paths, token) => LoadAsync(paths, sights, packagers, token));
        var (report, after) = await poll.RunAsync(next, present, removed, path => sights[path].Mark, cancellationToken);
        Directory.CreateDirectory(_settings.StateDirectory);
        _memoryFile.Save(after);
        return report;
    }

    /// <summary>Ends when a file in the directory changed. Where the system has no more watches to give, or the
    /// directory is not there, nothing is said, and the next poll comes in its time.</summary>
    public async Task ChangedAsync(CancellationToken cancellationToken)
    {
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = Watch(() => changed.TrySetResult());
        await changed.Task.WaitAsync(cancellationToken);
    }

    private FileSystemWatcher? Watch(Action changed)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(_settings.Path)
            {
                IncludeSubdirectories = true,
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite
                    | NotifyFilters.Attributes,
            };
            watcher.Changed += (_, _) => changed();
            watcher.Created += (_, _) => changed();
            watcher.Deleted += (_, _) => changed();
            watcher.Renamed += (_, _) => changed();
            // More than could be told are changes, too.
            watcher.Error += (_, _) => changed();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception none) when (none is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // Watching only saves time: the next poll comes anyway, and says what is wrong with the directory.
            watcher?.Dispose();
            return null;
        }
    }

    /// <summary>What a walk over a package's files showed.</summary>
    private sealed record Sight(string Mark, DateTimeOffset Newest, List<FoundFile> Files, string? Problem);

    private SortedDictionary<string, Sight> Look(CancellationToken cancellationToken)
    {
        try
        {
            var sights = new SortedDictionary<string, Sight>(StringComparer.Ordinal);
            if (Path.Exists(Path.Combine(_settings.Path, "PKGBUILD")))
            {
                sights[""] = Look(_settings.Path);
                return sights;
            }

            foreach (var directory in new DirectoryInfo(_settings.Path).EnumerateDirectories())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (directory.LinkTarget is null && Path.Exists(Path.Combine(directory.FullName, "PKGBUILD")))
                    sights[directory.Name] = Look(directory.FullName);
            }

            return sights;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SourceUnreachableException($"{_settings.Path} cannot be read: {failure.Message}");
        }
    }

    private static Sight Look(string directory)
    {
        try
        {
            var files = PackageDirectory.Find(directory);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var (path, info) in files)
            {
                var written = info.LastWriteTimeUtc;
                var facts = $"{path}\0{info.LinkTarget}\0{info.Length}\0{written.Ticks}\0{(int)info.UnixFileMode}\0";
                hash.AppendData(Encoding.UTF8.GetBytes(facts));
            }

            return new Sight(
                Convert.ToHexStringLower(hash.GetHashAndReset()), PackageDirectory.Newest(files), files, null);
        }
        catch (SourceTreeException refused)
        {
            return new Sight(refused.Message, DateTimeOffset.UnixEpoch, [], refused.Message);
        }
    }

    private async IAsyncEnumerable<IReadOnlyList<Candidate>> LoadAsync(
        IReadOnlyList<string> paths,
        SortedDictionary<string, Sight> sights,
        Packagers packagers,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var chunk = new List<Candidate>();
        var bytes = 0L;
        foreach (var path in paths)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (chunk.Count == CandidatesAtOnce || bytes > BytesAtOnce)
            {
                yield return chunk;
                (chunk, bytes) = ([], 0);
                // The consumer reads in a sandbox; give the thread back meanwhile even when all was known.
                await Task.Yield();
            }

            var candidate = Load(path, sights[path], packagers);
            bytes += candidate.Tree?.Bytes ?? 0;
            chunk.Add(candidate);
        }

        yield return chunk;
    }

    private Candidate Load(string path, Sight sight, Packagers packagers)
    {
        SourceTree? tree = null;
        var problem = sight.Problem;
        try
        {
            tree = problem is null ? PackageDirectory.Read(sight.Files, _settings.TreeLimits) : null;
        }
        catch (Exception refused) when (refused is SourceTreeException or IOException or UnauthorizedAccessException)
        {
            problem = refused.Message;
        }

        return new Candidate
        {
            Path = path,
            Tree = tree,
            Problem = problem is null ? null : $"Its directory cannot be taken: {problem.TrimEnd('.')}.",
            Revision = "",
            Time = sight.Newest,
            Packager = packagers.Name(null, tree),
        };
    }

    private string Cursor(SortedDictionary<string, Sight> sights, Packagers packagers)
    {
        var all = string.Concat(sights.Select(sight => $"{sight.Key}\0{sight.Value.Mark}\0"));
        var means = $"{_identity.Location}\n{_settings.Repository}\n{packagers.Text}";
        return $"{Hash(all)} {Hash(means)[..16]}";
    }

    private static string Fingerprint(string cursor) => cursor[(cursor.IndexOf(' ') + 1)..];

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
