using Quarters.Alpm;
using Quarters.Core.Master;
using Quarters.Linux.Files;
using Quarters.Master.Repositories;

namespace Quarters.Master.Keeping;

/// <summary>
/// Finds the files that nothing in a state names and that the policy does not keep. What is younger than a day is left
/// alone: it may be on its way into the state.
/// </summary>
internal sealed class Unneeded(MasterFolders folders, MasterState state, DateTimeOffset now)
{
    private const string Archive = ".tar.zst";

    private static readonly TimeSpan Grace = TimeSpan.FromDays(1);

    /// <summary>All of them, in the order in which they may go: what names others goes before those.</summary>
    /// <exception cref="AlpmFormatException">The database of a snapshot that is kept is damaged, so that it is not
    /// known what it needs.</exception>
    public IEnumerable<UnneededFile> Find() =>
        Snapshots().Concat(Databases()).Concat(Packages()).Concat(Sources()).Concat(Logs()).Concat(Leftovers());

    /// <summary>Of what was found in an earlier state what nothing in this one names either.</summary>
    public IEnumerable<UnneededFile> StillIn(IEnumerable<UnneededFile> found)
    {
        var packages = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        var sources = new Lazy<HashSet<string>>(() => Retention.SourcePackagesOf(state));
        var databases = DatabasesOf(state);
        return found.Where(file =>
        {
            var name = Path.GetFileName(file.Path);
            return file.Kind switch
            {
                UnneededKind.Snapshot => !state.Snapshots.ContainsKey(name),
                UnneededKind.Database => !databases.Contains(name),
                UnneededKind.Package => !PackagesOf(file.Repository!).Contains(name),
                UnneededKind.Source => !sources.Value.Contains(name[..^Archive.Length]),
                UnneededKind.Log => !state.Jobs.ContainsKey(JobOf(name)),
                _ => true,
            };
        });

        HashSet<string> PackagesOf(string repository) => packages.TryGetValue(repository, out var known)
            ? known
            : packages[repository] = Retention.PackageFilesOf(state, repository);
    }

    private static HashSet<string> DatabasesOf(MasterState state) =>
    [
        .. state.Repositories.Values.Select(repository => repository.DatabaseSha256).OfType<string>(),
        .. state.Outside.Values.Select(pinned => pinned.Sha256),
    ];

    private IEnumerable<UnneededFile> Snapshots() =>
        from folder in Directories(folders.Snapshots)
        let name = folder.Name
        where name.EndsWith(DurableFile.TemporarySuffix, StringComparison.Ordinal)
            || (!state.Snapshots.ContainsKey(name) && IsOld(folder))
        // The databases in it have another name elsewhere.
        select new UnneededFile(UnneededKind.Snapshot, folder.FullName, 0);

    private IEnumerable<UnneededFile> Databases()
    {
        var needed = DatabasesOf(state);
        return from file in Files(folders.Databases)
               where !needed.Contains(file.Name) && IsOld(file)
               select new UnneededFile(UnneededKind.Database, file.FullName, file.Length);
    }

    private IEnumerable<UnneededFile> Packages()
    {
        foreach (var repository in Directories(folders.Repositories))
        {
            foreach (var folder in Directories(Path.Combine(repository.FullName, "os")))
            {
                var key = MasterState.RepositoryKey(repository.Name, folder.Name);
                var needed = Retention.PackageFilesOf(state, key);
                needed.UnionWith(KeptFiles.Of(folders, repository.Name, folder.Name, state.Snapshots.ContainsKey));
                var packages = new List<(FileInfo File, PackageFileName Name)>();
                foreach (var file in folder.EnumerateFiles())
                {
                    if (PackageFileName.TryParse(file.Name, out var name)) packages.Add((file, name));
                }

                foreach (var (file, _) in packages.GroupBy(one => (one.Name.Name, one.Name.Architecture))
                    .SelectMany(same => same.OrderByDescending(one => one.Name.Version)
                        .Skip(state.Settings?.Keep.Versions ?? int.MaxValue))
                    .Where(one => !needed.Contains(one.File.Name) && IsPast(one.File)))
                {
                    yield return new UnneededFile(UnneededKind.Package, file.FullName, file.Length)
                    {
                        Repository = key,
                    };
                }
            }
        }
    }

    private IEnumerable<UnneededFile> Sources()
    {
        var needed = Retention.SourcePackagesOf(state);
        return from file in Files(folders.SourcePackages)
               where file.Name.EndsWith(Archive, StringComparison.Ordinal)
                   && !needed.Contains(file.Name[..^Archive.Length]) && IsPast(file)
               select new UnneededFile(UnneededKind.Source, file.FullName, file.Length);
    }

    private IEnumerable<UnneededFile> Logs() =>
        from file in Files(folders.Logs)
        where !state.Jobs.ContainsKey(JobOf(file.Name)) && IsPast(file)
        select new UnneededFile(UnneededKind.Log, file.FullName, file.Length);

    /// <summary>Results that nobody waits for any more.</summary>
    private IEnumerable<UnneededFile> Leftovers() =>
        from folder in Directories(folders.Incoming)
        where state.Jobs.GetValueOrDefault(JobOf(folder.Name + ".log")) is not { IsOpen: true } && IsOld(folder)
        select new UnneededFile(
            UnneededKind.Leftover, folder.FullName, folder.EnumerateFiles().Sum(file => file.Length));

    /// <summary>The job of <c>JOB.ATTEMPT.log</c>.</summary>
    private static string JobOf(string log) => Path.GetFileNameWithoutExtension(Path.GetFileNameWithoutExtension(log));

    private bool IsOld(FileSystemInfo file) => file.LastWriteTimeUtc < (now - Grace).UtcDateTime;

    private bool IsPast(FileSystemInfo file) =>
        IsOld(file) && state.Settings is { } settings
        && file.LastWriteTimeUtc < now.UtcDateTime - TimeSpan.FromSeconds(settings.Keep.Seconds);

    private static IEnumerable<DirectoryInfo> Directories(string path) =>
        Directory.Exists(path) ? new DirectoryInfo(path).EnumerateDirectories() : [];

    private static IEnumerable<FileInfo> Files(string path) =>
        Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles() : [];
}

/// <summary>A file, or a directory, that nothing needs.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Path">Where it is.</param>
/// <param name="Bytes">What deleting it frees.</param>
internal sealed record UnneededFile(UnneededKind Kind, string Path, long Bytes)
{
    /// <summary>Of a package the repository, <see cref="MasterState.RepositoryKey"/>.</summary>
    public string? Repository { get; init; }
}

/// <summary>What a file is that nothing needs.</summary>
internal enum UnneededKind
{
    /// <summary>A directory with the databases of a snapshot.</summary>
    Snapshot,

    /// <summary>A database that is neither published nor pinned.</summary>
    Database,

    /// <summary>A package file.</summary>
    Package,

    /// <summary>A source package.</summary>
    Source,

    /// <summary>The log of an attempt.</summary>
    Log,

    /// <summary>A download that was not finished.</summary>
    Leftover,
}
