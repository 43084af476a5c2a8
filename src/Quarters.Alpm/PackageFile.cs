using System.Security.Cryptography;

namespace Quarters.Alpm;

/// <summary>Reads <c>.pkg.tar</c> files, plain or compressed with zstd, xz or gzip, in one pass and bounded
/// memory.</summary>
public static class PackageFile
{
    private const string Document = "package";

    /// <summary>No program is larger; what claims to be need not be copied.</summary>
    private const long MaxElfBytes = 4L << 30;

    /// <summary>Reads a whole package: its metadata and the list of everything in it.</summary>
    /// <param name="package">Read from where it stands to the end, and left open.</param>
    /// <param name="limits">What it may cost.</param>
    /// <param name="scratch">Readable, writable and seekable, at its beginning and empty: programs and libraries are
    /// copied into it, one in place of the other, to read which libraries they are linked with. Null asks for
    /// none.</param>
    /// <exception cref="AlpmFormatException">It is no package, is corrupt or cut off, exceeds a limit, holds a path
    /// twice, or holds what pacman does not install (devices, pipes).</exception>
    public static PackageFacts Read(Stream package, PackageReadLimits limits, Stream? scratch = null)
    {
        ArgumentNullException.ThrowIfNull(limits);
        var entries = new List<PackageEntry>();
        var paths = new HashSet<string>(StringComparer.Ordinal);
        var pathsLength = 0L;
        using var decoded = Open(package, limits);
        var tar = Tar(decoded, limits);
        var metadata = new Metadata();
        var libraries = scratch is null ? null : new Libraries(scratch, limits.MaxSonames);
        while (tar.Next())
        {
            if (!paths.Add(tar.Path)) throw tar.Error($"{AlpmFormatException.Quote(tar.Path)} stands there twice");
            pathsLength += tar.Path.Length + (tar.LinkTarget?.Length ?? 0);
            if (pathsLength > limits.MaxPathsLength)
                throw tar.Error($"its paths are longer than {limits.MaxPathsLength} bytes together");
            entries.Add(new PackageEntry(tar.Path, tar.Type, tar.Mode, tar.Size, tar.LinkTarget));
            metadata.Take(tar);
            libraries?.Take(tar);
        }
        return new PackageFacts(metadata.Info ?? throw NoInfo(), metadata.Build, entries, decoded.DecodedLength)
        {
            Sonames = [.. libraries?.Own ?? []],
            NeededSonames = [.. libraries?.Needed.Except(libraries.Own, StringComparer.Ordinal) ?? []],
        };
    }

    /// <summary>Reads .PKGINFO and .BUILDINFO, and no further than needed: makepkg puts them first.</summary>
    /// <returns>The second is null in a package that makepkg did not build.</returns>
    /// <exception cref="AlpmFormatException">It is no package, or its metadata is malformed.</exception>
    public static (PackageInfo Info, BuildInfo? Build) ReadInfo(Stream package, PackageReadLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        using var decoded = Open(package, limits);
        var tar = Tar(decoded, limits);
        var metadata = new Metadata();
        while ((metadata.Info is null || metadata.Build is null) && tar.Next())
        {
            // Behind the first file to install there is no .BUILDINFO any more.
            if (metadata.Info is not null && !PackagePaths.IsMetadata(tar.Path)) break;
            metadata.Take(tar);
        }
        return (metadata.Info ?? throw NoInfo(), metadata.Build);
    }

    /// <summary>What each member of a package is, in a text that is the same for the same: its kind, its mode, where it
    /// points, and the SHA-256 of its content.</summary>
    /// <returns>By path, the metadata included.</returns>
    /// <exception cref="AlpmFormatException">It is no package, is corrupt or cut off, or exceeds a limit.</exception>
    public static SortedDictionary<string, string> Fingerprints(Stream package, PackageReadLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var pathsLength = 0L;
        using var decoded = Open(package, limits);
        var tar = Tar(decoded, limits);
        while (tar.Next())
        {
            pathsLength += tar.Path.Length;
            if (pathsLength > limits.MaxPathsLength)
                throw tar.Error($"its paths are longer than {limits.MaxPathsLength} bytes together");
            using var hash = SHA256.Create();
            using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write)) tar.CopyContent(stream);
            var digest = Convert.ToHexStringLower(hash.Hash!);
            found[tar.Path] = FormattableString.Invariant($"{tar.Type} {tar.Mode} {tar.LinkTarget} {digest}");
        }

        return found;
    }

    private static DecodedStream Open(Stream package, PackageReadLimits limits) =>
        Compression.Decode(package, Document, limits.MaxUnpackedSize);

    private static TarReader Tar(Stream decoded, PackageReadLimits limits) =>
        new(decoded, Document, new TarLimits(limits.MaxEntries, limits.MaxPathLength));

    private static AlpmFormatException NoInfo() => new(Document, "it has no .PKGINFO");

    /// <summary>The two metadata files, as far as they were met.</summary>
    private sealed class Metadata
    {
        private byte[] _buffer = new byte[16 << 10];

        public PackageInfo? Info { get; private set; }

        public BuildInfo? Build { get; private set; }

        public void Take(TarReader tar)
        {
            if (tar.Path is not (".PKGINFO" or ".BUILDINFO")) return;
            if (tar.Type != PackageEntryType.File) throw tar.Error($"{tar.Path} is not a file");
            if (tar.Path == ".PKGINFO") Info = PackageInfo.Parse(tar.ReadContent(ref _buffer, PackageInfo.MaxLength));
            else Build = BuildInfo.Parse(tar.ReadContent(ref _buffer, BuildInfo.MaxLength));
        }
    }

    /// <summary>The libraries that are there and those that are needed, as far as they were met.</summary>
    private sealed class Libraries(Stream scratch, int max)
    {
        public SortedSet<string> Own { get; } = new(StringComparer.Ordinal);

        public SortedSet<string> Needed { get; } = new(StringComparer.Ordinal);

        public void Take(TarReader tar)
        {
            // What was stripped off is linked with nothing.
            if (tar.Path.StartsWith("usr/lib/debug/", StringComparison.Ordinal) || tar.Size > MaxElfBytes) return;
            if (!tar.ContentStartsWith(ElfLinks.Magic)) return;
            scratch.SetLength(0);
            tar.CopyContent(scratch);
            if (ElfLinks.Read(scratch) is not { } links) return;
            if (links.Soname is { } own) Own.Add(own);
            Needed.UnionWith(links.Needed);
            if (Own.Count > max || Needed.Count > max) throw tar.Error($"it names more than {max} shared libraries");
        }
    }
}
