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
    private readonly ChrootOptions _options;
    private readonly BuildRequest _request;
    private readonly Confinement _confinement;
    private readonly GoldenRoots _roots;
    private readonly Pacman _pacman;
    private readonly PackageCache _cache;
    private readonly IResourceMeter _meter;
    private readonly WorkingCopy _copy;
    private readonly CostLedger _costs;
    private readonly BuildLog _log;
    private readonly LimitWatch _watch;

    internal BuildRun(Workshop workshop, BuildRequest request, WorkingCopy copy, IResourceMeter meter)
    {
        (_options, _confinement, _roots, _pacman, _cache) = workshop;
        (_request, _copy, _meter) = (request, copy, meter);
        _costs = new CostLedger(_options.Time, request.OnPhase);
        _log = new BuildLog(request.Log, _costs.Enter, _options.Time);
        _watch = new LimitWatch(request.Limits, meter, _log, _confinement, _options);
        _costs.CpuTime = () => meter.Read().CpuTime;
        _costs.TakePeakMemory = _watch.TakePeak;
    }

    internal async Task<BuildOutcome> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var root = await StandAsync(cancellationToken);
            await InstallDependenciesAsync(root, cancellationToken);
            await using var sources = await FetchSourcesAsync(cancellationToken);
            await BuildAsync(root, sources, cancellationToken);
            _costs.Enter(BuildPhase.Collect);
            var (packages, buildInfo) = await PackageCollector.CollectAsync(
                _copy["upper/pkgdest"], _request.OutputDirectory, cancellationToken);
            return new BuildOutcome.Built { Packages = packages, BuildInfo = buildInfo, Costs = _costs.Finish() };
        }
        catch (BuildStop stop)
        {
            return Failed(stop.Kind, stop.Message);
        }
        catch (PacmanException refusal)
        {
            // The clean root is the same for all packages: what is wrong with it says nothing of this one.
            var isPackage = _costs.Current != BuildPhase.Root && !refusal.OfMachine;
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
        _costs.Enter(BuildPhase.Root);
        StartDirectory.Copy(_request.SourceDirectory, _copy["start"], _request.SourceDate);
        MakepkgSandbox.WriteConfiguration(_copy, _request, _options.MakeJobs);
        Pacman.WriteConfiguration(_request.Snapshot, _copy["configuration"]);
        return await _roots.StandAsync(
            _copy, _request.Snapshot, _request.BasePackages, _request.Fetch, (_, bytes) => _log.Append(bytes),
            cancellationToken);
    }

    private BuildOutcome.Failed Failed(FailureKind kind, string message)
    {
        _log.Finish();
        return new BuildOutcome.Failed
        {
            Failure = new BuildFailure
            {
                Stage = _costs.Current.Name(),
                Kind = kind,
                Message = message,
                LastLines = [.. _log.LastLines],
            },
            Costs = _costs.Finish(),
            Kept = _request.KeepFailed ? _copy.Keep(_options.Directory) : null,
        };
    }

    private async Task InstallDependenciesAsync(GoldenRoot root, CancellationToken cancellationToken)
    {
        var (missing, golden) = await ProvideDependenciesAsync(root, cancellationToken);
        if (missing.Count == 0)
            return;
        var merged = golden with { Steps = [WorkingCopy.Overlay(root.Id)], Root = _copy["root"] };
        await _pacman.InstallAsync(
            merged, _request.Snapshot, _copy["packages"], missing, afterwards: "", (_, bytes) => _log.Append(bytes),
            cancellationToken);
    }

    /// <summary>Brings the packages of the dependencies that the golden root lacks.</summary>
    /// <returns>What it lacks, and itself as pacman sees it.</returns>
    private async Task<(IReadOnlyCollection<string> Missing, Pacman.PacmanRoot Golden)> ProvideDependenciesAsync(
        GoldenRoot root, CancellationToken cancellationToken)
    {
        if (_request.Dependencies.FirstOrDefault(name => !Relation.TryParse(name, out _)) is { } malformed)
            throw new BuildStop(FailureKind.Package, $"\"{malformed}\" cannot be a dependency.");
        var missing = root.Unsatisfied(_request.Dependencies);
        // Looking needs no overlay: the golden root itself is what pacman would install into.
        var golden = new Pacman.PacmanRoot(_copy.Path, [], root.Tree, _copy["configuration"], Explicit: false);
        if (missing.Count == 0)
            return (missing, golden);
        _costs.Enter(BuildPhase.Dependencies);
        var packages = await _pacman.ResolveAsync(golden, _request.Snapshot, missing, cancellationToken);
        await _cache.ProvideAsync(packages, _request.Snapshot, _request.Fetch, _copy["packages"], cancellationToken);
        return (missing, golden);
    }

    /// <returns>Null when the package has no sources to fetch or verify.</returns>
    private async Task<SourceStore?> FetchSourcesAsync(CancellationToken cancellationToken)
    {
        if (StartDirectory.NeedsNothingFetched(_copy["start"]))
            return null;
        _costs.Enter(BuildPhase.Sources);
        var sources = SourceStore.Take(_options.Directory, _request.Pkgbase, _copy, _confinement);
        try
        {
            Step[] steps = [.. _meter.Groups.Select(group => new Step.Group(group)), new Step.Own(
                sources.Path, All: false)];
            var command = MakepkgSandbox.Fetch(_copy, _request, sources.Path, _options.SourceDirectories);
            var result = await RunWatchedAsync(steps, command, [sources.Path], cancellationToken);
            if (result.Succeeded)
                return sources;
            if (FailureSigns.OfFetching(_log.Errors) || FailureSigns.OfKilling(result))
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
        _costs.Enter(BuildPhase.Prepare);
        Step[] steps =
        [
            .. _meter.Groups.Select(group => new Step.Group(group)),
            new Step.Own("start", All: true), new Step.Own("source-upper", All: false),
            .. MakepkgSandbox.Mounts(root.Id, sources?.FromCopy),
        ];
        string[] written = [_copy["upper"], _copy["source-upper"], _copy["start"]];
        var result = await RunWatchedAsync(
            steps, MakepkgSandbox.Build(_copy, _request, _meter), written, cancellationToken);
        if (!result.Succeeded)
            throw new BuildStop(
                FailureSigns.OfKilling(result) ? FailureKind.Environment : FailureKind.Package, Errors(result));
    }

    /// <summary>Runs a makepkg under the limits, to its end and the end of all that it started.</summary>
    /// <exception cref="BuildStop">It broke a limit.</exception>
    private async Task<ProcessResult> RunWatchedAsync(
        IEnumerable<Step> steps, IEnumerable<string> command, string[] written, CancellationToken cancellationToken)
    {
        _log.BeginRun();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var spec = _confinement.Enter(_copy.Path, steps, command) with
        {
            MergeStandardError = true,
            MaxOutputBytes = _options.MaxLogBytes,
            KeepOutputBytes = 0,
            OnOutput = (_, bytes) => _log.Append(bytes),
            OnStarted = _meter.Started,
            Timeout = TimeSpan.FromSeconds(_request.Limits.TimeSeconds),
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
            _costs.Makepkg += _log.MakepkgStarted is { } since ? _options.Time.GetElapsedTime(since) : TimeSpan.Zero;
            await ended.CancelAsync();
            await _meter.EmptyAsync(CancellationToken.None);
        }

        var breach = await watching;
        _log.Finish();
        if (result is { TimedOut: true })
            breach = new Breach(
                FailureKind.Timeout, $"It ran longer than the {_request.Limits.TimeSeconds} s that it may.");
        else if (result is { OutputExceeded: true })
            breach = new Breach(FailureKind.Package, $"It printed more than {_options.MaxLogBytes >> 20} MiB.");
        // A limit that was hit on the way to success did no harm; without success it is the likeliest reason.
        if (result is { Succeeded: true })
            return result;
        return breach is null ? result! : throw new BuildStop(breach.Kind, breach.Message);
    }

    private async Task<Breach?> WatchAsync(string[] written, CancellationTokenSource stop, CancellationToken ended)
    {
        var breach = await _watch.WatchAsync(written, ended);
        if (!ended.IsCancellationRequested)
            await stop.CancelAsync();
        return breach;
    }

    private string Errors(ProcessResult result) => _log.Errors.Count > 0
        ? string.Join(" ", _log.Errors.Select(
            error => error.TrimEnd() + (error.EndsWith('!') || error.EndsWith('.') ? "" : ".")))
        : $"makepkg {result.Ending}. {_log.LastLines.LastOrDefault("")}".TrimEnd();
}
