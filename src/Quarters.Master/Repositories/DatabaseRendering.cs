using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master.Repositories;

/// <summary>
/// Both databases of a repository, written side by side from what the state says, segment by segment: those that did
/// not change are copied from the databases that are there, and the entries of the others are taken from there where
/// they are still right, and else read from the package files. A package whose file is not what was accepted is left
/// out: all others can be installed. Memory holds one segment.
/// </summary>
internal sealed class DatabaseRendering(
    RepositoryState repository, Func<RepositoryState, RepositoryPackage, string> locate, string database, string files)
{
    private static readonly SyncReadLimits Limits = new();

    private readonly List<string> _leftOut = [];

    /// <summary>What is left out, and why and what to do: a sentence each.</summary>
    public IReadOnlyList<string> LeftOut => _leftOut;

    /// <summary>Whether a database is there, undamaged, and has exactly the repository's packages.</summary>
    public static bool IsWhole(RepositoryState repository, string path)
    {
        using var file = OpenIfThere(path);
        return file is not null && SegmentedDatabase.Open(file) is { } present
            && Segments(repository).Select(s => s.Key).SequenceEqual(present.Segments.Select(s => s.Key))
            && present.Segments.All(segment => present.TryCopy(segment) is not null);
    }

    /// <summary>Writes; returns how many bytes the database has.</summary>
    public long Write(Stream plain, Stream full)
    {
        using var databaseFile = OpenIfThere(database);
        using var filesFile = OpenIfThere(files);
        var present = filesFile is null ? null : SegmentedDatabase.Open(filesFile);
        var plainWriter = new SegmentedDatabaseWriter(
            plain, databaseFile is null ? null : SegmentedDatabase.Open(databaseFile), withFiles: false);
        var fullWriter = new SegmentedDatabaseWriter(full, present, withFiles: true);
        foreach (var segment in Segments(repository))
        {
            var isPlainThere = plainWriter.TryCopy(segment);
            var isFullThere = fullWriter.TryCopy(segment);
            if (isPlainThere && isFullThere) continue;
            var entries = Entries(segment, present);
            // None is left where no file of the segment can be read.
            if (DatabaseSegment.Cut(entries.Select(Identify)) is not [var readable]) continue;
            if (!isPlainThere) plainWriter.Write(readable, entries);
            if (!isFullThere) fullWriter.Write(readable, entries);
        }

        fullWriter.Finish();
        return plainWriter.Finish();
    }

    private static ImmutableArray<DatabaseSegment> Segments(RepositoryState repository) => DatabaseSegment.Cut(
        repository.Packages.Values.Select(p => new PackageIdentity(p.Name, p.FileName, p.Sha256)));

    private List<SyncEntry> Entries(DatabaseSegment segment, SegmentedDatabase? present)
    {
        var known = new Dictionary<PackageIdentity, SyncEntry>();
        foreach (var stored in segment.Packages.Select(p => present?.Find(p.Name)).OfType<StoredSegment>().Distinct())
        {
            foreach (var entry in ReadIfWhole(present!, stored))
                known[Identify(entry)] = entry;
        }

        return [.. segment.Packages.Select(p => known.GetValueOrDefault(p) ?? ReadPackage(p)).OfType<SyncEntry>()];
    }

    private static PackageIdentity Identify(SyncEntry entry) => new(entry.Name, entry.FileName, entry.Sha256 ?? "");

    private static IReadOnlyList<SyncEntry> ReadIfWhole(SegmentedDatabase present, StoredSegment stored)
    {
        try
        {
            return [.. present.Read(stored, Limits).Where(entry => entry.Files is not null)];
        }
        catch (AlpmFormatException)
        {
            // A damaged index costs time, not packages: all is read from the package files again.
            return [];
        }
    }

    private SyncEntry? ReadPackage(PackageIdentity identity)
    {
        var package = repository.Packages[identity.Name];
        try
        {
            var facts = StoredPackage.Read(
                locate(repository, package), package, file => PackageFile.Read(file, new PackageReadLimits()));
            return SyncEntry.FromPackage(facts.Info, package.FileName, package.Bytes, package.Sha256, facts.Files);
        }
        catch (UnreadablePackageException unreadable)
        {
            _leftOut.Add(unreadable.Message);
            return null;
        }
    }

    private static FileStream? OpenIfThere(string path) => File.Exists(path) ? File.OpenRead(path) : null;
}
