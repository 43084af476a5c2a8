using System.Runtime.InteropServices;
using System.Text.Json;
using Quarters.Linux.Files;

namespace Quarters.Node;

/// <summary>
/// A copy of a node's public tree in a folder, for a file server to show. Each file is whole at every moment; files are
/// there before the documents that name them, signatures before what they sign, and the state comes last. Only what
/// changed is written. Used by one thread at a time.
/// </summary>
internal sealed class PublicFolder(string folder, PublicTree tree, NodeKey key, TimeProvider time)
{
    internal const string StatePath = "/v1/state.json";

    private const string DocumentsPrefix = "/v1/";

    /// <summary>The signatures of so many versions that were replaced stay, for readers (and caches) that have one of
    /// those.</summary>
    private const int OldSignaturesKept = 64;

    private const string SignaturePrefix = "/v1/sig/";

    // What a node shows is below these; whatever else its owner keeps in the folder is not touched.
    private static readonly string[] Tops = ["v1", "out"];

    private readonly Dictionary<string, (long Length, DateTime Modified)> _copied = new(StringComparer.Ordinal);
    private readonly Queue<string> _signatures = new(ExistingSignatures(folder));

    /// <summary>Makes the folder what the tree is now.</summary>
    /// <returns>What changed.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    internal FolderChange Write()
    {
        // The documents first: files that they name are there already, and stay until they no longer do.
        var documents = tree.Documents.OrderBy(pair => pair.Key == StatePath).ToList();
        var kept = new HashSet<string>(StringComparer.Ordinal);
        var hasChanged = false;
        foreach (var map in tree.Maps)
        {
            foreach (var (relative, length) in map.Files())
            {
                kept.Add(map.Prefix + relative);
                hasChanged |= WriteFile(map, relative, length);
            }
        }

        foreach (var (_, document) in documents)
            hasChanged |= WriteSignature(document);
        foreach (var (path, document) in documents)
        {
            kept.Add(path);
            hasChanged |= WriteDocument(path, document);
        }

        kept.UnionWith(KeptSignatures(documents.Select(pair => pair.Value.Sha256)));
        var removed = RemoveOthers(kept);
        return new FolderChange(
            hasChanged || removed.Count > 0,
            removed.Exists(path => !path.StartsWith(DocumentsPrefix, StringComparison.Ordinal)));
    }

    private bool WriteFile(FileMap map, string relative, long length)
    {
        var path = map.Prefix + relative;
        var source = map.PathOf(relative);
        var modified = File.GetLastWriteTimeUtc(source);
        if (_copied.TryGetValue(path, out var last) && last == (length, modified))
            return false;
        var target = Prepare(path);
        var aside = target + DurableFile.TemporarySuffix;
        File.Delete(aside);
        try
        {
            if (map.IsPartlyVisible || !IsLinked(source, aside))
                Copy(source, aside, length);
        }
        catch (IOException) when (!File.Exists(source))
        {
            // Settled meanwhile: the next state does not name it.
            return false;
        }

        // Two names of one file stay two when one is renamed to the other (rename(2)).
        LinuxDisk.Instance.Rename(aside, target);
        File.Delete(aside);
        _copied[path] = (length, modified);
        return true;
    }

    private bool WriteSignature(Document document)
    {
        var target = Prepare(SignaturePrefix + document.Sha256);
        if (IsSigned(target))
            return false;
        Replace(target, tree.Sign(document.Sha256, document.Length));
        return true;
    }

    private bool WriteDocument(string path, Document document)
    {
        var target = Prepare(path);
        var before = File.Exists(target) ? File.ReadAllBytes(target) : null;
        if (before is not null && document.Bytes.SequenceEqual(before))
            return false;
        // File servers make tags, and rsync comparisons, of size and time in whole seconds: two versions must differ.
        var modified = time.GetUtcNow().UtcDateTime;
        if (before is not null && File.GetLastWriteTimeUtc(target).AddSeconds(1) is var next && next > modified)
            modified = next;
        Replace(target, document.Bytes, modified);
        return true;
    }

