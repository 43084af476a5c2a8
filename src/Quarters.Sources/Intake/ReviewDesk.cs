using System.Collections.Immutable;
using System.Globalization;
using Quarters.Core.Master;
using Quarters.Core.Sources;
using Quarters.Linux.Processes;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Sources.Intake;

/// <summary>Looks at the changes of a source before they are built, and finds those that a person should see.</summary>
/// <param name="intake">Has the files, old and new.</param>
/// <param name="policy">What is reviewed.</param>
/// <param name="workDirectory">Where trees lie while they are compared. Everything in it may be deleted.</param>
public sealed class ReviewDesk(PackageIntake intake, ReviewPolicy policy, string workDirectory)
{
    /// <summary>So much of a difference is shown: who changes more than that is to be looked at with other
    /// tools.</summary>
    public const int MaxDiffLength = 32 << 10;

    private const int MaxDiffBytes = 8 << 20;
    private const string Cut = "\n… (cut here; the source package has the rest)\n";

    private static readonly TimeSpan DiffTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The changes of a report that wait until an operator accepts them.</summary>
    /// <param name="report">What a poll found.</param>
    /// <param name="accepted">Gives what the master builds now of a package base; null where it builds nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="IOException">This machine's disk or tools failed.</exception>
    public async Task<ImmutableArray<NeededReview>> JudgeAsync(
        SourceReport report, Func<string, SourcePackage?> accepted, CancellationToken cancellationToken)
    {
        var needed = ImmutableArray.CreateBuilder<NeededReview>();
        if (policy == ReviewPolicy.Off)
            return [];
        foreach (var package in report.Changed)
        {
            // What another source gave is no measure for this one.
            var before = accepted(package.Pkgbase) is { } known && known.Origin.Source == report.Source ? known : null;
            if (before?.ArchiveSha256 == package.ArchiveSha256)
                continue;
            var now = await intake.ReadAgainAsync(package, cancellationToken)
                ?? throw new IOException($"The archive of {package.Pkgbase}, which was just stored, is not there.");
            var old = before is null ? null : await intake.ReadAgainAsync(before, cancellationToken);
            var findings = ChangeReview.Findings(
                old, now, before is not null && old is null ? ReviewPolicy.All : policy);
            if (!findings.IsEmpty)
                needed.Add(new NeededReview(
                    package.Origin.Path, findings, await DiffAsync(old?.Tree, now.Tree, cancellationToken)));
        }

        return needed.ToImmutable();
    }

    /// <summary>How two trees differ, as git shows it, in printable characters.</summary>
    private async Task<string> DiffAsync(SourceTree? before, SourceTree now, CancellationToken cancellationToken)
    {
        var directory = Path.Combine(workDirectory, Guid.NewGuid().ToString("N"));
        try
        {
            Directory.CreateDirectory(directory);
            if (before is not null)
                ReadingSandbox.Stage(before, Path.Combine(directory, "a"));
            else
                Directory.CreateDirectory(Path.Combine(directory, "a"));
            ReadingSandbox.Stage(now, Path.Combine(directory, "b"));
            var result = await ProcessRunner.RunAsync(
                new ProcessSpec
                {
                    FileName = "git",
                    Arguments =
                    [
                        "diff", "--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-prefix",
                        "--no-renames", "a", "b",
                    ],
                    WorkingDirectory = directory,
                    // Neither the user's settings nor the system's: what is shown is what differs.
                    Environment = new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        ["PATH"] = "/usr/bin:/bin",
                        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
                        ["GIT_CONFIG_NOSYSTEM"] = "1",
                        ["GIT_CEILING_DIRECTORIES"] = directory,
                        ["LC_ALL"] = "C.UTF-8",
                    },
                    Timeout = DiffTimeout,
                    MaxOutputBytes = MaxDiffBytes,
                    KeepOutputBytes = MaxDiffLength * 4,
                },
                cancellationToken);
            // 1 says that they differ.
            if (result is { ExitCode: > 1, TimedOut: false, OutputExceeded: false })
                throw new IOException($"git diff {result.Ending}: {LastWords.Of(result)}");
            return Printable(result.StandardOutput);
        }
        finally
        {
            if (Directory.Exists(directory))
                Directory.Delete(directory, recursive: true);
        }
    }

    private static string Printable(string text)
    {
        // What cannot be seen, or turns the direction of writing, would show another change than there is.
        var shown = new string([.. text.Take(MaxDiffLength).Select(character => character is '\n' or '\t'
            || char.GetUnicodeCategory(character) is not (UnicodeCategory.Control or UnicodeCategory.Format)
                ? character : '\uFFFD')]);
        return text.Length > MaxDiffLength ? shown + Cut : shown;
    }
}
