using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Quarters.Alpm;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;
using Quarters.Master.Repositories;
using Quarters.Node;

namespace Quarters.Master.Collecting;

/// <summary>
/// Fetches what a builder says it built, looks at every byte of it, and has it accepted or refused. Nothing is visible
/// to pacman before the acceptance is in the journal.
/// </summary>
internal sealed partial class Collector(
    MasterFolders folders, Ledger ledger, Publisher publisher, RepositoryContents contents, ILogger<Collector> logger)
    : IDisposable
{
    /// <summary>No package file is larger than this, in bytes.</summary>
    public const long MaxPackageBytes = 16L << 30;

    /// <summary>So much of a log is kept, in bytes.</summary>
    public const int MaxLogBytes = 64 << 20;

    private const int LogPartBytes = 1 << 20;

    /// <summary>Two results are never judged at once: each must see the files that the other brought.</summary>
    private readonly SemaphoreSlim _judging = new(1, 1);

    /// <summary>Brings one result in. False when it could not be fetched now and is to be tried again.</summary>
    public async Task<bool> CollectAsync(
        string builder, Uri address, Puller puller, BuildResult result, CancellationToken cancellationToken)
    {
        var state = ledger.State;
        if (FindJob(state, builder, result) is not { } job || state.SourceOf(job) is not { } source) return true;
        var fault = FindFault(state, job, source, result);
        var folder = folders.Received(result.Job, result.Attempt, builder);
        if (fault is null)
        {
            Directory.CreateDirectory(folder);
            foreach (var file in result.Files)
            {
                var url = new Uri(
                    address, $"out/{JobId.AttemptName(result.Job, result.Attempt)}/{Uri.EscapeDataString(file.Name)}");
                var failure = await puller.DownloadAsync(
                    url, Path.Combine(folder, file.Name), file.Sha256, file.Bytes, cancellationToken);
                if (failure is { IsPassing: true })
                {
                    LogPostponed(result.Job, builder, failure.Sentence);
                    return false;
                }

                if (failure is not null) fault = failure.Sentence;
                if (fault is not null) break;
            }
        }

        var log = Agreement.IsReached(job, builder, result)
            ? JobId.AttemptName(result.Job, result.Attempt)
            : JobId.WitnessName(result.Job, result.Attempt, builder);
        await KeepLogAsync(address, puller, result, log, cancellationToken);
        if (await SettleAsync(builder, source, result, folder, fault, cancellationToken)) return true;
        // It was refused after all.
        if (log != JobId.AttemptName(result.Job, result.Attempt) && File.Exists(folders.Log(log)))
            File.Move(folders.Log(log), folders.Log(result.Job, result.Attempt), overwrite: true);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        return true;
    }

    /// <summary>Keeps the log of an attempt that failed.</summary>
    public Task KeepLogAsync(Uri address, Puller puller, BuildResult result, CancellationToken cancellationToken) =>
        KeepLogAsync(address, puller, result, JobId.AttemptName(result.Job, result.Attempt), cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _judging.Dispose();

    /// <summary>The job whose result it is; null when that is not wanted, or not any more.</summary>
    private static Job? FindJob(MasterState state, string builder, BuildResult result) =>
        state.Jobs.TryGetValue(result.Job, out var job) && job.IsOpen && job.Attempt == result.Attempt
            && Agreement.IsNews(job, builder, result)
            ? job
            : null;

    /// <summary>Keeps the log of an attempt that ended. A log that cannot be had is no reason to refuse a
    /// result.</summary>
    private async Task KeepLogAsync(
        Uri address, Puller puller, BuildResult result, string name, CancellationToken cancellationToken)
    {
        if (!JobId.IsValid(result.Job)) return;
        Directory.CreateDirectory(folders.Logs);
        await using var log = new FileStream(folders.Log(name), FileMode.Create, FileAccess.Write, FileShare.Read);
        var url = new Uri(address, $"v1/logs/{JobId.AttemptName(result.Job, result.Attempt)}.log");
        var wanted = Math.Min(result.LogBytes, MaxLogBytes);
        while (log.Length < wanted)
        {
            var part = await puller.GetTailAsync(url, log.Length, TimeSpan.Zero, LogPartBytes, cancellationToken);
            if (part is not PullResult.Document document || document.Bytes.Length == 0)
            {
                LogNoLog(result.Job, part is PullResult.Failed failed ? failed.Failure.Sentence : "it ends too early");
                return;
            }

            await log.WriteAsync(document.Bytes, cancellationToken);
        }
    }

    /// <summary>What can be told before anything is fetched.</summary>
    private static string? FindFault(MasterState state, Job job, SourcePackage source, BuildResult result)
    {
        var wanted = Acceptance.Wanted(source, state.Settings!.ArchitectureOf(job)).Length;
        if (result.Files.Length != wanted) return $"it has {result.Files.Length} files, and must have {wanted}";
        if (result.Files.Select(f => f.Name).Distinct(StringComparer.Ordinal).Count() != wanted)
            return "it names a file twice";
        foreach (var file in result.Files)
        {
            if (!PackageFileName.TryParse(file.Name, out _))
                return $"'{Shown(file.Name)}' is not the name of a package file";
            if (file.Bytes is < 1 or > MaxPackageBytes)
                return $"{file.Name} has an impossible size: {file.Bytes} bytes";
            if (file.Sha256.Length != 64 || !file.Sha256.All(char.IsAsciiHexDigitLower))
                return $"the digest of {file.Name} is not 64 lower-case hexadecimal digits";
        }

        return Snapshots.FindFault(state, job, result.Snapshot);
    }

    /// <summary>Refuses a result, publishes it, or has it wait until other builders have built the same. True when it
    /// waits: its packages are kept till then.</summary>
    private async Task<bool> SettleAsync(
        string builder, SourcePackage source, BuildResult result, string folder, string? fault,
        CancellationToken cancellationToken)
    {
        await _judging.WaitAsync(cancellationToken);
        try
        {
            var state = ledger.State;
            if (FindJob(state, builder, result) is not { } job) return false;
            var repository = job.Rebuild ?? source.Repository;
            var received = new List<ReceivedPackage>();
            if (fault is null) (received, fault) = ReadAll(folder, result);
            var architectures = state.Settings!.ArchitecturesFor(job);
            fault ??= await CompareAsync(source, repository, architectures, received, result, cancellationToken);
            if (fault is not null)
            {
                LogRefused(result.Job, builder, fault);
                await ledger.RecordAsync([new ResultRefused(builder, result, fault)], cancellationToken);
                return false;
            }

            if (!Agreement.IsReached(job, builder, result))
            {
                var difference = Differences.Tell(folders, job, result, folder);
                await ledger.RecordAsync([new ResultWitnessed(builder, result, difference)], cancellationToken);
                return true;
            }

            foreach (var architecture in architectures)
            {
                foreach (var package in received)
                    publisher.Store(
                        Path.Combine(folder, package.FileName), repository, architecture, package.FileName);
            }

            await ledger.RecordAsync(
                [new ResultAccepted(
                    builder, result, [.. received.Select(r => Acceptance.Describe(r, job.Id))])], cancellationToken);
            foreach (var witness in Agreement.WitnessesOf(job))
            {
                var other = folders.Received(job.Id, witness.Number, witness.Builder);
                if (Directory.Exists(other)) Directory.Delete(other, recursive: true);
            }

            return false;
        }
        finally
        {
            _judging.Release();
        }
    }

    private (List<ReceivedPackage> Received, string? Fault) ReadAll(string folder, BuildResult result)
    {
        var received = new List<ReceivedPackage>();
        using var scratch = folders.OpenScratch();
        foreach (var file in result.Files)
        {
            try
            {
                using var stream = File.OpenRead(Path.Combine(folder, file.Name));
                var digest = Convert.ToHexStringLower(SHA256.HashData(stream));
                // Others' results are compared with what was said, so that must be what is there.
                if (digest != file.Sha256) return (received, $"{file.Name} changed after it was fetched");
                stream.Position = 0;
                var facts = PackageFile.Read(stream, new PackageReadLimits(), scratch);
                received.Add(new ReceivedPackage(file.Name, stream.Length, digest, facts));
            }
            catch (AlpmFormatException malformed)
            {
                return (received, $"{file.Name} cannot be read: {malformed.Message}");
            }
        }

        return (received, null);
    }

    /// <summary>What is wrong with a result beside what there is. A database that is damaged is made again first, and a
    /// result that still cannot be compared is not accepted.</summary>
    private async Task<string?> CompareAsync(
        SourcePackage source, string repository, IReadOnlyList<string> architectures, List<ReceivedPackage> received,
        BuildResult result, CancellationToken cancellationToken)
    {
        var state = ledger.State;
        // Whoever installs a stage of a bootstrap has nothing else of ours.
        var isStage = state.Rebuilds.GetValueOrDefault(repository)?.Stage is not null;
        string[] keys =
        [
            .. (isStage ? [] : state.Settings!.Repositories).Append(repository).Distinct(StringComparer.Ordinal)
                .SelectMany(name => architectures.Select(a => MasterState.RepositoryKey(name, a))),
        ];
        for (var isMended = false; ; isMended = true)
        {
            try
            {
                return Acceptance.FindFault(
                    source, architectures[0], received, Surroundings(ledger.State, keys, received, result.Snapshot));
            }
            catch (AlpmFormatException damaged) when (!isMended)
            {
                LogDamaged(result.Job, damaged.Message);
                await ledger.MendAsync(keys, cancellationToken);
            }
            catch (AlpmFormatException damaged)
            {
                return $"it cannot be compared with what it was built against and what there is: {damaged.Message}";
            }
        }
    }

    private CollectedSurroundings Surroundings(
        MasterState state, IEnumerable<string> keys, List<ReceivedPackage> received, string snapshot)
    {
        var paths = received.SelectMany(r => r.Facts.Files).Where(p => !p.EndsWith('/'))
            .ToHashSet(StringComparer.Ordinal);
        var repositories = keys.Select(state.Repositories.GetValueOrDefault).OfType<RepositoryState>();
        var installed = received.SelectMany(r => r.Facts.Build?.Installed ?? []);
        return new CollectedSurroundings(contents.Held(snapshot, installed), contents.Owners(repositories, paths));
    }

    private static string Shown(string text) => text.Length <= 100 ? text : text[..100] + "…";

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Job}: the result of {Builder} is refused: {Reason}")]
    private partial void LogRefused(string job, string builder, string reason);

    [LoggerMessage(
        Level = LogLevel.Error, Message = "{Job}: what is lost or damaged of the databases is made again: {Problem}")]
    private partial void LogDamaged(string job, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Job}: the result of {Builder} is fetched later: {Reason}")]
    private partial void LogPostponed(string job, string builder, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Job}: its log is not complete: {Reason}")]
    private partial void LogNoLog(string job, string reason);

    private sealed class CollectedSurroundings(
        HashSet<InstalledPackage> snapshot, Dictionary<string, List<string>> owners) : IAcceptanceSurroundings
    {
        public bool SnapshotHolds(InstalledPackage package) => snapshot.Contains(package);

        public IEnumerable<string> OwnersOf(string path) => owners.TryGetValue(path, out var names) ? names : [];
    }
}
