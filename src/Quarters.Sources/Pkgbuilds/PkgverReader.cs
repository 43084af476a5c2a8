using System.Globalization;
using Quarters.Core.Sources;

namespace Quarters.Sources.Pkgbuilds;

/// <summary>What <c>pkgver()</c> said: exactly one of the two is not null.</summary>
internal sealed record PkgverAnswer(string? Version, string? Problem);

/// <summary>
/// Asks a PKGBUILD's <c>pkgver()</c> for the version of the sources that are there, in the sandbox in which PKGBUILDs
/// are read: it sees them, and can neither change them nor reach a network.
/// </summary>
public sealed class PkgverReader
{
    /// <summary>Counts for the whole process, as that of <see cref="PkgbuildReader"/> does.</summary>
    private static int _runs;

    private readonly PkgbuildReaderSettings _settings;
    private readonly ReadingSandbox _sandbox;

    /// <summary>Makes a reader. It may share the work directory with a <see cref="PkgbuildReader"/>, which deletes what
    /// one that was killed left there.</summary>
    public PkgverReader(string workDirectory, TimeProvider time)
    {
        // Repositories are larger than PKGBUILDs, and git maps all of one.
        _settings = new PkgbuildReaderSettings
        {
            WorkDirectory = workDirectory,
            CpuTime = TimeSpan.FromMinutes(1),
            WallTime = TimeSpan.FromMinutes(2),
            MaxProcessMemoryBytes = 8L << 30,
        };
        _sandbox = new ReadingSandbox(_settings, time);
    }

    /// <summary>Asks.</summary>
    /// <param name="name">The name of the package's directory.</param>
    /// <param name="tree">The package.</param>
    /// <param name="sources">Puts its sources into a directory.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ReadingSandboxException">The sandbox could not be set up.</exception>
    internal async Task<PkgverAnswer> AskAsync(
        string name, SourceTree tree, Func<string, CancellationToken, Task> sources,
        CancellationToken cancellationToken)
    {
        var run = Interlocked.Increment(ref _runs).ToString(CultureInfo.InvariantCulture);
        var directory = Path.Combine(
            _settings.WorkDirectory, $"{PkgbuildReader.RunPrefix}{Environment.ProcessId}-version-{run}");
        try
        {
            var (shell, trees) = (Path.Combine(directory, "shell"), Path.Combine(directory, "trees"));
            var place = PkgbuildReader.PlaceOf(name);
            var package = Path.Combine(trees, place);
            Directory.CreateDirectory(trees);
            ReadingSandbox.StageShell(shell);
            if (tree.Entries.Any(entry => entry.Path.Split('/')[0] == "src"))
                return new PkgverAnswer(null, "It has files in src/, where makepkg puts its sources.");
            ReadingSandbox.Stage(tree, package);
            var target = Directory.CreateDirectory(Path.Combine(package, "src")).FullName;
            foreach (var entry in tree.Entries.Where(entry => !entry.Path.Contains('/', StringComparison.Ordinal)))
                File.CreateSymbolicLink(Path.Combine(target, entry.Path), "../" + entry.Path);
            await sources(target, cancellationToken);
            using var standing = _sandbox.Start(shell, trees, ReadingSandbox.AskVersion);
            var answer = await standing.ReadAsync([place], cancellationToken);
            return answer.Frames is [{ Status: 0 } frame] && PkgbuildFacts.Parse(frame.Facts.Span) is { } facts
                ? new PkgverAnswer(facts.Text("pkgver"), null)
                : new PkgverAnswer(null, new ReadingVerdict(_settings).Of(answer, place).Problem);
        }
        finally
        {
            if (Directory.Exists(directory))
                Directory.Delete(directory, recursive: true);
        }
    }
}
