using System.Security.Cryptography;
using System.Text;
using Quarters.Alpm;
using Quarters.Chroots.Builds;
using Quarters.Chroots.Health;
using Quarters.Chroots.Isolation;
using Quarters.Chroots.Limits;
using Quarters.Chroots.Repositories;
using Quarters.Chroots.Roots;
using Quarters.Linux.Processes;

namespace Quarters.Chroots;

/// <summary>
/// Builds packages in clean chroots below one directory. Any number of builds may run at once, also from several
/// processes of one user.
/// </summary>
public sealed class ChrootStore
{
    private readonly ChrootOptions _options;
    private readonly Workshop _workshop;
    private readonly CgroupHierarchy? _cgroups;
    private readonly string _groupPrefix;

    /// <summary>Opens a store; the directory is made if it is missing.</summary>
    /// <exception cref="InvalidOperationException">This user is not root and has no subordinate ids; the message says
    /// what to do.</exception>
    public ChrootStore(ChrootOptions options)
    {
        _options = options with { Directory = Path.GetFullPath(options.Directory) };
        var confinement = Confinement.OfThisProcess();
        if (confinement.Rootless && SubordinateIds.Check() is { Ok: false } check)
            throw new InvalidOperationException($"{check.Meaning} Add them: {check.Mend}");
        Directory.CreateDirectory(_options.Directory);
        var pacman = new Pacman(confinement, options.PacmanTimeout);
        var cache = new PackageCache(Path.Combine(_options.Directory, "cache"));
        _workshop = new Workshop(
            _options, confinement, new GoldenRoots(_options, confinement, pacman, cache), pacman, cache);
        _cgroups = CgroupHierarchy.Find();
        // Several stores share the machine's cgroups: the prefix tells whose a group is.
        _groupPrefix = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(_options.Directory)))[..16] + "-";
    }

    /// <summary>Removes what a killed run left: working copies, half-made roots, processes that are still in a cgroup
    /// of ours. What belongs to a living process is left alone. Mounts need no cleaning: they end with their
    /// processes.</summary>
    /// <exception cref="IOException">Something could not be removed.</exception>
    public async Task CleanAsync(CancellationToken cancellationToken)
    {
        if (_cgroups is not null)
            await Cgroup.RemoveLeftoversAsync(
                _cgroups, _groupPrefix, name =>
                    WorkingCopy.IsAlive(_options.Directory, name), _options.Time, cancellationToken);
        await WorkingCopy.CleanAsync(_options.Directory, _workshop.Confinement, cancellationToken);
        await _workshop.Roots.CleanAsync(cancellationToken);
    }

    /// <summary>Builds a package. That it fails is an outcome; an exception means that we could not do our
    /// part.</summary>
    /// <exception cref="ArgumentException">The request's package base is no package name.</exception>
    /// <exception cref="IOException">The store cannot be written, or a program is missing that the doctor knows of.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled; everything that ran is gone.</exception>
    public Task<BuildOutcome> BuildAsync(BuildRequest request, CancellationToken cancellationToken) =>
        InWorkingCopyAsync(request, run => run.RunAsync(cancellationToken), cancellationToken);

    /// <summary>Fetches ahead what a build will need: its root, the packages of its dependencies, its sources. What
    /// cannot be had is left to the build, which says so.</summary>
    /// <exception cref="ArgumentException">The request's package base is no package name.</exception>
    /// <exception cref="IOException">The store cannot be written, or a program is missing that the doctor knows of.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled; everything that ran is gone.</exception>
    public Task FetchAsync(BuildRequest request, CancellationToken cancellationToken) =>
        InWorkingCopyAsync(
            request,
            async run =>
            {
                await run.FetchAsync(cancellationToken);
                return true;
            },
            cancellationToken);

    private async Task<T> InWorkingCopyAsync<T>(
        BuildRequest request, Func<BuildRun, Task<T>> work, CancellationToken cancellationToken)
    {
        if (!PackageName.IsValid(request.Pkgbase))
            throw new ArgumentException(
                $"\"{request.Pkgbase}\" cannot be the name of a package base.", nameof(request));
        await using var copy = await WorkingCopy.CreateAsync(
            _options.Directory, request.Pkgbase, _workshop.Confinement, cancellationToken);
        await using IResourceMeter meter = _cgroups is null
            ? new ProcessTree(_options.Time)
            : Cgroup.Create(_cgroups, _groupPrefix + copy.Name, request.Limits, _options.Time);
        return await work(new BuildRun(_workshop, request, copy, meter));
    }

    /// <summary>Opens a shell in a working copy that was kept, as the user that builds, at this process's
    /// terminal.</summary>
    /// <param name="kept">The directory, as the failed outcome names it.</param>
    /// <param name="cancellationToken">Ends the shell.</param>
    /// <returns>The shell's exit code.</returns>
    /// <exception cref="DirectoryNotFoundException">It is no kept working copy, or its golden root is gone.</exception>
    public async Task<int> OpenShellAsync(string kept, CancellationToken cancellationToken)
    {
        var root = WorkingCopy.RootOf(kept)
            ?? throw new DirectoryNotFoundException($"{kept} is no working copy that was kept after a build.");
        if (!Directory.Exists(Path.Combine(_options.Directory, "roots", root)))
            throw new DirectoryNotFoundException($"The root that {kept} stands on is gone; build again.");
        var spec = _workshop.Confinement.Enter(
            kept, [WorkingCopy.Overlay(root)], MakepkgSandbox.Shell(kept));
        return (await ProcessRunner.RunInTerminalAsync(spec, cancellationToken)).ExitCode;
    }

    /// <summary>Removes a working copy that was kept.</summary>
    public Task RemoveKeptAsync(string kept, CancellationToken cancellationToken) =>
        WorkingCopy.RootOf(kept) is null
            ? throw new DirectoryNotFoundException($"{kept} is no working copy that was kept after a build.")
            : _workshop.Confinement.RemoveAsync(kept, cancellationToken);
}

/// <summary>What all builds of a store share.</summary>
internal sealed record Workshop(
    ChrootOptions Options, Confinement Confinement, GoldenRoots Roots, Pacman Pacman, PackageCache Cache);
