using System.Text;
using Quarters.Alpm;
using Quarters.Core.Sources;

namespace Quarters.Sources.Directories;

/// <summary>One file of a package's directory, not read yet.</summary>
internal readonly record struct FoundFile(string Path, FileInfo Info)
{
    internal bool IsLink => Info.LinkTarget is not null;
}

/// <summary>
/// Finds and reads the files of a package in a plain directory. What makepkg leaves there is no part of the source:
/// <c>src/</c>, <c>pkg/</c>, built packages and logs; nor is what version control keeps.
/// </summary>
internal static class PackageDirectory
{
    private const int MaxWalkedFiles = 100_000;

    private static readonly string[] MetadataDirectories = [".git", ".svn", ".hg", ".bzr"];

    /// <summary>All files and links, ordered by path. Links are never followed.</summary>
    /// <param name="directory">Where to look.</param>
    /// <param name="everything">True takes what makepkg or version control may have left, too.</param>
    /// <exception cref="SourceTreeException">There are too many.</exception>
    internal static List<FoundFile> Find(string directory, bool everything = false)
    {
        var found = new List<FoundFile>();
        var walked = 0;
        var pending = new Stack<(DirectoryInfo Directory, string Path)>([(new DirectoryInfo(directory), "")]);
        while (pending.TryPop(out var next))
        {
            foreach (var entry in next.Directory.EnumerateFileSystemInfos())
            {
                if (++walked > MaxWalkedFiles)
                    throw new SourceTreeException($"it holds more than {MaxWalkedFiles} files");
                var path = next.Path.Length > 0 ? $"{next.Path}/{entry.Name}" : entry.Name;
                if (entry is DirectoryInfo { LinkTarget: null } inner)
                {
                    if (everything || (!MetadataDirectories.Contains(entry.Name) && path is not ("src" or "pkg")))
                        pending.Push((inner, path));
                }
                else if (everything || !IsProduct(path))
                {
                    found.Add(new FoundFile(path, new FileInfo(entry.FullName)));
                }
            }
        }

        found.Sort((left, right) => string.CompareOrdinal(left.Path, right.Path));
        return found;
    }

    /// <summary>Reads the files found.</summary>
    /// <exception cref="SourceTreeException">Together they are no source package.</exception>
    /// <exception cref="IOException">One cannot be read, or has just gone.</exception>
    internal static SourceTree Read(List<FoundFile> files, TreeLimits limits)
    {
        var bytes = files.Sum(file => file.IsLink ? 0 : file.Info.Length);
        if (bytes > limits.MaxBytes)
            throw new SourceTreeException(
                $"its files hold {bytes} bytes, and at most {limits.MaxBytes} are taken; "
                + "downloaded sources belong into makepkg's SRCDEST");
        return SourceTree.Create(files.Select(Read), limits);
    }

    /// <summary>All files below a directory that version control wrote, and nobody else.</summary>
    internal static List<TreeEntry> ReadAll(string directory) => Find(directory, everything: true).ConvertAll(Read);

    /// <summary>When the last of them was written; 1970 when there is none.</summary>
    internal static DateTimeOffset Newest(List<FoundFile> files) => files
        .Select(file => new DateTimeOffset(file.Info.LastWriteTimeUtc)).DefaultIfEmpty(DateTimeOffset.UnixEpoch).Max();

    private static TreeEntry Read(FoundFile file)
    {
        if (file.Info.LinkTarget is { } target)
            return new TreeEntry(file.Path, TreeEntryKind.Symlink, Encoding.UTF8.GetBytes(target));
        var executable = file.Info.UnixFileMode.HasFlag(UnixFileMode.UserExecute);
        // Pipes, sockets and devices have no length; opening one could wait for ever, or do something.
        var content = file.Info.Length == 0 ? [] : File.ReadAllBytes(file.Info.FullName);
        return new TreeEntry(file.Path, executable ? TreeEntryKind.Executable : TreeEntryKind.File, content);
    }

    private static bool IsProduct(string path) =>
        !path.Contains('/', StringComparison.Ordinal) && PackageFileName.IsBuildProduct(path);
}
