using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Quarters.Alpm;
using Quarters.Chroots.Repositories;
using Quarters.Configuring;
using Quarters.Core.Master;
using Quarters.Linux.Files;
using Quarters.Linux.Processes;
using Quarters.Node;
using PinnedRepository = Quarters.Chroots.Repositories.PinnedRepository;

namespace Quarters.Building;

/// <summary>
/// The repositories that a build at the command line installs from: those that are given, then those of the nearest
/// quarters.toml, or else of this machine's pacman. A given one takes the place of another of its name. Each is pinned
/// by the content of its database.
/// </summary>
internal sealed class LocalRepositories(
    Caches caches, Network network, string architecture, TextWriter notes, TimeProvider time)
{
    private const int MaxDatabaseBytes = 512 << 20;
    private const int DatabasesKept = 64;
    private const string TagSuffix = ".tag";

    /// <summary>Finds and pins them.</summary>
    /// <param name="given">As given: <c>NAME=URL|DIR</c>, URLs with <c>$repo</c> and <c>$arch</c>.</param>
    /// <param name="directory">From where on upwards quarters.toml is looked for.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="MistakeException">There are none, or one cannot be read.</exception>
    internal async Task<RepositorySnapshot> PinAsync(
        IReadOnlyList<string> given, string directory, CancellationToken cancellationToken)
    {
        var wanted = given.Select(Parse).ToList();
        var configured = OfFarm(directory) ?? await OfPacmanAsync(cancellationToken);
        wanted.AddRange(configured.Where(one => !wanted.Exists(other => other.Name == one.Name)));
        if (wanted.Count == 0)
            throw new MistakeException(
                "there is no repository to install from: name one with --repo NAME=URL or NAME=DIR, or build where "
                + $"{Farm.FileName} or /etc/pacman.conf names some");
        Directory.CreateDirectory(caches.Databases);
        var pinned = await Task.WhenAll(wanted.Select(one => PinAsync(one, cancellationToken)));
        foreach (var old in new DirectoryInfo(caches.Databases).EnumerateFiles()
            .OrderByDescending(file => file.LastWriteTimeUtc).Skip(DatabasesKept))
            old.Delete();
        return RepositorySnapshot.Pin(architecture, pinned);
    }

    private sealed record Wanted(string Name, ImmutableArray<string> Servers);

    private Wanted Parse(string given)
    {
        var equals = given.IndexOf('=');
        if (equals <= 0 || !PackageName.IsValid(given.AsSpan(0, equals)))
            throw new MistakeException($"--repo {given} must be NAME=URL or NAME=DIR, such as mine=/srv/repo");
        var (name, location) = (given[..equals], given[(equals + 1)..]);
        if (location.Contains("://", StringComparison.Ordinal))
            return new Wanted(name, [Snapshots.ServerOf(location, name, architecture)]);
        var directory = Path.GetFullPath(location);
        return File.Exists(Path.Combine(directory, name + ".db"))
            ? new Wanted(name, [new Uri(directory).AbsoluteUri])
            : throw new MistakeException(
                $"--repo {given}: there is no {name}.db in {directory}; "
                + $"`quarters repo-db {directory} {name}` writes it");
    }

    private List<Wanted>? OfFarm(string directory)
    {
        for (var at = new DirectoryInfo(directory); at is not null; at = at.Parent)
        {
            var path = Path.Combine(at.FullName, Farm.FileName);
            if (!File.Exists(path))
                continue;
            var outside = Farm.Load(path).File.Outside;
            return outside.Count == 0
                ? null
                : [.. outside.Select(one => new Wanted(
                    one.Name, [.. one.Servers.Select(server => Snapshots.ServerOf(server, one.Name, architecture))]))];
        }

        return null;
    }

    private static async Task<List<Wanted>> OfPacmanAsync(CancellationToken cancellationToken)
    {
        try
        {
            var names = await AskPacmanAsync(["--repo-list"], cancellationToken);
            var wanted = new List<Wanted>();
            foreach (var name in names)
                wanted.Add(new Wanted(name, [.. await AskPacmanAsync(["--repo", name, "Server"], cancellationToken)]));
            return wanted;
        }
        catch (ProcessStartException)
        {
            // No pacman, no configuration of it.
            return [];
        }
    }

    private static async Task<string[]> AskPacmanAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec { FileName = "pacman-conf", Arguments = arguments, MaxOutputBytes = 1 << 20 },
            cancellationToken);
        return result.Succeeded
            ? result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : throw new MistakeException(
                $"pacman-conf {string.Join(' ', arguments)} {result.Ending}: {result.StandardError.Trim()}");
    }

    private async Task<PinnedRepository> PinAsync(Wanted wanted, CancellationToken cancellationToken)
    {
        var reasons = new List<string>();
        foreach (var server in wanted.Servers)
        {
            if (!Uri.TryCreate($"{server}/{wanted.Name}.db", UriKind.Absolute, out var url))
                reasons.Add($"{server} is no address");
            else if (await FindAsync(url, reasons, cancellationToken) is { } database)
                return new PinnedRepository { Name = wanted.Name, DatabasePath = database, Servers = wanted.Servers };
        }

        throw new MistakeException(
            $"the database of the repository {wanted.Name} cannot be had: "
            + string.Join("; ", reasons.DefaultIfEmpty("it has no server")));
    }

    /// <summary>The path of a database by its content, or null and one more reason.</summary>
    private async Task<string?> FindAsync(Uri url, List<string> reasons, CancellationToken cancellationToken)
    {
        if (url.IsFile)
        {
            if (!File.Exists(url.LocalPath))
            {
                reasons.Add($"{url.LocalPath} does not exist");
                return null;
            }

            return Keep(await File.ReadAllBytesAsync(url.LocalPath, cancellationToken));
        }

        // The tag of what was fetched last from here, and the name under which it is kept.
        var address = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri)));
        var memory = Path.Combine(caches.Databases, address + TagSuffix);
        var (tag, kept) = Recall(memory);
        switch (await network.Puller.GetDocumentAsync(url, tag, TimeSpan.Zero, MaxDatabaseBytes, cancellationToken))
        {
            case PullResult.NotModified when kept is not null:
                return kept;
            case PullResult.Document document:
                var path = Keep(document.Bytes);
                if (document.Tag is not null)
                    DurableFile.Replace(LinuxDisk.Instance, memory,
                        Encoding.UTF8.GetBytes($"{document.Tag}\n{Path.GetFileName(path)}\n"));
                return path;
            case PullResult.Failed { Failure.IsPassing: true } failed when kept is not null:
                await notes.WriteLineAsync(
                    $"quarters: {failed.Failure.Sentence}; the database fetched before is used.");
                return kept;
            case PullResult.Failed failed:
                reasons.Add(failed.Failure.Sentence);
                return null;
            default:
                reasons.Add($"{url} answered that nothing changed, which was not asked");
                return null;
        }
    }

    private (string? Tag, string? Kept) Recall(string memory)
    {
        if (!File.Exists(memory) || File.ReadAllLines(memory) is not [var tag, var name, ..])
            return (null, null);
        var kept = Path.Combine(caches.Databases, Path.GetFileName(name));
        return File.Exists(kept) ? (tag, kept) : (null, null);
    }

    private string Keep(byte[] bytes)
    {
        var path = Path.Combine(caches.Databases, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        if (!File.Exists(path))
            DurableFile.Replace(LinuxDisk.Instance, path, bytes);
        // The newest stay.
        else
            File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
        return path;
    }
}
