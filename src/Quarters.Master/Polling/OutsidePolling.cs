using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Quarters.Alpm;
using Quarters.Core.Master;
using Quarters.Linux.Files;
using Quarters.Master.Repositories;
using Quarters.Node;

namespace Quarters.Master.Polling;

/// <summary>Looks at the databases of other people's repositories, and pins each new one.</summary>
internal sealed partial class OutsidePolling(
    MasterFolders folders,
    IDisk disk,
    Ledger ledger,
    Sightings sightings,
    Puller puller,
    TimeSpan interval,
    TimeProvider time,
    ILogger<OutsidePolling> logger)
{
    /// <summary>While a repository was never fetched nothing can be built: it is asked for again after this.</summary>
    private static readonly TimeSpan WhileMissing = TimeSpan.FromSeconds(15);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var isMissing = false;
            foreach (var architecture in ledger.State.Settings?.Architectures ?? [])
            {
                foreach (var repository in ledger.State.Settings?.Outside ?? [])
                    isMissing |= !await PinAsync(repository, architecture, cancellationToken);
            }

            await Task.Delay(isMissing && interval > WhileMissing ? WhileMissing : interval, time, cancellationToken);
        }
    }

    private async Task<bool> PinAsync(
        OutsideRepository repository, string architecture, CancellationToken cancellationToken)
    {
        var key = MasterState.RepositoryKey(repository.Name, architecture);
        var problems = new List<string>();
        foreach (var server in repository.Servers)
        {
            var url = new Uri($"{Snapshots.ServerOf(server, repository.Name, architecture)}/{repository.Name}.db");
            var (bytes, problem) = await FetchAsync(url, cancellationToken);
            problem ??= await PinAsync(repository.Name, architecture, bytes!, url, cancellationToken);
            if (problem is null)
            {
                sightings.SawOutside(key, null);
                return true;
            }

            problems.Add(problem);
        }

        var said = string.Join("; ", problems);
        LogUnreachable(key, said);
        sightings.SawOutside(key, said);
        return ledger.State.Outside.ContainsKey(key);
    }

    private async Task<(byte[]? Bytes, string? Problem)> FetchAsync(Uri url, CancellationToken cancellationToken)
    {
        if (url.IsFile)
        {
            var file = new FileInfo(url.LocalPath);
            if (!file.Exists) return (null, $"{url.LocalPath} is not there");
            if (file.Length > PinnedDatabases.MaxBytes)
                return (null, $"{url.LocalPath} is larger than {PinnedDatabases.MaxBytes} bytes");
            return (await File.ReadAllBytesAsync(url.LocalPath, cancellationToken), null);
        }

        return await puller.GetDocumentAsync(
            url, null, TimeSpan.Zero, (int)PinnedDatabases.MaxBytes, cancellationToken) switch
        {
            PullResult.Document document => (document.Bytes, null),
            PullResult.Failed failed => (null, failed.Failure.Sentence),
            _ => (null, $"{url} says that it did not change, although nothing is known of it"),
        };
    }

    private async Task<string?> PinAsync(
        string repository, string architecture, byte[] bytes, Uri url, CancellationToken cancellationToken)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var path = folders.Database(digest);
        var pinned = ledger.State.Outside.GetValueOrDefault(MasterState.RepositoryKey(repository, architecture));
        if (pinned?.Sha256 == digest && StoredFile.IsWhole(path, digest)) return null;
        disk.CreateDirectory(folders.Databases);
        DurableFile.Replace(disk, path, bytes);
        try
        {
            var index = PinnedDatabases.Read(path);
            LogPinned(repository, architecture, index.Count, digest);
            await ledger.RecordAsync(
                [new OutsidePinned(
                    repository, architecture, digest, bytes.Length) { Index = index }], cancellationToken);
            return null;
        }
        catch (AlpmFormatException damaged)
        {
            disk.Delete(path);
            return $"{url}: {damaged.Message}";
        }
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "repository {Repository} for {Architecture}: {Packages} packages, database {Digest}")]
    private partial void LogPinned(string repository, string architecture, int packages, string digest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "repository {Repository}: {Reason}")]
    private partial void LogUnreachable(string repository, string reason);
}
