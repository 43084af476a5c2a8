using Quarters.Core.Sources;

namespace Quarters.Sources.Versioned;

/// <summary>A file of a repository's listing.</summary>
/// <param name="Path">Where it is in the repository.</param>
/// <param name="Id">What the repository calls its content; empty where content has no name.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Kind">What it is; null for what cannot be taken, such as a submodule.</param>
internal readonly record struct ListedFile(string Path, string Id, long Size, TreeEntryKind? Kind);

/// <summary>A package as a listing shows it, before its files are read.</summary>
/// <param name="Path">The package's directory: what it is known by.</param>
/// <param name="Directory">Where its files are: the same, or a pick inside it.</param>
/// <param name="Files">Its files.</param>
internal sealed record ListedPackage(string Path, string Directory, List<ListedFile> Files)
{
    /// <summary>What the files hold, where that is known without reading them; their paths are those inside the
    /// package.</summary>
    internal List<TreeEntry>? Entries { get; init; }

    internal long Bytes => Files.Sum(file => file.Size);

    /// <summary>What can be said against it before its files are read.</summary>
    internal string? FindFault(TreeLimits limits)
    {
        if (Files.Find(file => file.Kind is null).Path is { } submodule)
            return $"{submodule} is a submodule, which is not fetched: name its repository in source=() instead.";
        if (Files.Count > limits.MaxFiles)
            return $"Its directory holds {Files.Count} files; at most {limits.MaxFiles} are taken.";
        return Bytes > limits.MaxBytes
            ? $"Its directory holds {Bytes} bytes; at most {limits.MaxBytes} are taken."
            : null;
    }

    /// <summary>The path of a file inside the package.</summary>
    internal string Inner(ListedFile file) => Directory.Length == 0 ? file.Path : file.Path[(Directory.Length + 1)..];

    /// <summary>A package whose files are known already; null where no PKGBUILD is among them.</summary>
    internal static ListedPackage? Of(string path, string directory, List<TreeEntry> entries) =>
        entries.Exists(entry => entry.Path == "PKGBUILD")
            ? new ListedPackage(path, directory, entries.ConvertAll(entry => new ListedFile(
                directory.Length == 0 ? entry.Path : $"{directory}/{entry.Path}", "", entry.Content.Length,
                entry.Kind)))
            {
                Entries = entries,
            }
            : null;

    /// <summary>Puts a listing together: those directories are packages that hold a PKGBUILD.</summary>
    internal static Dictionary<string, ListedPackage> Group(PackageLayout layout, IEnumerable<ListedFile> files)
    {
        var found = new Dictionary<(string Package, int Pick), ListedPackage>();
        var whole = new HashSet<(string, int)>();
        foreach (var file in files)
        {
            if (layout.Place(file.Path) is not var (package, pick, inner))
                continue;
            if (!found.TryGetValue((package, pick), out var listed))
                found[(package, pick)] = listed = new ListedPackage(package, layout.DirectoryOf(package, pick), []);
            listed.Files.Add(file);
            if (inner == "PKGBUILD")
                whole.Add((package, pick));
        }

        var packages = new Dictionary<string, ListedPackage>(StringComparer.Ordinal);
        foreach (var (key, listed) in found.Where(one => whole.Contains(one.Key)).OrderBy(one => one.Key.Pick))
            packages.TryAdd(key.Package, listed);
        return packages;
    }
}
