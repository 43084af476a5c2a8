using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Quarters.Core.Sources;

/// <summary>What an entry of a source tree is. Directories are not entries: they follow from the paths.</summary>
public enum TreeEntryKind
{
    /// <summary>A file, mode 0644.</summary>
    File,

    /// <summary>A file that may be run, mode 0755.</summary>
    Executable,

    /// <summary>A symbolic link; its content is the target.</summary>
    Symlink,
}

/// <summary>One file or link of a source tree.</summary>
/// <param name="Path">Relative, with slashes.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Content">The file's bytes, or the link's target in UTF-8.</param>
public readonly record struct TreeEntry(string Path, TreeEntryKind Kind, ReadOnlyMemory<byte> Content);

/// <summary>How large a source tree may be. What is fetched from elsewhere (<c>source=()</c>) is no part of
/// it.</summary>
public sealed record TreeLimits
{
    /// <summary>The limits where nothing else is said.</summary>
    public static TreeLimits Default { get; } = new();

    /// <summary>Files and links.</summary>
    public int MaxFiles { get; init; } = 4096;

    /// <summary>Bytes of all files and link targets together.</summary>
    public long MaxBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Bytes of one path.</summary>
    public int MaxPathBytes { get; init; } = 1024;
}

/// <summary>A tree that breaks a rule; the message completes the sentence with which entry and which rule.</summary>
public sealed class SourceTreeException(string message) : Exception(message);

/// <summary>
/// The files of one source package, as they go from the source to the builder. An instance is valid: there is at least
/// one file, every path stays inside, no entry lies below a file or a link, no link leads out, and the limits hold.
/// </summary>
public sealed class SourceTree
{
    private SourceTree(ImmutableArray<TreeEntry> entries)
    {
        Entries = entries;
        Sha256 = Digest(entries);
    }

    /// <summary>Files and links, ordered by path (ordinal).</summary>
    public ImmutableArray<TreeEntry> Entries { get; }

    /// <summary>SHA-256 (lower-case hex) over modes, contents and paths: equal trees, equal digests.</summary>
    public string Sha256 { get; }

    /// <summary>The bytes of all entries.</summary>
    public long Bytes => Entries.Sum(entry => (long)entry.Content.Length);

    /// <summary>The entry at a path, or null.</summary>
    public TreeEntry? Find(string path)
    {
        foreach (var entry in Entries)
        {
            if (entry.Path == path)
                return entry;
        }

        return null;
    }

    /// <summary>Checks the entries and makes a tree of them.</summary>
    /// <exception cref="SourceTreeException">An entry breaks a rule.</exception>
    public static SourceTree Create(IEnumerable<TreeEntry> entries, TreeLimits limits)
    {
        var bytes = 0L;
        var byPath = new SortedDictionary<string, TreeEntry>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            CheckPath(entry.Path, limits);
            bytes += entry.Content.Length;
            if (bytes > limits.MaxBytes)
                throw new SourceTreeException($"its files hold more than {limits.MaxBytes} bytes");
            if (!byPath.TryAdd(entry.Path, entry))
                throw new SourceTreeException($"{Show(entry.Path)} is in it twice");
            if (byPath.Count > limits.MaxFiles)
                throw new SourceTreeException($"it holds more than {limits.MaxFiles} files");
        }

        if (byPath.Count == 0)
            throw new SourceTreeException("it holds no file");
        foreach (var entry in byPath.Values)
        {
            for (var slash = entry.Path.IndexOf('/'); slash >= 0; slash = entry.Path.IndexOf('/', slash + 1))
            {
                if (byPath.ContainsKey(entry.Path[..slash]))
                    throw new SourceTreeException($"{Show(entry.Path)} lies below a file or a link");
            }

            if (entry.Kind == TreeEntryKind.Symlink)
                CheckLink(entry);
        }

        return new SourceTree([.. byPath.Values]);
    }

    private static void CheckPath(string path, TreeLimits limits)
    {
        if (Encoding.UTF8.GetByteCount(path) > limits.MaxPathBytes)
            throw new SourceTreeException($"{Show(path)} is a path of more than {limits.MaxPathBytes} bytes");
        foreach (var part in path.Split('/'))
        {
            if (part is "" or "." or "..")
                throw new SourceTreeException($"{Show(path)} is not a path inside it");
            if (part.Equals(".git", StringComparison.OrdinalIgnoreCase))
                throw new SourceTreeException($"{Show(path)} would be taken for a git repository");
        }

        if (path.Any(char.IsControl) || path.Contains('\uFFFD', StringComparison.Ordinal))
            throw new SourceTreeException($"{Show(path)} has control characters, or is not UTF-8");
    }

    // Only leading ".." are allowed: behind another link, ".." would lead to the parent of where that link points.
    private static void CheckLink(TreeEntry entry)
    {
        var target = Encoding.UTF8.GetString(entry.Content.Span);
        var up = entry.Path.Count(character => character == '/');
        var inside = target.Length > 0 && target[0] != '/' && !target.Any(char.IsControl);
        var leading = true;
        foreach (var part in target.Split('/'))
        {
            leading &= part is ".." or ".";
            if (part == "..")
                inside &= leading && --up >= 0;
        }

        if (!inside)
            throw new SourceTreeException($"{Show(entry.Path)} is a link that leads out of it, to {Show(target)}");
    }

    private static string Show(string text)
    {
        var shown = new string([.. text.Take(120).Select(character => char.IsControl(character) ? '?' : character)]);
        return text.Length > 120 ? shown + "…" : shown;
    }

    private static string Digest(ImmutableArray<TreeEntry> entries)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var entry in entries)
        {
            var mode = entry.Kind switch
            {
                TreeEntryKind.File => "100644",
                TreeEntryKind.Executable => "100755",
                _ => "120000",
            };
            var content = Convert.ToHexStringLower(SHA256.HashData(entry.Content.Span));
            hash.AppendData(Encoding.UTF8.GetBytes($"{mode} {content} {entry.Path}\0"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
