using Quarters.Chroots.Isolation;
using Quarters.Linux.Files;

namespace Quarters.Chroots.Roots;

/// <summary>
/// The directory of one build: what it writes on top of the golden root (<c>upper</c>), its start directory, and what
/// else lives as long as the build. Its lock is held by the process that builds: a copy without one is a leftover.
/// </summary>
internal sealed class WorkingCopy : IAsyncDisposable
{
    private const string Folder = "work";
    private const string KeptFolder = "kept";
    private const string LockSuffix = ".lock";
    private const string RootFile = "golden-root";

    private readonly Confinement _confinement;
    private readonly FileLock _held;
    private bool _kept;

    private WorkingCopy(Confinement confinement, FileLock held, string directory)
    {
        (_confinement, _held, Path) = (confinement, held, directory);
        foreach (var part in new[] { "upper", "scratch", "root", "start", "source-upper", "source-scratch" })
            Directory.CreateDirectory(this[part]);
    }

    /// <summary>Where it is.</summary>
    internal string Path { get; }

    /// <summary>Its name, unique in the store while it lives.</summary>
    internal string Name => System.IO.Path.GetFileName(Path);

    /// <summary>The path of a part of it.</summary>
    internal string this[string part] => System.IO.Path.Combine(Path, part);

    /// <summary>Makes a copy under the first free name.</summary>
    internal static async Task<WorkingCopy> CreateAsync(
        string store, string pkgbase, Confinement confinement, CancellationToken cancellationToken)
    {
        var folder = System.IO.Path.Combine(store, Folder);
        Directory.CreateDirectory(folder);
        for (var number = 1; ; number++)
        {
            var directory = System.IO.Path.Combine(folder, $"{pkgbase}.{number}");
            if (FileLock.TryAcquire(directory + LockSuffix) is not { } held)
                continue;
            try
            {
                if (Directory.Exists(directory))
                    await confinement.RemoveAsync(directory, cancellationToken);
                return new WorkingCopy(confinement, held, directory);
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
    }

    /// <summary>True while the copy of this name has a living owner.</summary>
    internal static bool IsAlive(string store, string name)
    {
        var file = System.IO.Path.Combine(store, Folder, name + LockSuffix);
        if (!File.Exists(file))
            return false;
        using var taken = FileLock.TryAcquire(file);
        return taken is null;
    }

    /// <summary>Removes the copies that a killed run left.</summary>
    internal static async Task CleanAsync(string store, Confinement confinement, CancellationToken cancellationToken)
    {
        var folder = System.IO.Path.Combine(store, Folder);
        if (!Directory.Exists(folder))
            return;
        foreach (var directory in Directory.GetDirectories(folder))
        {
            using var taken = FileLock.TryAcquire(directory + LockSuffix);
            if (taken is not null)
                await confinement.RemoveAsync(directory, cancellationToken);
        }
    }

    /// <summary>True when a copy, living or kept, stands on this golden root.</summary>
    internal static bool Uses(string store, string rootId) =>
        new[] { Folder, KeptFolder }.Select(folder => System.IO.Path.Combine(store, folder)).Where(Directory.Exists)
            .SelectMany(Directory.GetDirectories).Any(copy => RootOf(copy) == rootId);

    /// <summary>The id of the golden root that a copy stands on, or null before it stands on one.</summary>
    internal static string? RootOf(string copy)
    {
        var file = System.IO.Path.Combine(copy, RootFile);
        return File.Exists(file) ? File.ReadAllText(file) : null;
    }

    /// <summary>Stands on a golden root.</summary>
    internal void StandOn(GoldenRoot root) => File.WriteAllText(this[RootFile], root.Id);

    /// <summary>The overlay of a copy on its golden root; the paths are relative to the copy.</summary>
    internal static Step Overlay(string rootId) =>
        new Step.Overlay($"../../roots/{rootId}/tree", "upper", "scratch", "root");

    /// <summary>Takes the copy out of reach of cleaning, for a person to look inside.</summary>
    /// <returns>Where it is now.</returns>
    internal string Keep(string store)
    {
        var folder = System.IO.Path.Combine(store, KeptFolder);
        Directory.CreateDirectory(folder);
        var number = 1;
        string target;
        do
            target = System.IO.Path.Combine(folder, $"{Name}-{number++}");
        while (Directory.Exists(target));
        LinuxDisk.Instance.Rename(Path, target);
        _kept = true;
        return target;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The lock goes last: until then nobody else takes the half-removed copy for a leftover.
        using (_held)
        {
            if (!_kept)
                await _confinement.RemoveAsync(Path, CancellationToken.None);
        }
    }
}
