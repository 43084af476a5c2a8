using Quarters.Alpm;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Node;

namespace Quarters.Master.Repositories;

/// <summary>
/// A farm's own repositories as they are published, compared with what the master's journal says they hold. The master
/// may run meanwhile or not, and nothing is changed.
/// </summary>
/// <param name="folders">The master's folders.</param>
/// <param name="time">The time.</param>
public sealed class OwnRepositories(MasterFolders folders, TimeProvider time)
{
    /// <summary>A master that runs publishes between a look at the journal and one at a database, and not so many times
    /// in a row.</summary>
    private const int MaxLooks = 3;

    /// <summary>All that the farm has, also those of mass rebuilds and those that the configuration names no
    /// more.</summary>
    /// <exception cref="JournalDamagedException">The journal cannot be believed.</exception>
    public IReadOnlyList<(string Name, string Architecture)> All() =>
        [.. Look().Repositories.Values.Select(repository => (repository.Name, repository.Architecture))];

    /// <summary>Reads every package of a repository.</summary>
    /// <param name="name">The repository.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many packages its database has, null when nothing was ever published; and what is wrong, a sentence
    /// each.</returns>
    /// <exception cref="JournalDamagedException">The journal cannot be believed.</exception>
    /// <exception cref="IOException">The database or the directory cannot be read.</exception>
    public (int? Packages, IReadOnlyList<string> Problems) Check(
        string name, string architecture, CancellationToken cancellationToken)
    {
        var key = MasterState.RepositoryKey(name, architecture);
        var repository = RepositoryFolder.At(folders.Repository(name, architecture), name);
        var state = Look();
        if (!File.Exists(repository.Database))
        {
            var isMissing = Directory.Exists(repository.Directory)
                || (state.Repositories.TryGetValue(key, out var held) && !held.Packages.IsEmpty);
            return isMissing
                ? (0, [$"{name}.db is missing: start the master, which writes it anew, or run `quarters gc`"])
                : (null, []);
        }

        var problems = new List<string>();
        HashSet<string>? known = null;
        try
        {
            known = WithoutEntry(state, repository, architecture);
        }
        catch (AlpmFormatException damaged)
        {
            problems.Add($"which package files need no entry is not known: {damaged.Message}");
        }

        var (entries, found) = RepositoryCheck.Read(repository, known, cancellationToken);
        problems.AddRange(found);
        problems.AddRange(Differences(state, key, repository));
        return (entries.Count, problems);
    }

    private MasterState Look() => Ledger.Look(folders, time.GetUtcNow());

    /// <summary>
    /// The package files that the farm keeps although no database names them: what can be taken back, what snapshots
    /// hold, what was built here, and older versions of what is in some repository. Of the others nobody knows where
    /// they come from.
    /// </summary>
    private HashSet<string> WithoutEntry(MasterState state, RepositoryFolder repository, string architecture)
    {
        var known = Retention.PackageFilesOf(state, MasterState.RepositoryKey(repository.Name, architecture));
        known.UnionWith(
            state.Jobs.Values.SelectMany(job => job.Attempts).Where(attempt => attempt.End == AttemptEnd.Accepted)
                .SelectMany(attempt => attempt.Result?.Files ?? []).Select(file => file.Name));
        var newest = Versions(
                state.Repositories.Values.Where(other => other.Architecture == architecture)
                    .SelectMany(other => other.Packages.Values).Select(package => package.FileName))
            .GroupBy(file => file.Name, StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => same.Max(file => file.Version), StringComparer.Ordinal);
        var present = Versions(Directory.EnumerateFiles(repository.Directory).Select(path => Path.GetFileName(path)));
        foreach (var file in present.Where(file => file.Version <= newest.GetValueOrDefault(file.Name)))
            known.Add(file.ToString());
        // They are many, and most of what they hold is known by now.
        if (present.Exists(file => !known.Contains(file.ToString())))
            known.UnionWith(KeptFiles.Of(folders, repository.Name, architecture, state.Snapshots.ContainsKey));
        return known;
    }

    private static List<PackageFileName> Versions(IEnumerable<string> names)
    {
        var packages = new List<PackageFileName>();
        foreach (var name in names)
        {
            if (PackageFileName.TryParse(name, out var parsed)) packages.Add(parsed);
        }

        return packages;
    }

    /// <summary>Where a database does not say what the journal says; nothing where the database cannot be
    /// read.</summary>
    /// <param name="state">What the journal said a while ago: where nothing changed that is enough.</param>
    /// <param name="key">The repository's key in it.</param>
    /// <param name="repository">Where the database is.</param>
    private List<string> Differences(MasterState state, string key, RepositoryFolder repository)
    {
        for (var looks = 1; ; looks++, state = Look())
        {
            var held = state.Repositories.GetValueOrDefault(key);
            IReadOnlyList<SyncEntry> entries;
            try
            {
                entries = repository.Read();
            }
            catch (MasterException)
            {
                return [];
            }

            var differences = Differences(held, repository, entries);
            if (differences.Count == 0 || looks == MaxLooks)
            {
                // Between a change and its publication, for a moment or because the master died there.
                return differences.Count > 0 && held is { DatabaseSha256: null }
                    ? [$"{repository.Name}.db lacks the last change: verify again, or start the master if none runs"]
                    : differences;
            }
        }
    }

    private static List<string> Differences(
        RepositoryState? held, RepositoryFolder repository, IReadOnlyList<SyncEntry> entries)
    {
        var database = $"{repository.Name}.db";
        var left = entries.Select(entry => (entry.FileName, Sha256: entry.Sha256 ?? "")).ToHashSet();
        var differences = new List<string>();
        foreach (var package in held?.Packages.Values ?? [])
        {
            if (!left.Remove((package.FileName, package.Sha256)))
                differences.Add($"{package.FileName} has no entry in {database}, and the farm holds it: "
                    + Unpublished(Path.Combine(repository.Directory, package.FileName), package));
        }

        differences.AddRange(left.Order().Select(
            entry => $"{entry.FileName} has an entry in {database}, and the farm holds no such package: "
                + "`quarters gc` has the database written anew"));
        return differences;
    }

    private static string Unpublished(string path, RepositoryPackage package)
    {
        try
        {
            return StoredPackage.Read(path, package, _ => "`quarters gc` has the database written anew");
        }
        catch (UnreadablePackageException unread)
        {
            return unread.Message;
        }
    }
}
