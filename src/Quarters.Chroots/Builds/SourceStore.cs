using Quarters.Chroots.Isolation;
using Quarters.Chroots.Roots;
using Quarters.Linux.Files;

namespace Quarters.Chroots.Builds;

/// <summary>
/// Fetched sources, a directory for each package base. They are not shared between packages, because a PKGBUILD is code
/// that runs while its sources are fetched: it could put anything there under the name of another package's source.
/// </summary>
internal sealed class SourceStore : IAsyncDisposable
{
    private readonly Confinement _confinement;
    private readonly FileLock? _held;

    private SourceStore(Confinement confinement, string path, string fromCopy, FileLock? held) =>
        (_confinement, Path, FromCopy, _held) = (confinement, path, fromCopy, held);

    /// <summary>Where the sources are.</summary>
    internal string Path { get; }

    /// <summary>The same, seen from the working copy.</summary>
    internal string FromCopy { get; }

    /// <summary>Takes the sources of a package base for one build. While another build of it has them, this one gets an
    /// empty directory of its own.</summary>
    internal static SourceStore Take(string store, string pkgbase, WorkingCopy copy, Confinement confinement)
    {
        var folder = System.IO.Path.Combine(store, "sources");
        Directory.CreateDirectory(folder);
        var path = System.IO.Path.Combine(folder, pkgbase);
        var alone = FileLock.TryAcquire(path + ".lock");
        var (chosen, fromCopy) = alone is null ? (copy["sources"], "sources") : (path, $"../../sources/{pkgbase}");
        Directory.CreateDirectory(chosen);
        return new SourceStore(confinement, chosen, fromCopy, alone);
    }

    /// <summary>Throws away what was fetched: it did not pass, and would be found again next time.</summary>
    internal Task DiscardAsync(CancellationToken cancellationToken) =>
        _confinement.RemoveAsync(Path, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _held?.Dispose();
        return ValueTask.CompletedTask;
    }
}
