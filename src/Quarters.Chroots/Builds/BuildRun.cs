using Quarters.Alpm;
using Quarters.Chroots.Isolation;
using Quarters.Chroots.Limits;
using Quarters.Chroots.Repositories;
using Quarters.Chroots.Roots;
using Quarters.Core.Documents;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Builds;

/// <summary>One build from the request to the outcome.</summary>
internal sealed class BuildRun
{
    private readonly ChrootOptions options;
    private readonly BuildRequest request;
    private readonly Confinement confinement;
    private readonly GoldenRoots roots;
    private readonly Pacman pacman;
    private readonly PackageCache cache;
    private readonly IResourceMeter meter;
    private readonly WorkingCopy copy;
    private readonly CostLedger costs;
    private readonly BuildLog log;
    private readonly LimitWatch watch;

    internal BuildRun(Workshop workshop, BuildRequest request, WorkingCopy copy, IResourceMeter meter)
    {
        (options, confinement, roots, pacman, cache) = workshop;
        (this.request, this.copy, this.meter) = (request, copy, meter);
        costs = new CostLedger(options.Time, request.OnPhase);
        log = new BuildLog(request.Log, costs.Enter, options.Time);
        watch = new LimitWatch(request.Limits, meter, log, confinement, options);
        costs.CpuTime = () => meter.Read().CpuTime;
        costs.TakePeakMemory = watch.TakePeak;
    }