    private static IEnumerable<string> ExistingSignatures(string folder)
    {
        // Those of a run before this one: what was read just before a restart can still be checked after it.
        var place = new DirectoryInfo(Path.Combine(folder, SignaturePrefix[1..]));
        return place.Exists ? place.GetFiles().OrderBy(file => file.LastWriteTimeUtc).Select(file => file.Name) : [];
    }

    /// <summary>The signatures of what is shown, and of what was shown lately.</summary>
    private List<string> KeptSignatures(IEnumerable<string> current)
    {
        var all = current.ToHashSet(StringComparer.Ordinal);
        foreach (var sha256 in all.Where(sha256 => !_signatures.Contains(sha256)))
            _signatures.Enqueue(sha256);
        while (_signatures.Count > OldSignaturesKept + all.Count)
        {
            var oldest = _signatures.Dequeue();
            if (all.Contains(oldest))
                _signatures.Enqueue(oldest);
        }

        return [.. _signatures.Select(sha256 => SignaturePrefix + sha256)];
    }

    private List<string> RemoveOthers(HashSet<string> kept)
    {
        var removed = new List<string>();
        foreach (var top in Tops.Select(name => Path.Combine(folder, name)).Where(Directory.Exists))
        {
            foreach (var file in Directory.EnumerateFiles(top, "*", SearchOption.AllDirectories).ToList())
            {
                var path = "/" + Path.GetRelativePath(folder, file);
                if (kept.Contains(path))
                    continue;
                File.Delete(file);
                _copied.Remove(path);
                removed.Add(path);
            }

            foreach (var empty in Directory.EnumerateDirectories(top, "*", SearchOption.AllDirectories)
                .OrderByDescending(name => name.Length)
                .Where(name => !Directory.EnumerateFileSystemEntries(name).Any()))
                Directory.Delete(empty);
        }

        return removed;
    }

    private bool IsSigned(string path)
    {
        if (!File.Exists(path))
            return false;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), DsseJson.Default.DsseEnvelope)
                ?.PayloadSignedBy(key) is not null;
        }
        catch (JsonException)
        {
            // Cut by a crash: it is written anew.
            return false;
        }
    }

    private string Prepare(string path)
    {
        var target = Path.Combine(folder, path[1..]);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        return target;
    }

    private static void Replace(string target, ReadOnlySpan<byte> bytes, DateTime? modified = null)
    {
        var aside = target + DurableFile.TemporarySuffix;
        File.WriteAllBytes(aside, bytes);
        if (modified is { } at)
            File.SetLastWriteTimeUtc(aside, at);
        LinuxDisk.Instance.Rename(aside, target);
    }

    /// <summary>A link costs neither time nor room; but it reaches no other file system.</summary>
    private static bool IsLinked(string source, string aside)
    {
        try
        {
            LinuxDisk.Instance.HardLink(source, aside);
            return true;
        }
        catch (IOException)
        {
            // Copied instead; a disk that refuses that too says so.
            return false;
        }
    }

    private static void Copy(string source, string aside, long length)
    {
        const FileShare shared = FileShare.ReadWrite | FileShare.Delete;
        using (var from = new FileStream(source, FileMode.Open, FileAccess.Read, shared))
        using (var to = new FileStream(aside, FileMode.Create, FileAccess.Write))
        {
            var block = new byte[128 * 1024];
            while (length > 0 && from.Read(block, 0, (int)Math.Min(block.Length, length)) is > 0 and var read)
            {
                to.Write(block, 0, read);
                length -= read;
            }
        }

        File.SetLastWriteTimeUtc(aside, File.GetLastWriteTimeUtc(source));
    }
}

/// <summary>What became different in a folder.</summary>
/// <param name="HasChanged">Whether anything did.</param>
/// <param name="HasRemovedFiles">Whether files went that are no documents.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FolderChange(bool HasChanged, bool HasRemovedFiles);
