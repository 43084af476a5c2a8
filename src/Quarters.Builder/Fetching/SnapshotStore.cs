using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Chroots.Repositories;
using Quarters.Core;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Linux.Files;
using PinnedRepository = Quarters.Chroots.Repositories.PinnedRepository;

namespace Quarters.Builder.Fetching;

/// <summary>Snapshots as builds need them: the databases in files, each checked by its hash and fetched once.</summary>
internal sealed class SnapshotStore(BuilderFolders folders, MasterLink master, TimeProvider time) : IDisposable
{
    private const int MaxDocumentBytes = 1 << 20;
    private const int MaxRepositories = 100;
    private const int MaxServers = 100;
    private const long MaxDatabaseBytes = 512L << 20;

    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Fetches what is missing of a snapshot and pins it.</summary>
    /// <param name="id">The snapshot's id, 64 hexadecimal digits.</param>
    /// <param name="architectures">It must be of one of these.</param>
    /// <param name="accepts">Further architectures whose packages may be installed.</param>
    /// <param name="directory">Belongs to the build; its databases appear there.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FetchException">It cannot be had, or is not what its id says.</exception>
    internal async Task<RepositorySnapshot> PinAsync(
        string id, IReadOnlyCollection<string> architectures, ImmutableArray<string> accepts, string directory,
        CancellationToken cancellationToken)
    {
        var path = $"snapshot/{id}/snapshot.json";
        var document = MasterLink.Parse(
            await master.GetFileAsync(path, MaxDocumentBytes, cancellationToken),
            QuartersJson.Default.SnapshotDocument, snapshot => snapshot.Schema, Schemas.Snapshot, path);
        Check(document, id, architectures);
        Directory.CreateDirectory(directory);
        var pinned = ImmutableArray.CreateBuilder<PinnedRepository>();
        // One build fetches, and those that come meanwhile find its databases.
        await _one.WaitAsync(cancellationToken);
        try
        {
            foreach (var repository in document.Repositories)
            {
                var database = Path.Combine(directory, repository.Name + ".db");
                await ProvideAsync(document, repository, database, cancellationToken);
                pinned.Add(new PinnedRepository
                {
                    Name = repository.Name,
                    DatabasePath = database,
                    Servers = [.. repository.Servers.Select(ServerOf)],
                });
            }

            Leftovers.RemoveOldest(folders.Databases, "*", Leftovers.DatabasesKept);
        }
        finally
        {
            _one.Release();
        }

        return RepositorySnapshot.Pin(document.Architecture, pinned, accepts);
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private static void Check(SnapshotDocument document, string id, IReadOnlyCollection<string> architectures)
    {
        if (document.Repositories.Length > MaxRepositories)
            throw new FetchException($"The snapshot {id} has {document.Repositories.Length} repositories.");
        foreach (var repository in document.Repositories)
        {
            if (repository is null || !PackageName.IsValid(repository.Name)
                || !QueueJobCheck.IsSha256(repository.DatabaseSha256)
                || repository.DatabaseBytes is < 0 or > MaxDatabaseBytes || repository.Servers.Length > MaxServers
                || repository.Servers.Any(
                    server => server is null || server.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))))
                throw new FetchException($"The snapshot {id} has a repository that makes no sense.");
        }

        var computed = Snapshots.IdOf(document.Architecture, document.Repositories);
        if (computed != id)
            throw new FetchException($"What the master shows as the snapshot {id} is the snapshot {computed}.");
        if (!architectures.Contains(document.Architecture))
            throw new FetchException(
                $"The snapshot {id} is of {document.Architecture}, and not of {string.Join(" or ", architectures)}.");
    }

    private async Task ProvideAsync(
        SnapshotDocument snapshot, SnapshotRepository repository, string linked, CancellationToken cancellationToken)
    {
        var kept = Path.Combine(folders.Databases, repository.DatabaseSha256);
        if (File.Exists(kept))
            File.SetLastWriteTimeUtc(kept, time.GetUtcNow().UtcDateTime);
        else if (await master.DownloadAsync(
            master.At($"snapshot/{snapshot.Id}/{repository.Name}/os/{snapshot.Architecture}/{repository.Name}.db"),
            kept, repository.DatabaseSha256, repository.DatabaseBytes, cancellationToken) is { } failure)
            throw new FetchException(failure.Sentence + ".");
        // A link, so that no later clean-up takes it away from under the build.
        LinuxDisk.Instance.HardLink(kept, linked);
    }

    private string ServerOf(string server) =>
        server.StartsWith('/') ? master.At(server).AbsoluteUri.TrimEnd('/') : server;
}
