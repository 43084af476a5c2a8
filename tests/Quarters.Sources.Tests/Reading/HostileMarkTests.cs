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
    private readonly Workshop _workshop = new();
    private readonly HostileMarks _marks = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _workshop.Dispose();
        _marks.Dispose();
    }

    [Fact]
    public async Task Without_a_sandbox_every_trick_leaves_a_mark_that_is_seen() => await _marks.ProveAsync();

    [Theory]
    [InlineData(SrcInfoPolicy.Verify)]
    [InlineData(SrcInfoPolicy.Trust)]
    public async Task A_SRCINFO_beside_it_changes_nothing(SrcInfoPolicy policy)
    {
        Write();
        foreach (var trick in HostileMarks.All)
            _workshop.Files.Write(
                $"packages/{trick.Name}/.SRCINFO",
                $"pkgbase = {trick.Name}\n\tpkgver = 1\n\tpkgrel = 1\n\tarch = any\n\npkgname = {trick.Name}\n");
        var intake = new PackageIntake(
            _workshop.Reader, new TreeCache(_workshop.Files["cache"], 1000), _workshop.Archives)
        {
            SrcInfo = policy,
        };

        await PollAsync(intake);

        Assert.Empty(_marks.Found);
    }

    [Fact]
    public async Task What_is_shown_to_a_reviewer_was_not_run_for_it()
    {
        Write();
        var report = await PollAsync(_workshop.Intake);
        var desk = new ReviewDesk(_workshop.Intake, ReviewPolicy.All, _workshop.Files["reviews"]);

        Assert.NotEmpty(await desk.JudgeAsync(report, _ => null, Stop));
        Assert.NotEmpty(await desk.JudgeAsync(
            report, name => report.Changed[0] with { Pkgbase = name, ArchiveSha256 = report.Changed[^1].ArchiveSha256 },
            Stop));

        Assert.Empty(_marks.Found);
    }

    [Fact]
    public async Task The_command_line_parses_it_in_the_sandbox()
    {
        Write();
        var parsed = 0;
        await foreach (var one in new DirectoryParser(_workshop.Reader).ParseAsync(
            [_workshop.Files["packages"]], "core", Stop))
            parsed += one.Problem is null ? 1 : 0;

        Assert.InRange(parsed, 1, HostileMarks.All.Length);
        Assert.Empty(_marks.Found);
    }

    [Fact]
    public async Task Its_pkgver_is_asked_in_the_sandbox()
    {
        var reader = new PkgverReader(_workshop.Files["versions"], TimeProvider.System);
        foreach (var trick in HostileMarks.All)
        {
            var text = _marks.Pkgbuild(trick);
            var pkgver = text.Contains("pkgver()", StringComparison.Ordinal) ? "" : "pkgver() { echo 2; }\n";
            await reader.AskAsync(
                trick.Name, TestTrees.Of(TestTrees.File("PKGBUILD", text + pkgver)), (_, _) => Task.CompletedTask,
                Stop);
        }

        Assert.Empty(_marks.Found);
    }

    private void Write()
    {
        foreach (var trick in HostileMarks.All)
            _workshop.Files.Write($"packages/{trick.Name}/PKGBUILD", _marks.Pkgbuild(trick));
    }

    private Task<SourceReport> PollAsync(PackageIntake intake) => new DirectorySource(
        new DirectorySourceSettings
        {
            Name = "plain",
            Path = _workshop.Files["packages"],
            Repository = "core",
            StateDirectory = _workshop.Files["state"],
        },
        intake).PollAsync(null, Stop);
}
