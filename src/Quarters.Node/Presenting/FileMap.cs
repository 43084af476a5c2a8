using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Quarters.Alpm;
using Quarters.Linux.Files;

namespace Quarters.Node;

/// <summary>How the files of a directory behave over time.</summary>
public enum FileKind
{
    /// <summary>A name may come to mean other bytes: a new file is renamed over the old one.</summary>
    Replaced,

    /// <summary>A repository of pacman: a name of a package means the same bytes for ever, and databases are
    /// replaced.</summary>
    Repository,

    /// <summary>A name means the same bytes for ever. A name that begins with their SHA-256 is believed.</summary>
    Immutable,

    /// <summary>Bytes are added at the end and never changed.</summary>
    Growing,
}

/// <summary>A directory of which the files are shown.</summary>
internal sealed class FileMap(string prefix, string directory, FileKind kind, Func<string, long?>? visibleLength,
    TimeProvider time)
{
    /// <summary>More hashes than this are not remembered.</summary>
    private const int HashesLimit = 100_000;

    private const int PathLimit = 1024;

    /// <summary>A file changed so recently could change again without its time showing it.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly FileRoot _root = new(directory);
    private readonly ConcurrentDictionary<Version, Lazy<Task<string>>> _hashes = new();

    internal string Prefix => prefix;

    internal FileKind Kind => kind;

    /// <summary>What a path shows now, or null when there is nothing.</summary>
    internal async Task<Representation?> FindAsync(string path, CancellationToken cancellationToken)
    {
        var relative = path[prefix.Length..];
        if (!IsPlain(relative) || _root.Open(relative) is not { } handle)
            return null;
        var length = RandomAccess.GetLength(handle);
        if (visibleLength?.Invoke(relative) is { } visible)
            length = Math.Min(length, visible);
        var body = new FileBody(handle, length);
        try
        {
            var modified = File.GetLastWriteTimeUtc(handle);
            var tag = kind == FileKind.Growing ? null
                : await TagAsync(relative, handle, length, modified, cancellationToken);
            return new Representation
            {
                Body = body,
                ContentType = ContentTypeOf(relative),
                Tag = tag,
                Modified = kind == FileKind.Growing ? null : new DateTimeOffset(modified),
                CacheControl = CacheControlOf(relative),
                IsWaitedFor = kind == FileKind.Growing,
                TakesRanges = true,
            };
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>All files that are shown now: each with how much of it, in bytes.</summary>
    internal IEnumerable<(string Relative, long Length)> Files()
    {
        var folders = new Queue<string>([directory]);
        while (folders.TryDequeue(out var folder))
        {
            FileSystemInfo[] entries;
            try
            {
                entries = new DirectoryInfo(folder).GetFileSystemInfos();
            }
            catch (DirectoryNotFoundException)
            {
                // Taken away while the others were looked at.
                continue;
            }

            foreach (var entry in entries.Where(found => found.LinkTarget is null))
            {
                var relative = Path.GetRelativePath(directory, entry.FullName);
                if (entry is DirectoryInfo)
                    folders.Enqueue(entry.FullName);
                else if (entry is FileInfo { Exists: true } file && IsPlain(relative))
                    yield return (relative, Math.Min(file.Length, visibleLength?.Invoke(relative) ?? file.Length));
            }
        }
    }

    /// <summary>Whether less than all of the files may be shown, so that only a copy can be.</summary>
    internal bool IsPartlyVisible => visibleLength is not null;

    internal string PathOf(string relative) => Path.Combine(directory, relative);

    private string CacheControlOf(string relative) => kind switch
    {
        FileKind.Immutable => CacheControls.Immutable,
        FileKind.Repository when IsPackage(relative) => CacheControls.Immutable,
        FileKind.Repository => CacheControls.Database,
        FileKind.Replaced => CacheControls.Document,
        _ => CacheControls.Revalidate,
    };

    /// <summary>A package, or its signature.</summary>
    private static bool IsPackage(string relative)
    {
        const string signature = ".sig";
        var name = relative[(relative.LastIndexOf('/') + 1)..];
        return PackageFileName.TryParse(
            name.EndsWith(signature, StringComparison.Ordinal) ? name[..^signature.Length] : name, out _);
    }

    private async Task<string> TagAsync(string relative, SafeFileHandle handle, long length, DateTime modified,
        CancellationToken cancellationToken)
    {
        if (kind == FileKind.Immutable && NamedHash(relative) is { } named)
            return named;
        if (time.GetUtcNow().UtcDateTime - modified < Settled)
            return await HashAsync(handle, length, cancellationToken);
        if (_hashes.Count > HashesLimit)
            _hashes.Clear();
        var key = new Version(relative, length, modified);
        var hash = _hashes.GetOrAdd(key, _ => new Lazy<Task<string>>(() => HashAgainAsync(relative, length, modified)));
        try
        {
            return await hash.Value.WaitAsync(cancellationToken);
        }
        catch (IOException)
        {
            // The name means another file by now; what is open is still the one that is shown.
            _hashes.TryRemove(key, out _);
            return await HashAsync(handle, length, cancellationToken);
        }
    }

    // Readers who come while a large file is hashed share the work, so it must not end with the first one's handle.
    private async Task<string> HashAgainAsync(string relative, long length, DateTime modified)
    {
        using var handle = _root.Open(relative) ?? throw new IOException($"{relative} is gone");
        if (RandomAccess.GetLength(handle) < length || File.GetLastWriteTimeUtc(handle) != modified)
            throw new IOException($"{relative} is another file");
        return await HashAsync(handle, length, CancellationToken.None);
    }

    private static async Task<string> HashAsync(SafeFileHandle handle, long length, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            for (long offset = 0; offset < length;)
            {
                var wanted = (int)Math.Min(block.Length, length - offset);
                var read = await RandomAccess.ReadAsync(handle, block.AsMemory(0, wanted), offset, cancellationToken);
                if (read == 0)
                    throw new IOException("a file was cut while it was read");
                hash.AppendData(block, 0, read);
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private readonly record struct Version(string Path, long Length, DateTime Modified);

    private static string? NamedHash(string relative)
    {
        var name = relative[(relative.LastIndexOf('/') + 1)..];
        const int digits = 2 * SHA256.HashSizeInBytes;
        return name.Length >= digits && (name.Length == digits || name[digits] == '.')
            && name.AsSpan(0, digits).IndexOfAnyExcept(HexDigits) < 0
                ? name[..digits]
                : null;
    }

    /// <summary>Names only: no part is empty, begins with a dot, or holds what no name of ours holds.</summary>
    private static bool IsPlain(string relative) => relative.Length is > 0 and <= PathLimit
        && relative.Split('/').All(part => part.Length > 0 && part[0] != '.')
        && !relative.Any(c => char.IsControl(c) || c == '\\');

    private static string ContentTypeOf(string relative) => Path.GetExtension(relative) switch
    {
        ".log" or ".txt" => "text/plain; charset=utf-8",
        ".json" => "application/json",
        ".jsonl" => "application/jsonl",
        // Everything else came out of a build: a browser must not run it.
        _ => "application/octet-stream",
    };
}
