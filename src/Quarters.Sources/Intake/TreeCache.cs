using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Quarters.Alpm;

namespace Quarters.Sources.Intake;

/// <summary>What is known of a tree: what its PKGBUILD says, and its archive.</summary>
internal sealed record TreeFacts(SrcInfo Info, ArchiveFacts Archive);

/// <summary>
/// What bash said of trees, by their digest, in files: so that a restart, a rebase or a second source with the same
/// packages reads nothing again. Everything in it may be deleted; what is damaged counts as not there.
/// </summary>
public sealed class TreeCache
{
    // To be raised when the same tree would be read to other facts than before.
    private const string ReaderVersion = "1";

    private readonly string _directory;
    private readonly int _maxEntries;
    private readonly Lock _gate = new();
    private int _entries;
    private int _written;

    /// <summary>Opens a cache.</summary>
    /// <param name="directory">Made if it is missing.</param>
    /// <param name="maxEntries">How many trees are remembered; beyond that the oldest are forgotten.</param>
    public TreeCache(string directory, int maxEntries)
    {
        _directory = directory;
        _maxEntries = maxEntries;
        Directory.CreateDirectory(directory);
        _entries = Directory.EnumerateFiles(directory).Count();
    }

    /// <summary>The facts of the tree with this digest, whose directory has this name; null when they are
    /// unknown.</summary>
    internal TreeFacts? Find(string treeSha256, string name)
    {
        try
        {
            return Parse(File.ReadAllBytes(PathOf(treeSha256, name)));
        }
        catch (Exception unknown) when (unknown is FileNotFoundException or AlpmFormatException)
        {
            return null;
        }
    }

    internal void Add(string treeSha256, string name, TreeFacts facts)
    {
        var content = $"archive {facts.Archive.Sha256} {facts.Archive.Bytes}\n{facts.Info.ToText()}";
        var bytes = Encoding.UTF8.GetBytes(content);
        var path = PathOf(treeSha256, name);
        lock (_gate)
        {
            if (!File.Exists(path) && ++_entries > _maxEntries)
                ForgetOldest();
            // Not made durable: a torn entry is found out by its hash.
            var temporary = $"{path}.{++_written}.new";
            File.WriteAllBytes(temporary, [.. Encoding.ASCII.GetBytes(
                Convert.ToHexStringLower(SHA256.HashData(bytes)) + "\n"), .. bytes]);
            File.Move(temporary, path, overwrite: true);
        }
    }

    private static TreeFacts? Parse(ReadOnlySpan<byte> bytes)
    {
        var first = bytes.IndexOf((byte)'\n');
        if (first < 0 || Encoding.ASCII.GetString(bytes[..first]) != Convert.ToHexStringLower(
            SHA256.HashData(bytes[(first + 1)..])))
            return null;
        bytes = bytes[(first + 1)..];
        var second = bytes.IndexOf((byte)'\n');
        var words = Encoding.ASCII.GetString(bytes[..Math.Max(0, second)]).Split(' ');
        return words is ["archive", var sha256, var size]
            && long.TryParse(size, CultureInfo.InvariantCulture, out var length)
            ? new TreeFacts(SrcInfo.Parse(bytes[(second + 1)..]), new ArchiveFacts(sha256, length))
            : null;
    }

    private void ForgetOldest()
    {
        var files = new DirectoryInfo(_directory).GetFiles().OrderBy(file => file.LastWriteTimeUtc).ToList();
        var dropped = Math.Max(1, files.Count - _maxEntries + (_maxEntries / 10));
        foreach (var file in files.Take(dropped))
            file.Delete();
        _entries = files.Count - dropped + 1;
    }

    // The name is part of the key, because a PKGBUILD can see the name of its directory.
    private string PathOf(string treeSha256, string name) => Path.Combine(
        _directory, Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{ReaderVersion} {treeSha256} {name}"))));
}
