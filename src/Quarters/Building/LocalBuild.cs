using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Quarters.Builder.Fetching;
using Quarters.Chroots;
using Quarters.Chroots.Builds;
using Quarters.Chroots.Repositories;
using Quarters.Core.Documents;
using Quarters.Core.Sources;
using Quarters.Linux.Files;
using Quarters.Node;
using Quarters.Reading;
using Quarters.Sources.Directories;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Building;

/// <summary>One PKGBUILD, built here and now in a clean chroot.</summary>
internal sealed class LocalBuild(BuildWish wish, InvocationConfiguration console, TimeProvider time)
{
    private const int LastLinesShown = 20;

    /// <summary>As makepkg reads <c>PACKAGER</c>: the environment wins over every other source.</summary>
    private const string PackagerVariable = "PACKAGER";

    private readonly string _architecture = ArchitectureOfHost();
    private readonly Caches _caches = new();

    /// <summary>Builds.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="MistakeException">It could not be tried.</exception>
    internal async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var start = time.GetUtcNow().UtcDateTime - Process.GetCurrentProcess().StartTime.ToUniversalTime();
        var begun = time.GetTimestamp();
        using var network = new Network(time);
        var repositories = new LocalRepositories(_caches, network, _architecture, console.Error, time);
        // Side by side: reading waits for bash, pinning for the disk or the network, and git for itself.
        var reading = ReadAsync(cancellationToken);
        var pinning = repositories.PinAsync(wish.Repositories, wish.Directory, cancellationToken);
        var asking = GitStory.FindAsync(wish.Directory, cancellationToken);
        await Task.WhenAll(reading, pinning, asking);
        var (source, story) = (await reading, await asking);
        var readFor = time.GetElapsedTime(begun);

