using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Core.Sources;
using Quarters.Sources.Intake;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Sources.Directories;

/// <summary>What came of reading one directory: package and info, or else the problem.</summary>
/// <param name="Directory">The directory, as it was given or found below one that was given.</param>
/// <param name="Package">The uniform record, as a source over this directory would report it.</param>
/// <param name="Info">What the PKGBUILD says; its text is what <c>makepkg --printsrcinfo</c> prints.</param>
/// <param name="Problem">Why it cannot be read.</param>
public sealed record ParsedDirectory(string Directory, SourcePackage? Package, SrcInfo? Info, string? Problem);

/// <summary>Reads package directories here and now, for a person at the command line: nothing is kept.</summary>
public sealed class DirectoryParser(PkgbuildReader reader)
{
    private const int DirectoriesAtOnce = 256;

    /// <summary>Whether records say hash and size of the source package. To compress it costs more than all the rest,
    /// so who
    /// needs neither may do without; then they are empty and 0.</summary>
    public bool WithArchive { get; init; } = true;

    /// <summary>Reads directories; one without a PKGBUILD stands for those in it that have one.</summary>
    /// <param name="directories">Paths.</param>
    /// <param name="repository">The repository to name in the records.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ReadingSandboxException">PKGBUILDs cannot be read on this machine.</exception>
    public async IAsyncEnumerable<ParsedDirectory> ParseAsync(
        IEnumerable<string> directories,
        string repository,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var chunk in directories.SelectMany(directory => Expand(directory)).Chunk(DirectoriesAtOnce))
        {
            var loaded = chunk.Select(Load).ToList();
            var inputs = loaded.Where(one => one.Tree is not null)
                .Select(one => new PkgbuildInput(NameOf(one.Directory), one.Tree!)).ToList();
            var readings = new Queue<PkgbuildReading>(await reader.ReadAsync(inputs, cancellationToken));
            foreach (var (directory, tree, time, problem) in loaded)
            {
                var reading = tree is null ? new PkgbuildReading(null, problem) : readings.Dequeue();
                yield return reading.Info is { } info
                    ? new ParsedDirectory(directory, Record(directory, tree!, time, info, repository), info, null)
                    : new ParsedDirectory(directory, null, null, reading.Problem);
            }
        }
    }

    private SourcePackage Record(
        string directory, SourceTree tree, DateTimeOffset time, SrcInfo info, string repository)
    {
        var origin = new SourceOrigin
        {
            Source = "",
            Kind = "directory",
            Location = Path.GetFullPath(directory),
            Path = "",
            Revision = "",
            Time = time,
        };
        var packager = MaintainerLine.Find(tree) ?? PackageIntake.UnknownPackager;
        var archive = WithArchive ? ArchiveStore.Measure(tree).Facts : new ArchiveFacts("", 0);
        return SourcePackages.Create(info, origin, packager, repository, tree.Sha256, archive);
    }

    private static ImmutableArray<string> Expand(string directory)
    {
        if (!Directory.Exists(directory) || Path.Exists(Path.Combine(directory, "PKGBUILD")))
            return [directory];
        var inner = Directory.GetDirectories(directory).Where(path => Path.Exists(Path.Combine(path, "PKGBUILD")));
        var found = inner.Order(StringComparer.Ordinal).ToImmutableArray();
        return found.IsEmpty ? [directory] : found;
    }

    private static (string Directory, SourceTree? Tree, DateTimeOffset Time, string? Problem) Load(string directory)
    {
        try
        {
            var files = PackageDirectory.Find(directory);
            return (directory, PackageDirectory.Read(files, TreeLimits.Default), PackageDirectory.Newest(files), null);
        }
        catch (Exception refused) when (refused is SourceTreeException or IOException or UnauthorizedAccessException)
        {
            return (directory, null, DateTimeOffset.UnixEpoch, refused.Message);
        }
    }

    private static string NameOf(string directory) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));
}
