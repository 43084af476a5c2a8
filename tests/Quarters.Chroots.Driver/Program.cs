using Quarters.Chroots;
using Quarters.Chroots.Builds;
using Quarters.Chroots.Repositories;

// driver STORE REPOSITORY SOURCE OUT [DEPENDENCY…]: cleans the store and builds one directory; the log goes to standard
// output; exit code 0 built, 1 failed. The first line written to standard error after that says how it ended.
var (store, repository, source, output) = (args[0], args[1], args[2], args[3]);
var chroots = new ChrootStore(new ChrootOptions { Directory = store, Time = TimeProvider.System });
await chroots.CleanAsync(CancellationToken.None);
var snapshot = RepositorySnapshot.Pin(
    "x86_64",
    [new PinnedRepository
    {
        Name = "core",
        DatabasePath = Path.Combine(repository, "core.db"),
        Servers = ["file://" + repository],
    }]);
using var stdout = Console.OpenStandardOutput();
var outcome = await chroots.BuildAsync(
    new BuildRequest
    {
        SourceDirectory = source,
        Pkgbase = Path.GetFileName(source),
        Dependencies = [.. args[4..]],
        Packager = "Jane Dev <jane@example.org>",
        SourceDate = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000),
        Snapshot = snapshot,
        Fetch = (_, _, _) => throw new IOException("This test has no network."),
        OutputDirectory = output,
        Log = bytes =>
        {
            stdout.Write(bytes);
            stdout.Flush();
        },
    },
    CancellationToken.None);
var costs = string.Join(", ", outcome.Costs.Phases.Select(
    phase => $"{phase.Phase} {phase.ElapsedSeconds:0.000} s/{phase.CpuSeconds:0.000} s/"
        + $"{phase.PeakMemoryBytes >> 20} MiB"));
var overhead = outcome.Costs.Total - outcome.Costs.Makepkg;
Console.Error.WriteLine(outcome switch
{
    BuildOutcome.Built built => $"built {built.Packages[0].Sha256}",
    BuildOutcome.Failed failed => $"failed {failed.Failure.Stage} {failed.Failure.Kind} {failed.Failure.Message}",
    _ => "neither built nor failed",
});
Console.Error.WriteLine(
    $"{costs}; overhead {overhead.TotalSeconds:0.000} s of {outcome.Costs.Total.TotalSeconds:0.000} s");
return outcome is BuildOutcome.Built ? 0 : 1;