        var architecture = source.Architectures.Contains("any") ? "any" : _architecture;
        var name = $"{source.Pkgbase}-{source.Version}-{architecture}";
        var log = Path.Combine(wish.Output, name + ".log");
        Directory.CreateDirectory(wish.Output);
        var request = Request(source, story, await pinning, new PackageFetch(network.DownloadAsync));
        var store = new ChrootStore(new ChrootOptions
        {
            Directory = _caches.Chroots,
            SourceDirectories = wish.Sources,
            Time = time,
        });
        await store.CleanAsync(cancellationToken);
        var outcome = await BuildAsync(store, request, $"{source.Pkgbase} {source.Version}", log, cancellationToken);
        var elapsed = start + time.GetElapsedTime(begun);
        var overhead = new Overhead(
            start.TotalSeconds, readFor.TotalSeconds, (elapsed - start - readFor - outcome.Costs.Makepkg).TotalSeconds);
        var report = Report(source, request, outcome, log, name, elapsed, overhead);
        Tell(report);
        if (outcome is BuildOutcome.Failed { Kept: { } kept })
            await LookInsideAsync(store, kept, cancellationToken);
        return outcome is BuildOutcome.Built ? ExitCode.Done : ExitCode.Failed;
    }

    private async Task<SourcePackage> ReadAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(wish.Directory, "PKGBUILD")))
            throw new MistakeException(
                $"{wish.Directory} holds no PKGBUILD; name the directory that does: quarters build DIR");
        var reader = new PkgbuildReader(new PkgbuildReaderSettings { WorkDirectory = _caches.Reading }, time);
        var parsed = await new DirectoryParser(reader) { WithArchive = false }
            .ParseAsync([wish.Directory], "", cancellationToken).SingleAsync(cancellationToken);
        if (parsed.Package is not { } source)
            throw new MistakeException($"{Path.Combine(wish.Directory, "PKGBUILD")} cannot be read:\n{parsed.Problem}");
        return source.Architectures.Contains("any") || source.Architectures.Contains(_architecture)
            ? source
            : throw new MistakeException(
                $"{source.Pkgbase} is for {string.Join(", ", source.Architectures)}, "
                + $"but this machine is {_architecture}");
    }

    private BuildRequest Request(SourcePackage source, GitStory? story, RepositorySnapshot snapshot, PackageFetch fetch)
    {
        var packager = Environment.GetEnvironmentVariable(PackagerVariable) is { Length: > 0 } given ? given : null;
        return new BuildRequest
        {
            SourceDirectory = wish.Directory,
            Pkgbase = source.Pkgbase,
            Dependencies = (wish.NoCheck ? WithoutChecks(source) : source).DependenciesOn(_architecture),
            Packager = packager ?? story?.Packager ?? source.Packager,
            SourceDate = story?.Time ?? source.Origin.Time,
            Snapshot = snapshot,
            BasePackages = wish.Base,
            Fetch = fetch.FetchAsync,
            Limits = wish.Limits,
            MakepkgArguments = wish.NoCheck ? ["--nocheck"] : [],
            OutputDirectory = wish.Output,
            KeepFailed = wish.Keep || wish.Shell,
        };
    }

    private static SourcePackage WithoutChecks(SourcePackage source) => source with
    {
        Dependencies = source.Dependencies with { Checkdepends = [] },
        DependenciesByArchitecture = source.DependenciesByArchitecture.ToImmutableSortedDictionary(
            one => one.Key, one => one.Value with { Checkdepends = [] }, StringComparer.Ordinal),
    };

    private async Task<BuildOutcome> BuildAsync(
        ChrootStore store, BuildRequest request, string title, string log, CancellationToken cancellationToken)
    {
        var live = !Console.IsErrorRedirected && !wish.Verbose;
        using var file = new LiveLog(log, LiveLog.DefaultBytesLimit);
        await using var progress = new BuildProgress(console.Error, title, live, time);
        // The log goes to the terminal as the bytes that it is: makepkg's words are in the user's language.
        await using var screen = wish.Verbose ? Console.OpenStandardError() : Stream.Null;
        return await store.BuildAsync(
            request with
            {
                OnPhase = progress.Enter,
                Log = bytes =>
                {
                    file.Append(bytes);
                    screen.Write(bytes);
                },
            },
            cancellationToken);
    }

    private BuildReport Report(
        SourcePackage source,
        BuildRequest request,
        BuildOutcome outcome,
        string log,
        string name,
        TimeSpan elapsed,
        Overhead overhead)
    {
        string? buildInfo = null;
        if (outcome is BuildOutcome.Built built)
        {
            buildInfo = Path.Combine(wish.Output, name + ".BUILDINFO");
            DurableFile.Replace(LinuxDisk.Instance, buildInfo, Encoding.UTF8.GetBytes(built.BuildInfo));
        }

        return new BuildReport
        {
            Outcome = outcome is BuildOutcome.Built ? ResultOutcome.Built : ResultOutcome.Failed,
            Pkgbase = source.Pkgbase,
            Version = source.Version,
            Architecture = _architecture,
            Failure = (outcome as BuildOutcome.Failed)?.Failure,
            Packages = outcome is BuildOutcome.Built { Packages: var packages }
                ? [.. packages.Select(package => new ReportedPackage(package.Path, package.Bytes, package.Sha256))]
                : [],
            Log = log,
            BuildInfo = buildInfo,
            Kept = wish.Keep ? (outcome as BuildOutcome.Failed)?.Kept : null,
            Packager = request.Packager,
            SourceDateEpoch = request.SourceDate.ToUnixTimeSeconds(),
            Phases = outcome.Costs.Phases,
            TotalSeconds = elapsed.TotalSeconds,
            MakepkgSeconds = outcome.Costs.Makepkg.TotalSeconds,
            OverheadSeconds = (elapsed - outcome.Costs.Makepkg).TotalSeconds,
            Overhead = overhead,
        };
    }

    private void Tell(BuildReport report)
    {
        if (wish.Json)
        {
            console.Output.WriteLine(JsonSerializer.Serialize(report, BuildReportJson.Default.BuildReport));
            return;
        }

        foreach (var package in report.Packages)
            console.Output.WriteLine(package.Path);
        if (report.Failure is not { } failure)
            return;
        // With --verbose they have just been shown.
        if (!wish.Verbose)
        {
            foreach (var line in failure.LastLines.TakeLast(LastLinesShown))
                console.Error.WriteLine("  " + Terminal.Printable(line));
        }

        console.Error.WriteLine(
            $"quarters: {report.Pkgbase} {report.Version} failed at {failure.Stage}: "
            + Terminal.Printable(failure.Message));
        console.Error.WriteLine($"The whole log: {report.Log}");
        if (report.Kept is not null)
            console.Error.WriteLine($"Its chroot: {report.Kept}");
    }

    private async Task LookInsideAsync(ChrootStore store, string kept, CancellationToken cancellationToken)
    {
        if (wish.Shell)
        {
            await console.Error.WriteLineAsync(
                "This is the chroot as the build left it; the sources are in /build. Leave it with exit.");
            await store.OpenShellAsync(kept, cancellationToken);
        }

        if (!wish.Keep)
            await store.RemoveKeptAsync(kept, cancellationToken);
    }

    private static string ArchitectureOfHost() => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "x86_64",
        Architecture.Arm64 => "aarch64",
        Architecture.RiscV64 => "riscv64",
        Architecture.X86 => "i686",
        Architecture.Arm or Architecture.Armv6 => "armv7h",
        Architecture.LoongArch64 => "loong64",
        var other => other.ToString().ToLowerInvariant(),
    };
}
