using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Quarters.Alpm;

/// <summary>
/// A part of a database that is compressed for itself: a run of packages by name, from one whose name begins a segment
/// to the next. Where segments begin depends on names alone, so the same packages are always cut alike, and a change
/// touches the one segment that it falls into, or two.
/// </summary>
/// <param name="Packages">Its packages in the order of their names; at least one.</param>
/// <param name="Key">SHA-256 in hex over all that its bytes follow from: two segments of one key are the same
/// bytes.</param>
public sealed record DatabaseSegment(ImmutableArray<PackageIdentity> Packages, string Key)
{
    /// <summary>One name in so many begins a segment: about 200 KB of database, which take a few milliseconds, and
    /// 100 segments in a large repository.</summary>
    private const uint MeanLength = 128;

    /// <summary>Changed whenever entries are written otherwise than before. Other versions of the library compress
    /// otherwise, too.</summary>
    private static readonly string Format =
        $"quarters/segment/1 zstd {typeof(ZstdSharp.CompressionStream).Assembly.GetName().Version}\n";

    /// <summary>The first package's name.</summary>
    public string First => Packages[0].Name;

    /// <summary>Cuts a repository.</summary>
    /// <param name="packages">In any order.</param>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    public static ImmutableArray<DatabaseSegment> Cut(IEnumerable<PackageIdentity> packages)
    {
        var sorted = packages.ToArray();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        var segments = ImmutableArray.CreateBuilder<DatabaseSegment>();
        var begin = 0;
        for (var i = 1; i <= sorted.Length; i++)
        {
            if (i < sorted.Length && sorted[i].Name == sorted[i - 1].Name)
                throw new ArgumentException($"{sorted[i].Name} is there twice.", nameof(packages));
            if (i < sorted.Length && !Begins(sorted[i].Name)) continue;
            segments.Add(Of(sorted[begin..i]));
            begin = i;
        }

        return segments.ToImmutable();
    }

    private static DatabaseSegment Of(PackageIdentity[] packages)
    {
        var text = new StringBuilder(Format, packages.Length * 160);
        // Neither a file's name nor a digest has a line break: no two lists give one text.
        foreach (var package in packages)
            text.Append(package.FileName).Append('\n').Append(package.Sha256).Append('\n');
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));
        return new DatabaseSegment([.. packages], Convert.ToHexStringLower(digest));
    }

    /// <summary>Whether a name begins a segment, by FNV-1a of it, which spreads even names that differ in a
    /// digit.</summary>
    private static bool Begins(string name)
    {
        var hash = 2166136261;
        foreach (var c in name) hash = unchecked((hash ^ c) * 16777619);
        return (hash ^ (hash >> 16)) % MeanLength == 0;
    }
}

/// <summary>What an entry of a database follows from: a package file, which holds all the rest, and its name.</summary>
/// <param name="Name">The package's name.</param>
/// <param name="FileName">The package file's name, without directory.</param>
/// <param name="Sha256">The package file's digest in lower-case hex.</param>
public sealed record PackageIdentity(string Name, string FileName, string Sha256);
