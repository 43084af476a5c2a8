using Quarters.Core.Sources;
using Quarters.Sources.Directories;
using Quarters.Sources.Intake;
using Quarters.Sources.Pkgbuilds;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Reading;

/// <summary>Every way on which a PKGBUILD is looked at, but for the kinds of sources, of which their contract says the
/// same: none of its code runs outside the sandbox.</summary>
public sealed class HostileMarkTests : IDisposable
{
    private readonly Workshop workshop = new();
    private readonly HostileMarks marks = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        workshop.Dispose();
        marks.Dispose();
    }

    [Fact]
    public async Task Without_a_sandbox_every_trick_leaves_a_mark_that_is_seen() => await marks.ProveAsync();

    [Theory]
    [InlineData(SrcInfoPolicy.Verify)]
    [InlineData(SrcInfoPolicy.Trust)]
    public async Task A_SRCINFO_beside_it_changes_nothing(SrcInfoPolicy policy)
    {
        Write();
        foreach (var trick in HostileMarks.All)
            workshop.Files.Write(
                $"packages/{trick.Name}/.SRCINFO",
                $"pkgbase = {trick.Name}\n\tpkgver = 1\n\tpkgrel = 1\n\tarch = any\n\npkgname = {trick.Name}\n");
        var intake = new PackageIntake(
            workshop.Reader, new TreeCache(workshop.Files["cache"], 1000), workshop.Archives)
        {
            SrcInfo = policy,
        };

        await PollAsync(intake);

        Assert.Empty(marks.Found);
    }

    [Fact]
    public async Task What_is_shown_to_a_reviewer_was_not_run_for_it()
    {
        Write();
        var report = await PollAsync(workshop.Intake);
        var desk = new ReviewDesk(workshop.Intake, ReviewPolicy.All, workshop.Files["reviews"]);

        Assert.NotEmpty(await desk.JudgeAsync(report, _ => null, Stop));
        Assert.NotEmpty(await desk.JudgeAsync(
            report, name => report.Changed[0] with { Pkgbase = name, ArchiveSha256 = report.Changed[^1].ArchiveSha256 },
            Stop));

        Assert.Empty(marks.Found);
    }

    [Fact]
    public async Task The_command_line_parses_it_in_the_sandbox()
    {
        Write();
        var parsed = 0;
        await foreach (var one in new DirectoryParser(workshop.Reader).ParseAsync(
            [workshop.Files["packages"]], "core", Stop))
            parsed += one.Problem is null ? 1 : 0;

        Assert.InRange(parsed, 1, HostileMarks.All.Length);
        Assert.Empty(marks.Found);
    }

    [Fact]
    public async Task Its_pkgver_is_asked_in_the_sandbox()
    {
        var reader = new PkgverReader(workshop.Files["versions"], TimeProvider.System);
        foreach (var trick in HostileMarks.All)
        {
            var text = marks.Pkgbuild(trick);
            var pkgver = text.Contains("pkgver()", StringComparison.Ordinal) ? "" : "pkgver() { echo 2; }\n";
            await reader.AskAsync(
                trick.Name, TestTrees.Of(TestTrees.File("PKGBUILD", text + pkgver)), (_, _) => Task.CompletedTask,
                Stop);
        }

        Assert.Empty(marks.Found);
    }

    private void Write()
    {
        foreach (var trick in HostileMarks.All)
            workshop.Files.Write($"packages/{trick.Name}/PKGBUILD", marks.Pkgbuild(trick));
    }

    private Task<SourceReport> PollAsync(PackageIntake intake) => new DirectorySource(
        new DirectorySourceSettings
        {
            Name = "plain",
            Path = workshop.Files["packages"],
            Repository = "core",
            StateDirectory = workshop.Files["state"],
        },
        intake).PollAsync(null, Stop);
}
