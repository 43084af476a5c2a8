using Quarters.Alpm;
using Quarters.Linux.Files;

namespace Quarters.Master.Repositories;

/// <summary>A pacman repository in a directory, whoever made it: a database, and the package files beside it.</summary>
/// <param name="Directory">The directory.</param>
/// <param name="Name">The repository's name, as in pacman.conf.</param>
/// <param name="Database">The path of its database.</param>
public sealed record RepositoryFolder(string Directory, string Name, string Database)
{
    private const string Ending = ".db";

    private static readonly SyncReadLimits Limits = new();

    /// <summary>The path of its files database, whether it is there or not.</summary>
    public string Files => Database[..^Ending.Length] + ".files";

    /// <summary>Finds the repository in a directory, or the one of a database.</summary>
    /// <exception cref="MasterException">There is none, or there are several.</exception>
    public static RepositoryFolder Find(string path)
    {
        path = Path.GetFullPath(path);
        if (File.Exists(path) && path.EndsWith(Ending, StringComparison.Ordinal)) return Of(path);
        if (!System.IO.Directory.Exists(path))
            throw new MasterException($"{path} is neither a directory nor a database NAME{Ending}");
        return System.IO.Directory.GetFiles(path, "*" + Ending) switch
        {
            [var only] => Of(only),
            [] => throw new MasterException($"{path} holds no database NAME{Ending}"),
            var several => throw new MasterException(
                $"{path} holds several databases ({string.Join(", ", several.Select(Path.GetFileName).Order())}): "
                + "name one of them"),
        };
    }

    /// <summary>The repository of one name in a directory.</summary>
    public static RepositoryFolder At(string directory, string name) =>
        new(directory, name, Path.Combine(directory, name + Ending));

    /// <summary>Reads the database.</summary>
    /// <exception cref="MasterException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public IReadOnlyList<SyncEntry> Read() => Read(Database);

    /// <summary>Reads only which packages the database has.</summary>
    /// <exception cref="MasterException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public IReadOnlyList<ListedPackage> List() => Read(
        Database,
        static segmented => segmented.List(Limits, Environment.ProcessorCount, AtOnce),
        static stream => SyncDatabase.List(stream, Limits));

    /// <summary>Reads the files database.</summary>
    /// <exception cref="MasterException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public IReadOnlyList<SyncEntry> ReadFiles() => Read(Files);

    /// <summary>Opens a file of a repository that anybody may have made. Links are followed, since repo-add and pools
    /// of packages have them; a pipe or a device is not read.</summary>
    /// <exception cref="IOException">It cannot be read, or is no plain file.</exception>
    internal static FileStream Open(string path) =>
        UntrustedFile.OpenRead(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);

    private static IReadOnlyList<SyncEntry> Read(string path) => Read(
        path,
        static segmented => segmented.ReadAll(Limits, Environment.ProcessorCount, AtOnce),
        static stream => SyncDatabase.Read(stream, Limits));

    private static IReadOnlyList<T> Read<T>(
        string path, Func<SegmentedDatabase, IReadOnlyList<T>> segments, Func<Stream, IEnumerable<T>> whole)
    {
        using var file = Open(path);
        try
        {
            if (SegmentedDatabase.OpenToReadAll(file) is { } segmented) return segments(segmented);
            file.Position = 0;
            return [.. whole(file)];
        }
        catch (AlpmFormatException damaged)
        {
            throw new MasterException($"{path} is damaged: {damaged.Message}");
        }
    }

    /// <summary>Parallel.For does the same, but takes a tenth of what `pacman -Sl` takes to get going.</summary>
    private static void AtOnce(int count, Action<int> act)
    {
        var others = new Task[Math.Max(0, count - 1)];
        for (var i = 1; i < count; i++)
        {
            var number = i;
            others[i - 1] = Task.Run(() => act(number));
        }

        if (count > 0) act(0);
        Task.WaitAll(others);
    }

    private static RepositoryFolder Of(string database) =>
        new(Path.GetDirectoryName(database)!, Path.GetFileName(database)[..^Ending.Length], database);
}
