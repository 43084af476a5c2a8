using System.Collections.Immutable;
using Quarters.Alpm;
using Quarters.Builder.Fetching;
using Quarters.Chroots.Builds;
using Quarters.Core.Documents;
using Quarters.Linux.Files;
using Quarters.Node;

namespace Quarters.Builder.Building;

/// <summary>What makes packages: <see cref="Chroots.ChrootStore"/> does it in chroots.</summary>
/// <param name="Fetch">Brings what a build will need and its request does not hold.</param>
/// <param name="Build">Builds a package.</param>
internal sealed record Craft(
    Func<BuildRequest, CancellationToken, Task> Fetch,
    Func<BuildRequest, CancellationToken, Task<BuildOutcome>> Build);

/// <summary>One attempt from the claim to the result: fetch, build, present.</summary>
internal sealed class AttemptRun(
    BuilderOptions options, BuilderFolders folders, Ledger ledger, Preparation preparation, Craft craft)
{
    /// <summary>The stage in which source package and snapshot are fetched.</summary>
    internal const string FetchStage = "fetch";

    /// <summary>The stage of a failure between the others: the builder's own.</summary>
    internal const string BuilderStage = "builder";

    /// <summary>The stage in which the packages are copied to where others read them.</summary>
    private const string PublishStage = "publish";

    private const string DebugSuffix = "-debug";

    /// <summary>Fetches ahead what a reserved job needs: its source package and snapshot, and then what the build would
    /// fetch.</summary>
    /// <exception cref="FetchException">Source package or snapshot cannot be had.</exception>
    /// <exception cref="IOException">The disk is full, or a tool is missing.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    internal async Task<BuildRequest> PrepareAsync(QueueJob job, CancellationToken cancellationToken)
    {
        var request = await FetchAsync(job, cancellationToken);
        await craft.Fetch(request, cancellationToken);
        return request;
    }

    /// <summary>Removes what was fetched for a job that is not built.</summary>
    internal void Discard(QueueJob job)
    {
        var work = folders.WorkOf(job.Id, job.Attempt);
        if (Directory.Exists(work))
            Directory.Delete(work, recursive: true);
    }

    /// <summary>Builds a job whose build was announced. Files of the result are durable, in place, and where others can
    /// read them when it returns.</summary>
    /// <param name="job">The job.</param>
    /// <param name="prepared">What was fetched ahead; null when nothing was.</param>
    /// <param name="cancellationToken">Stops the build.</param>
    /// <exception cref="OperationCanceledException">Cancelled; nothing of it runs or remains but its log.</exception>
    internal async Task<BuildResult> RunAsync(
        QueueJob job, Task<BuildRequest>? prepared, CancellationToken cancellationToken)
    {
        var started = options.Time.GetUtcNow();
        var result = new BuildResult
        {
            Job = job.Id,
            Attempt = job.Attempt,
            Snapshot = job.Snapshot,
            Outcome = ResultOutcome.Failed,
            Started = started,
            Finished = started,
            Weight = options.Weight,
        };
        try
        {
            using (var log = new LiveLog(folders.Log(job.Id, job.Attempt), LiveLog.DefaultBytesLimit))
                result = await BuildAsync(job, prepared, log, result, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A disk that is full or a tool that is missing: the next builder may have neither trouble.
            result = Failed(result, BuilderStage, exception.Message);
        }
        finally
        {
            Discard(job);
        }

        var finished = options.Time.GetUtcNow();
        BuilderMeter.Count(result.Failure is { } failure ? failure.Kind.ToString() : nameof(ResultOutcome.Built),
            finished - started);
        if (!result.Files.IsEmpty)
        {
            // The claim stands meanwhile, however long that takes: a result counts when its files can be read.
            ledger.EnterStage(job.Id, job.Attempt, PublishStage);
            await ledger.UntilFilesArePublicAsync(cancellationToken);
        }

        return result with
        {
            Finished = finished,
            LogBytes = new FileInfo(folders.Log(job.Id, job.Attempt)) is { Exists: true } file ? file.Length : 0,
        };
    }

    private async Task<BuildResult> BuildAsync(
        QueueJob job, Task<BuildRequest>? prepared, LiveLog log, BuildResult result,
        CancellationToken cancellationToken)
    {
        ledger.EnterStage(job.Id, job.Attempt, FetchStage);
        var fetchStarted = options.Time.GetTimestamp();
        BuildRequest request;
        try
        {
            request = await PreparedAsync(job, prepared, cancellationToken);
        }
        catch (FetchException failure)
        {
            log.AppendLine(failure.Message);
            return Failed(result, FetchStage, failure.Message);
        }

        var fetch = new PhaseCost
        {
            Phase = FetchStage,
            ElapsedSeconds = options.Time.GetElapsedTime(fetchStarted).TotalSeconds,
        };
        var outcome = await craft.Build(
            request with
            {
                Log = log.Append,
                OnPhase = phase => ledger.EnterStage(job.Id, job.Attempt, phase.Name()),
            },
            cancellationToken);
        ImmutableArray<PhaseCost> costs = [fetch, .. outcome.Costs.Phases];
        if (outcome is not BuildOutcome.Built built)
        {
            var failure = ((BuildOutcome.Failed)outcome).Failure;
            log.AppendLine($"{failure.Stage}: {failure.Message}");
            return result with { Failure = failure, Costs = costs };
        }

        return result with
        {
            Outcome = ResultOutcome.Built,
            Files = Present(job, request.OutputDirectory, built.Packages),
            Costs = costs,
        };
    }

    /// <summary>What was fetched ahead; where that failed it is tried once more.</summary>
    private async Task<BuildRequest> PreparedAsync(
        QueueJob job, Task<BuildRequest>? prepared, CancellationToken cancellationToken)
    {
        try
        {
            if (prepared is not null)
                return await prepared;
        }
        catch (Exception exception) when (
            exception is FetchException or IOException or UnauthorizedAccessException)
        {
            // What could not be had a while ago may be there now; if not, the reason is told then.
        }

        return await FetchAsync(job, cancellationToken);
    }

    private async Task<BuildRequest> FetchAsync(QueueJob job, CancellationToken cancellationToken)
    {
        Discard(job);
        return await preparation.PrepareAsync(job, folders.WorkOf(job.Id, job.Attempt), cancellationToken);
    }

    /// <summary>Makes the packages durable and gives them their public place, all at once.</summary>
    private ImmutableArray<ResultFile> Present(QueueJob job, string output, ImmutableArray<BuiltPackage> packages)
    {
        var files = ImmutableArray.CreateBuilder<ResultFile>();
        foreach (var package in packages)
        {
            if (IsUnwantedDebugPackage(job, package.Path))
            {
                File.Delete(package.Path);
                continue;
            }

            using (var handle = File.OpenHandle(package.Path, access: FileAccess.ReadWrite))
                RandomAccess.FlushToDisk(handle);
            files.Add(new ResultFile(Path.GetFileName(package.Path), package.Bytes, package.Sha256));
        }

        var disk = LinuxDisk.Instance;
        disk.SyncDirectory(output);
        var place = folders.Result(job.Id, job.Attempt);
        // Left by a run that died between the rename and its journal entry.
        if (Directory.Exists(place))
            Directory.Delete(place, recursive: true);
        disk.Rename(output, place);
        disk.SyncDirectory(folders.Results);
        return files.ToImmutable();
    }

    /// <summary>A PKGBUILD's own <c>options=(debug)</c> overrides makepkg.conf; nobody asked for that
    /// package.</summary>
    private static bool IsUnwantedDebugPackage(QueueJob job, string path) =>
        PackageFileName.TryParse(Path.GetFileName(path), out var name)
        && name.Name.EndsWith(DebugSuffix, StringComparison.Ordinal)
        && !job.Packages.Any(wanted => wanted.Name == name.Name);

    private static BuildResult Failed(BuildResult result, string stage, string message) => result with
    {
        Outcome = ResultOutcome.Failed,
        Files = [],
        Failure = new BuildFailure
        {
            Stage = stage,
            Kind = FailureKind.Environment,
            Message = message,
            LastLines = [message],
        },
    };
}