    internal async Task<BuildOutcome> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var root = await StandAsync(cancellationToken);
            await InstallDependenciesAsync(root, cancellationToken);
            await using var sources = await FetchSourcesAsync(cancellationToken);
            await BuildAsync(root, sources, cancellationToken);
            costs.Enter(BuildPhase.Collect);
            var (packages, buildInfo) = await PackageCollector.CollectAsync(
                copy["upper/pkgdest"], request.OutputDirectory, cancellationToken);
            return new BuildOutcome.Built { Packages = packages, BuildInfo = buildInfo, Costs = costs.Finish() };
        }
        catch (BuildStop stop)
        {
            return Failed(stop.Kind, stop.Message);
        }
        catch (PacmanException refusal)
        {
            // The clean root is the same for all packages: what is wrong with it says nothing of this one.
            var isPackage = costs.Current != BuildPhase.Root && !refusal.OfMachine;
            return Failed(isPackage ? FailureKind.Package : FailureKind.Environment, refusal.Message);
        }
        catch (PackagesUnavailableException absence)
        {
            return Failed(FailureKind.Environment, absence.Message);
        }
        catch (InvalidDataException unusable)
        {
            return Failed(FailureKind.Package, unusable.Message);
        }
    }

    /// <summary>Goes as far as everything lies here that a build needs from elsewhere.</summary>
    internal async Task FetchAsync(CancellationToken cancellationToken)
    {
        try
        {
            var root = await StandAsync(cancellationToken);
            await ProvideDependenciesAsync(root, cancellationToken);
            await using var sources = await FetchSourcesAsync(cancellationToken);
        }
        catch (Exception exception) when (
            exception is BuildStop or PacmanException or PackagesUnavailableException or InvalidDataException)
        {
            // The build says it, if it is still so by then.
        }
    }

    private async Task<GoldenRoot> StandAsync(CancellationToken cancellationToken)
    {
        costs.Enter(BuildPhase.Root);
        StartDirectory.Copy(request.SourceDirectory, copy["start"], request.SourceDate);
        MakepkgSandbox.WriteConfiguration(copy, request, options.MakeJobs);
        Pacman.WriteConfiguration(request.Snapshot, copy["configuration"]);
        return await roots.StandAsync(
            copy, request.Snapshot, request.BasePackages, request.Fetch, (_, bytes) => log.Append(bytes),
            cancellationToken);
    }

    private BuildOutcome.Failed Failed(FailureKind kind, string message)
    {
        log.Finish();
        return new BuildOutcome.Failed
        {
            Failure = new BuildFailure
            {
                Stage = costs.Current.Name(),
                Kind = kind,
                Message = message,
                LastLines = [.. log.LastLines],
            },
            Costs = costs.Finish(),
            Kept = request.KeepFailed ? copy.Keep(options.Directory) : null,
        };
    }

    private async Task InstallDependenciesAsync(GoldenRoot root, CancellationToken cancellationToken)
    {
        var (missing, golden) = await ProvideDependenciesAsync(root, cancellationToken);
        if (missing.Count == 0)
            return;
        var merged = golden with { Steps = [WorkingCopy.Overlay(root.Id)], Root = copy["root"] };
        await pacman.InstallAsync(
            merged, request.Snapshot, copy["packages"], missing, afterwards: "", (_, bytes) => log.Append(bytes),
            cancellationToken);
    }

    /// <summary>Brings the packages of the dependencies that the golden root lacks.</summary>
    /// <returns>What it lacks, and itself as pacman sees it.</returns>
    private async Task<(IReadOnlyCollection<string> Missing, Pacman.PacmanRoot Golden)> ProvideDependenciesAsync(
        GoldenRoot root, CancellationToken cancellationToken)
    {
        if (request.Dependencies.FirstOrDefault(name => !Relation.TryParse(name, out _)) is { } malformed)
            throw new BuildStop(FailureKind.Package, $"\"{malformed}\" cannot be a dependency.");
        var missing = root.Unsatisfied(request.Dependencies);
        // Looking needs no overlay: the golden root itself is what pacman would install into.
        var golden = new Pacman.PacmanRoot(copy.Path, [], root.Tree, copy["configuration"], Explicit: false);
        if (missing.Count == 0)
            return (missing, golden);
        costs.Enter(BuildPhase.Dependencies);
        var packages = await pacman.ResolveAsync(golden, request.Snapshot, missing, cancellationToken);
        await cache.ProvideAsync(packages, request.Snapshot, request.Fetch, copy["packages"], cancellationToken);
        return (missing, golden);
    }

    /// <returns>Null when the package has no sources to fetch or verify.</returns>
    private async Task<SourceStore?> FetchSourcesAsync(CancellationToken cancellationToken)
    {
        if (StartDirectory.NeedsNothingFetched(copy["start"]))
            return null;
        costs.Enter(BuildPhase.Sources);
        var sources = SourceStore.Take(options.Directory, request.Pkgbase, copy, confinement);
        try
        {
            Step[] steps = [.. meter.Groups.Select(group => new Step.Group(group)), new Step.Own(
                sources.Path, All: false)];
            var command = MakepkgSandbox.Fetch(copy, request, sources.Path, options.SourceDirectories);
            var result = await RunWatchedAsync(steps, command, [sources.Path], cancellationToken);
            if (result.Succeeded)
                return sources;
            if (FailureSigns.OfFetching(log.Errors) || FailureSigns.OfKilling(result))
                throw new BuildStop(FailureKind.Environment, Errors(result));
            // What did not pass would be found again next time, and fail again even when it was mended upstream.
            await sources.DiscardAsync(cancellationToken);
            throw new BuildStop(FailureKind.Package, Errors(result));
        }
        catch (BuildStop stop) when (stop.Kind == FailureKind.Timeout)
        {
            // It is a server that does not answer, and the next builder may have another way to it.
            await sources.DisposeAsync();
            throw new BuildStop(FailureKind.Environment, stop.Message);
        }
        catch
        {
            await sources.DisposeAsync();
            throw;
        }
    }

    private async Task BuildAsync(GoldenRoot root, SourceStore? sources, CancellationToken cancellationToken)
    {
        costs.Enter(BuildPhase.Prepare);
        Step[] steps =
        [
            .. meter.Groups.Select(group => new Step.Group(group)),
            new Step.Own("start", All: true), new Step.Own("source-upper", All: false),
            .. MakepkgSandbox.Mounts(root.Id, sources?.FromCopy),
        ];
        string[] written = [copy["upper"], copy["source-upper"], copy["start"]];
        var result = await RunWatchedAsync(
            steps, MakepkgSandbox.Build(copy, request, meter), written, cancellationToken);
        if (!result.Succeeded)
            throw new BuildStop(
                FailureSigns.OfKilling(result) ? FailureKind.Environment : FailureKind.Package, Errors(result));
    }

    /// <summary>Runs a makepkg under the limits, to its end and the end of all that it started.</summary>
    /// <exception cref="BuildStop">It broke a limit.</exception>
    private async Task<ProcessResult> RunWatchedAsync(
        IEnumerable<Step> steps, IEnumerable<string> command, string[] written, CancellationToken cancellationToken)
    {
        log.BeginRun();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var spec = confinement.Enter(copy.Path, steps, command) with
        {
            MergeStandardError = true,
            MaxOutputBytes = options.MaxLogBytes,
            KeepOutputBytes = 0,
            OnOutput = (_, bytes) => log.Append(bytes),
            OnStarted = meter.Started,
            Timeout = TimeSpan.FromSeconds(request.Limits.TimeSeconds),
        };
        var watching = WatchAsync(written, stop, ended.Token);
        ProcessResult? result = null;
        try
        {
            result = await ProcessRunner.RunAsync(spec, stop.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The watch stopped it, and says why below.
        }
        finally
        {
            costs.Makepkg += log.MakepkgStarted is { } since ? options.Time.GetElapsedTime(since) : TimeSpan.Zero;
            await ended.CancelAsync();
            await meter.EmptyAsync(CancellationToken.None);
        }

        var breach = await watching;
        log.Finish();
        if (result is { TimedOut: true })
            breach = new Breach(
                FailureKind.Timeout, $"It ran longer than the {request.Limits.TimeSeconds} s that it may.");
        else if (result is { OutputExceeded: true })
            breach = new Breach(FailureKind.Package, $"It printed more than {options.MaxLogBytes >> 20} MiB.");
        // A limit that was hit on the way to success did no harm; without success it is the likeliest reason.
        if (result is { Succeeded: true })
            return result;
        return breach is null ? result! : throw new BuildStop(breach.Kind, breach.Message);
    }

    private async Task<Breach?> WatchAsync(string[] written, CancellationTokenSource stop, CancellationToken ended)
    {
        var breach = await watch.WatchAsync(written, ended);
        if (!ended.IsCancellationRequested)
            await stop.CancelAsync();
        return breach;
    }

    private string Errors(ProcessResult result) => log.Errors.Count > 0
        ? string.Join(" ", log.Errors.Select(
            error => error.TrimEnd() + (error.EndsWith('!') || error.EndsWith('.') ? "" : ".")))
        : $"makepkg {result.Ending}. {log.LastLines.LastOrDefault("")}".TrimEnd();
}
