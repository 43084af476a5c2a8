using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Quarters.Chroots.Isolation;
using Quarters.Chroots.Repositories;
using Quarters.Linux.Files;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Roots;

/// <summary>
/// The golden roots of a store: <c>roots/ID/tree</c>, where ID is a hash over the packages in it, so that a new
/// snapshot with the same base packages finds the root that is there. Made aside and renamed: a root with its name is
/// whole.
/// </summary>
internal sealed class GoldenRoots
{
    /// <summary>What else goes into the identity: changes when the way of making a root does.</summary>
    private const string Layout = "quarters-root/1";

    private const string InstalledFile = "installed.json";
    private const string LockSuffix = ".lock";
    private const string NewSuffix = ".new";

    /// <summary>Adds the user that builds and its directories, then prints the database of installed
    /// packages.</summary>
    private static readonly string FinishScript = string.Create(CultureInfo.InvariantCulture, $"""
        cd /target
        echo 'builder:x:{Confinement.BuilderId}:{Confinement.BuilderId}::/build:/bin/bash' >> etc/passwd
        echo 'builder:x:{Confinement.BuilderId}:' >> etc/group
        mkdir -p build startdir pkgdest srcdest tmp
        chown {Confinement.BuilderId}:{Confinement.BuilderId} build startdir pkgdest srcdest
        cat var/lib/pacman/local/*/desc
        """);

    private readonly ChrootOptions _options;
    private readonly Confinement _confinement;
    private readonly Pacman _pacman;
    private readonly PackageCache _cache;
    private readonly string _roots;
    private readonly string _resolutions;
    private readonly ConcurrentDictionary<string, GoldenRoot> _loaded = new(StringComparer.Ordinal);

    internal GoldenRoots(ChrootOptions options, Confinement confinement, Pacman pacman, PackageCache cache)
    {
        (_options, _confinement, _pacman, _cache) = (options, confinement, pacman, cache);
        _roots = Path.Combine(options.Directory, "roots");
        _resolutions = Path.Combine(options.Directory, "resolutions");
    }

    /// <summary>Stands a working copy on the root of a base set, made first if it is not there.</summary>
    /// <exception cref="PacmanException">The base set cannot be installed.</exception>
    /// <exception cref="PackagesUnavailableException">Its packages cannot be had.</exception>
    internal async Task<GoldenRoot> StandAsync(
        WorkingCopy copy,
        RepositorySnapshot snapshot,
        IReadOnlyList<string> basePackages,
        FetchPackages fetch,
        OutputSink? onOutput,
        CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_roots);
        Directory.CreateDirectory(_resolutions);
        var packages = await ResolveAsync(snapshot, basePackages, cancellationToken);
        var id = Identity(snapshot.Architecture, packages);
        // The lock also keeps the root from being pruned before the copy stands on it.
        using var alone = await FileLock.AcquireAsync(
            Path.Combine(_roots, id + LockSuffix), _options.Time, cancellationToken);
        if (TryLoad(id) is not { } root)
        {
            await MakeAsync(id, snapshot, packages, fetch, onOutput, cancellationToken);
            root = TryLoad(id) ?? throw new IOException($"The golden root {id} vanished while it was made.");
            await PruneAsync(id, cancellationToken);
        }

