using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Sources;

namespace Quarters.Sources.Git;

/// <summary>A path in which two commits differ.</summary>
/// <param name="Path">The path in the repository.</param>
/// <param name="Before">The content before; all zeros where there was none.</param>
/// <param name="Now">The content now; all zeros where there is none.</param>
/// <param name="Kind">What it is now; null for what cannot be taken, such as a submodule.</param>
internal readonly record struct GitDifference(string Path, string Before, string Now, TreeEntryKind? Kind)
{
    internal bool IsGone => IsZero(Now);

    internal bool IsNew => IsZero(Before);

    private static bool IsZero(string id) => id.All(digit => digit == '0');
}

/// <summary>One package on its way from the commit that is known to the newest.</summary>
internal sealed class GitPatch(SourceTree known)
{
    private readonly Dictionary<string, TreeEntry> _entries =
        known.Entries.ToDictionary(entry => entry.Path, StringComparer.Ordinal);

    private readonly Dictionary<string, (string Id, TreeEntryKind Kind)> _changed = new(StringComparer.Ordinal);

    /// <summary>The contents that are needed.</summary>
    internal IEnumerable<string> Wanted => _changed.Values.Select(one => one.Id);

    /// <summary>Takes a difference in a path inside the package; false when it is not one to the files that are
    /// known.</summary>
    internal bool TryTake(string path, GitDifference one)
    {
        var was = _entries.TryGetValue(path, out var entry);
        if (one.Kind is not { } kind || one.IsNew == was || (was && !IsBlob(entry.Content.Span, one.Before)))
            return false;
        _entries.Remove(path);
        if (!one.IsGone)
            _changed[path] = (one.Now, kind);
        return true;
    }

    /// <summary>The files as they are now.</summary>
    internal List<TreeEntry> Entries(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> contents) =>
    [
        .. _entries.Values,
        .. _changed.Select(one => new TreeEntry(one.Key, one.Value.Kind, contents[one.Value.Id])),
    ];

    // git knows contents by it, and so do we: it tells whether we have the same one, and protects from nothing.
#pragma warning disable CA5350
    private static bool IsBlob(ReadOnlySpan<byte> content, string id)
    {
        byte[] blob = [.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content];
        return Convert.ToHexStringLower(
            id.Length == SHA256.HashSizeInBytes * 2 ? SHA256.HashData(blob) : SHA1.HashData(blob)) == id;
    }
#pragma warning restore CA5350
}
