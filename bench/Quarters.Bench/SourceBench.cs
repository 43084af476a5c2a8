using System.Diagnostics;
using System.Globalization;
using Quarters.Linux.Files;
using Quarters.Sources;
using Quarters.Sources.Git;
using Quarters.Sources.Intake;
using Quarters.Sources.Pkgbuilds;
using Quarters.Sources.Svn;
using Quarters.Sources.Versioned;

namespace Quarters.Bench;

/// <summary>Polls a source as a master does, whenever a line comes on standard input.</summary>
internal static class SourceBench
{
    internal static async Task PollAsync(string kind, string url, string folder)
    {
        var reading = new PkgbuildReaderSettings
        {
            WorkDirectory = Path.Combine(folder, "reading"),
            Waiting = TimeSpan.FromHours(1),
        };
        var intake = new PackageIntake(
            new PkgbuildReader(reading, TimeProvider.System),
            new TreeCache(Path.Combine(folder, "trees"), 100_000),
            new ArchiveStore(Path.Combine(folder, "archives"), LinuxDisk.Instance));
        ISource source = kind == "svn"
            ? new SvnSource(
                new SvnSourceSettings
                {
                    Name = "bench",
                    Url = url,
                    Layout = new PackageLayout { Picks = ["trunk"] },
                    Repository = "core",
                    StateDirectory = folder,
                },
                intake)
            : new GitSource(
                new GitSourceSettings { Name = "bench", Url = url, Repository = "core", StateDirectory = folder },
                intake);
        string? cursor = null;
        do
        {
            var watch = Stopwatch.StartNew();
            var report = await source.PollAsync(cursor, CancellationToken.None);
            cursor = report.Cursor;
            var milliseconds = watch.Elapsed.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);
            Console.WriteLine($"{milliseconds} {report.Parsed} {report.Changed.Length} {report.Total}");
        }
        while (await Console.In.ReadLineAsync() is not null);
    }
}