        copy.StandOn(root);
        return root;
    }

    /// <summary>Removes what a killed run left half made.</summary>
    internal async Task CleanAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_roots))
            return;
        foreach (var leftover in Directory.GetDirectories(_roots, "*" + NewSuffix))
        {
            using var alone = FileLock.TryAcquire(leftover[..^NewSuffix.Length] + LockSuffix);
            if (alone is not null)
                await _confinement.RemoveAsync(leftover, cancellationToken);
        }
    }

    /// <summary>What pacman would install into an empty root. Kept in a file: the answer for a snapshot never changes.
    /// </summary>
    private async Task<IReadOnlyList<ResolvedPackage>> ResolveAsync(
        RepositorySnapshot snapshot, IReadOnlyList<string> basePackages, CancellationToken cancellationToken)
    {
        var accepts = string.Concat(snapshot.Accepts.Select(name => $"accepts {name}\n"));
        var key = Hash($"{snapshot.Id}\n{accepts}{string.Join('\n', basePackages.Order(StringComparer.Ordinal))}\n");
        var file = Path.Combine(_resolutions, key + ".json");
        if (File.Exists(file))
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), StoreJson.Default.ListResolvedPackage)
                ?? throw new InvalidDataException($"{file} is empty; delete it.");
        var wanted = basePackages.Count > 0
            ? basePackages
            : PinnedDatabases.Existing(snapshot, ["base", "base-devel"]);
        if (wanted.Count == 0)
            throw new PacmanException("The repositories hold neither base nor base-devel: name the base packages.");
        var empty = Path.Combine(_resolutions, key + NewSuffix);
        using var alone = await FileLock.AcquireAsync(
            Path.Combine(_resolutions, key + LockSuffix), _options.Time, cancellationToken);
        var tree = Path.Combine(empty, "tree");
        MakeEmptyTree(tree);
        Pacman.WriteConfiguration(snapshot, empty);
        var root = new Pacman.PacmanRoot(empty, [], tree, empty, Explicit: true);
        var packages = await _pacman.ResolveAsync(root, snapshot, wanted, cancellationToken);
        DurableFile.Replace(
            LinuxDisk.Instance, file,
                JsonSerializer.SerializeToUtf8Bytes([.. packages], StoreJson.Default.ListResolvedPackage));
        await _confinement.RemoveAsync(empty, cancellationToken);
        return packages;
    }

    private async Task MakeAsync(
        string id,
        RepositorySnapshot snapshot,
        IReadOnlyList<ResolvedPackage> packages,
        FetchPackages fetch,
        OutputSink? onOutput,
        CancellationToken cancellationToken)
    {
        var aside = Path.Combine(_roots, id + NewSuffix);
        if (Directory.Exists(aside))
            await _confinement.RemoveAsync(aside, cancellationToken);
        var (tree, links, configuration) = (
            Path.Combine(aside, "tree"), Path.Combine(aside, "packages"), Path.Combine(aside, "configuration"));
        MakeEmptyTree(tree);
        Pacman.WriteConfiguration(snapshot, configuration);
        try
        {
            await _cache.ProvideAsync(packages, snapshot, fetch, links, cancellationToken);
            var root = new Pacman.PacmanRoot(aside, [], tree, configuration, Explicit: true);
            var database = await _pacman.InstallAsync(
                root, snapshot, links, packages.Select(package => $"{package.Repository}/{package.Name}"), FinishScript,
                onOutput, cancellationToken);
            foreach (var helper in new[] { links, links + ".fetched", configuration }.Where(Directory.Exists))
                Directory.Delete(helper, recursive: true);
            LinuxDisk.Instance.Write(
                Path.Combine(aside, InstalledFile),
                JsonSerializer.SerializeToUtf8Bytes(
                    InstalledDatabase.Read(database), StoreJson.Default.ListInstalledPackageRecord));
            await SyncAsync(aside, cancellationToken);
            LinuxDisk.Instance.Rename(aside, Path.Combine(_roots, id));
            LinuxDisk.Instance.SyncDirectory(_roots);
        }
        catch
        {
            // A half-made root is of no use to anyone; whatever stopped us, it goes.
            await _confinement.RemoveAsync(aside, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Keeps the most recently used roots. One that a build uses is kept by its working copy's lock.</summary>
    private async Task PruneAsync(string made, CancellationToken cancellationToken)
    {
        var others = new DirectoryInfo(_roots).GetDirectories()
            .Where(directory => directory.Name != made && !directory.Name.EndsWith(NewSuffix, StringComparison.Ordinal))
            .OrderByDescending(directory => directory.LastWriteTimeUtc)
            .Skip(Math.Max(0, _options.GoldenRootsKept - 1));
        foreach (var directory in others)
        {
            using var alone = FileLock.TryAcquire(directory.FullName + LockSuffix);
            if (alone is null || WorkingCopy.Uses(_options.Directory, directory.Name))
                continue;
            var leaving = directory.FullName + NewSuffix;
            LinuxDisk.Instance.Rename(directory.FullName, leaving);
            _loaded.TryRemove(directory.Name, out _);
            await _confinement.RemoveAsync(leaving, cancellationToken);
        }
    }

    private GoldenRoot? TryLoad(string id)
    {
        var directory = Path.Combine(_roots, id);
        var file = Path.Combine(directory, InstalledFile);
        if (!File.Exists(file))
            return null;
        // The time of the directory is the time of its last use, by which roots are pruned.
        Directory.SetLastWriteTimeUtc(directory, _options.Time.GetUtcNow().UtcDateTime);
        return _loaded.GetOrAdd(id, _ => new GoldenRoot(
            id,
            Path.Combine(directory, "tree"),
            JsonSerializer.Deserialize(File.ReadAllBytes(file), StoreJson.Default.ListInstalledPackageRecord)
                ?? throw new InvalidDataException($"{file} is empty; delete {directory}.")));
    }

    private static void MakeEmptyTree(string tree)
    {
        foreach (var directory in new[] { "var/lib/pacman/local", "var/lib/pacman/sync", "proc", "dev", "run", "tmp" })
            Directory.CreateDirectory(Path.Combine(tree, directory));
        // Where pacman may not write it finds no version, and takes an empty database for a broken one.
        File.WriteAllText(Path.Combine(tree, "var/lib/pacman/local/ALPM_DB_VERSION"), "9\n");
        File.SetUnixFileMode(Path.Combine(tree, "tmp"), (UnixFileMode)0x3FF); // 1777
    }

    /// <summary>The root must be on the device before it has its name, or a power cut leaves empty files in
    /// it.</summary>
    private static async Task SyncAsync(string directory, CancellationToken cancellationToken)
    {
        var spec = new ProcessSpec { FileName = "sync", Arguments = ["--file-system", directory] };
        var result = await ProcessRunner.RunAsync(spec, cancellationToken);
        if (!result.Succeeded)
            throw new IOException(
                $"{directory} could not be made durable: sync {result.Ending}. {result.StandardError.Trim()}");
    }

    private static string Identity(string architecture, IReadOnlyList<ResolvedPackage> packages)
    {
        var text = new StringBuilder(Layout).Append('\n').Append(architecture).Append('\n');
        foreach (var package in packages)
            text.Append(package.Name).Append(' ').Append(package.Version).Append(' ').Append(package.Sha256)
                .Append('\n');
        return Hash(text.ToString());
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
