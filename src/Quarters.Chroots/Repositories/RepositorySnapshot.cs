using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Quarters.Alpm;

namespace Quarters.Chroots.Repositories;

/// <summary>
/// One repository of a snapshot, pinned by its database file. The database names each package's SHA-256, and pacman
/// checks it: so signatures of packages add nothing here, and whoever pins a database answers for where it came from.
/// </summary>
public sealed record PinnedRepository
{
    /// <summary>The name, as in pacman.conf.</summary>
    public required string Name { get; init; }

    /// <summary>Path of the database as it is pinned. It must not change while the snapshot is in use.</summary>
    public required string DatabasePath { get; init; }

    /// <summary>Where the package files are, as in pacman's <c>Server =</c> with <c>$repo</c> and <c>$arch</c> filled
    /// in:
    /// <c>file://</c> folders are read in place, all others are for the caller's download.</summary>
    public required ImmutableArray<string> Servers { get; init; }
}

/// <summary>The repositories that builds install from: exactly these databases, in this order of precedence.</summary>
public sealed record RepositorySnapshot
{
    private RepositorySnapshot(
        string id, string architecture, ImmutableArray<string> accepts,
        ImmutableArray<PinnedRepository> repositories) =>
        (Id, Architecture, Accepts, Repositories) = (id, architecture, accepts, repositories);

    /// <summary>SHA-256 (lower-case hex) over the architecture and each repository's name and database.</summary>
    public string Id { get; }

    /// <summary>The architecture that is built for: the first of pacman.conf's.</summary>
    public string Architecture { get; }

    /// <summary>Further architectures whose packages may be installed.</summary>
    public ImmutableArray<string> Accepts { get; }

    /// <summary>The repositories; the first that has a package wins.</summary>
    public ImmutableArray<PinnedRepository> Repositories { get; }

    /// <summary>Reads and hashes the databases; keep the result as long as the snapshot is in use.</summary>
    /// <exception cref="IOException">A database cannot be read.</exception>
    /// <exception cref="ArgumentException">A name or server could be misread by pacman.</exception>
    public static RepositorySnapshot Pin(
        string architecture, IEnumerable<PinnedRepository> repositories, ImmutableArray<string> accepts = default)
    {
        var list = repositories.ToImmutableArray();
        ImmutableArray<string> others = accepts.IsDefault ? [] : accepts;
        foreach (var name in others.Append(architecture)) CheckWord(name, "architecture");
        var identity = new StringBuilder().Append(architecture).Append('\n');
        foreach (var repository in list)
        {
            PackageName.Check(repository.Name);
            foreach (var server in repository.Servers)
                CheckWord(server, "server");
            using var database = File.OpenRead(repository.DatabasePath);
            identity.Append(repository.Name).Append(' ')
                .Append(Convert.ToHexStringLower(SHA256.HashData(database))).Append('\n');
        }

        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity.ToString())));
        return new RepositorySnapshot(id, architecture, others, list);
    }

    /// <summary>The folders of <c>file://</c> servers, from which packages are installed without copying
    /// them.</summary>
    internal IEnumerable<string> LocalFolders() => Repositories
        .SelectMany(repository => repository.Servers)
        .Where(server => server.StartsWith("file://", StringComparison.Ordinal))
        .Select(server => new Uri(server).LocalPath)
        .Distinct(StringComparer.Ordinal)
        .Where(Directory.Exists);

    /// <summary>The words go into pacman.conf, a line each: a line break would let one be two.</summary>
    private static void CheckWord(string word, string what)
    {
        if (word.Length == 0 || word.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            throw new ArgumentException(
                $"\"{word}\" cannot be the {what} of a repository: it may hold no blanks.", nameof(word));
    }
}

/// <summary>A package file that has to be fetched before pacman can install it.</summary>
public sealed record NeededPackage
{
    /// <summary>The repository that it belongs to.</summary>
    public required string Repository { get; init; }

    /// <summary>Its file name.</summary>
    public required string FileName { get; init; }

    /// <summary>Its size in bytes, as the database says.</summary>
    public required long Bytes { get; init; }

    /// <summary>Its SHA-256 (lower-case hex), as the database says.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The repository's servers: the file is at <c>SERVER/FileName</c>.</summary>
    public required ImmutableArray<string> Servers { get; init; }
}

/// <summary>
/// Downloads package files, each under its own name, into a directory that belongs to this call alone. What it brings
/// is checked against size and SHA-256 afterwards. It throws <see cref="IOException"/> or
/// <see cref="HttpRequestException"/> for what cannot be had.
/// </summary>
public delegate Task FetchPackages(
    IReadOnlyList<NeededPackage> needed, string intoDirectory, CancellationToken cancellationToken);
