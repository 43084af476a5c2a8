using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Quarters.Core.Sources;

namespace Quarters.Sources.Svn;

/// <summary>
/// One package on its way from the revision that is known to the newest, by what a dump says of its files. Where that
/// is not enough, as for properties, copies and moves, it gives up, and the package is fetched as it is.
/// </summary>
internal sealed partial class SvnPatch(SourceTree known, TreeLimits limits)
{
    private readonly Dictionary<string, TreeEntry> _entries =
        known.Entries.ToDictionary(entry => entry.Path, StringComparer.Ordinal);

    private bool _failed;

    /// <summary>The files as they are now; null when that cannot be said.</summary>
    internal List<TreeEntry>? Entries => _failed ? null : [.. _entries.Values];

    internal void GiveUp() => _failed = true;

    /// <summary>Takes what happened to a path inside the package.</summary>
    internal void Take(string path, SvnDumpNode node) => _failed |= !TryTake(path, node);

    private bool TryTake(string path, SvnDumpNode node)
    {
        switch (node)
        {
            case { Kind: "dir", Action: "change" }:
                // Its properties: what externals name is not fetched anyway.
                return true;
            case { Action: "delete" }:
                return _entries.Remove(path);
            case { Kind: "file", Action: "add", IsPlain: true }:
                return !_entries.ContainsKey(path) && TryText(path, TreeEntryKind.File, default, node);
            case { Kind: "file", Action: "change", IsPlain: true, BaseMd5.Length: > 0 }:
                return _entries.TryGetValue(path, out var entry) && entry.Kind != TreeEntryKind.Symlink
                    && Md5(entry.Content.Span) == node.BaseMd5 && TryText(path, entry.Kind, entry.Content, node);
            default:
                return false;
        }
    }

    private bool TryText(string path, TreeEntryKind kind, ReadOnlyMemory<byte> before, SvnDumpNode node)
    {
        if (!SvnDelta.TryApply(before.Span, node.Delta.Span, limits.MaxBytes, out var text) || Md5(text) != node.Md5)
            return false;
        // What the repository calls the text is not the file where a keyword is expanded. None is in the text before,
        // or its MD5 were another; only a new one could be.
        if (kind is not TreeEntryKind.Symlink && node.Action == "change" && Keywords(text).Except(
            Keywords(before.Span)).Any())
            return false;
        _entries[path] = new TreeEntry(path, kind, text);
        return true;
    }

    // Subversion knows texts by it, and so do we: it tells whether we have the same one, and protects from nothing.
#pragma warning disable CA5351
    private static string Md5(ReadOnlySpan<byte> text) => Convert.ToHexStringLower(MD5.HashData(text));
#pragma warning restore CA5351

    private static HashSet<string> Keywords(ReadOnlySpan<byte> text) =>
        [.. Keyword().Matches(Encoding.Latin1.GetString(text)).Select(match => match.Value)];

    [GeneratedRegex(@"\$[^\s$:]+(?=[$:])")]
    private static partial Regex Keyword();
}
