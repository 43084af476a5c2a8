using Quarters.Chroots.Builds;
using Quarters.Core.Documents;
using Quarters.Core.Sources;
using Quarters.Linux.Files;

namespace Quarters.Builder.Fetching;

/// <summary>Turns a job into something that can be built: its source package and its snapshot, fetched and
/// checked.</summary>
internal sealed class Preparation(
    BuilderOptions options, BuilderFolders folders, MasterLink master, SnapshotStore snapshots)
{
    // The master accepts exactly the packages of the PKGBUILD; makepkg would add one with debugging symbols.
    private const string NoDebugPackages = "OPTIONS+=('!debug')";

    private readonly PackageFetch _packages = new(master.DownloadAsync);

    /// <summary>Fetches what a job needs.</summary>
    /// <param name="job">The job, checked.</param>
    /// <param name="directory">Belongs to the attempt; it must not exist.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What to build; log and phases are nobody's yet.</returns>
    /// <exception cref="FetchException">Something cannot be had.</exception>
    internal async Task<BuildRequest> PrepareAsync(QueueJob job, string directory, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        var source = Path.Combine(directory, "source");
        var output = Path.Combine(directory, "out");
        Directory.CreateDirectory(output);
        await FetchSourceAsync(job, source, cancellationToken);
        // A package for any architecture is built on whichever its snapshot is of.
        IReadOnlyCollection<string> architectures =
            job.Architecture == "any" ? options.Architectures : [job.Architecture];
        var snapshot = await snapshots.PinAsync(
            job.Snapshot, architectures, job.Accepts, Path.Combine(directory, "databases"), cancellationToken);
        return new BuildRequest
        {
            SourceDirectory = source,
            Pkgbase = job.Pkgbase,
            Dependencies = job.Dependencies,
            Packager = job.Packager,
            SourceDate = DateTimeOffset.FromUnixTimeSeconds(job.SourceDateEpoch),
            Snapshot = snapshot,
            BasePackages = job.BasePackages,
            Fetch = _packages.FetchAsync,
            Limits = Smaller(job.Limits, options.LimitsAtMost),
            MakepkgLines = [NoDebugPackages, .. job.Makepkg],
            OutputDirectory = output,
        };
    }

    private async Task FetchSourceAsync(QueueJob job, string directory, CancellationToken cancellationToken)
    {
        // By the job's name, not by hash: then no two downloads have one path, and a later attempt resumes this one's.
        var archive = Path.Combine(folders.Sources, job.Id + ".tar.zst");
        var from = master.At($"src/{job.SourceSha256}.tar.zst");
        if (await master.DownloadAsync(from, archive, job.SourceSha256, job.SourceBytes, cancellationToken)
            is { } failure)
            throw new FetchException(failure.Sentence + ".");
        try
        {
            using var file = File.OpenRead(archive);
            var tree = SourceArchive.Read(file, TreeLimits.Default);
            FileTree.Write(directory, tree.Entries.Select(ToFile));
        }
        catch (SourceTreeException refused)
        {
            throw new FetchException($"The source package {job.SourceSha256} was refused: {refused.Message}.");
        }
        finally
        {
            File.Delete(archive);
        }
    }

    private static FileToWrite ToFile(TreeEntry entry) => new(entry.Path, ModeOf(entry.Kind), entry.Content);

    private static UnixFileMode? ModeOf(TreeEntryKind kind)
    {
        const UnixFileMode Plain =
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        const UnixFileMode Execute =
            UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return kind switch
        {
            TreeEntryKind.File => Plain,
            TreeEntryKind.Executable => Plain | Execute,
            _ => null,
        };
    }

    private static BuildLimits Smaller(BuildLimits asked, BuildLimits most) => new()
    {
        MemoryBytes = Math.Min(asked.MemoryBytes, most.MemoryBytes),
        Processes = Math.Min(asked.Processes, most.Processes),
        DiskBytes = Math.Min(asked.DiskBytes, most.DiskBytes),
        TimeSeconds = Math.Min(asked.TimeSeconds, most.TimeSeconds),
        SilenceSeconds = Math.Min(asked.SilenceSeconds, most.SilenceSeconds),
    };
}
