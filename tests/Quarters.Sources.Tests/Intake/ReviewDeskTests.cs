using Quarters.Core.Sources;
using Quarters.Sources.Directories;
using Quarters.Sources.Intake;

namespace Quarters.Sources.Tests.Intake;

public sealed class ReviewDeskTests : IDisposable
{
    private readonly Workshop _workshop = new();
    private readonly Dictionary<string, SourcePackage> _accepted = new(StringComparer.Ordinal);
    private string? _cursor;

    public void Dispose() => _workshop.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private void Write(string file, string text) => _workshop.Files.Write("packages/tool/" + file, text);

    private async Task<(string Findings, string Diff)> PollAsync(ReviewPolicy policy, string source = "plain")
    {
        var settings = new DirectorySourceSettings
        {
            Name = source,
            Path = _workshop.Files["packages"],
            Repository = "core",
            StateDirectory = _workshop.Files["state"],
        };
        var report = await new DirectorySource(settings, _workshop.Intake).PollAsync(_cursor, Stop);
        _cursor = report.Cursor;
        var desk = new ReviewDesk(_workshop.Intake, policy, _workshop.Files["reviews"]);
        var needed = await desk.JudgeAsync(report, name => _accepted.GetValueOrDefault(name), Stop);
        if (needed.IsEmpty)
        {
            foreach (var package in report.Changed)
                _accepted[package.Pkgbase] = package;
        }

        Assert.Empty(Directory.GetDirectories(_workshop.Files["reviews"]));
        return needed is [var one] ? (string.Join("; ", one.Findings), one.Diff) : ("", "");
    }

    [Fact]
    public async Task A_change_is_shown_as_it_is_and_a_mere_version_passes()
    {
        Directory.CreateDirectory(_workshop.Files["reviews"]);
        Write("PKGBUILD", TestTrees.Text("tool"));
        Assert.Equal("", (await PollAsync(ReviewPolicy.Changes)).Findings);
        Write("PKGBUILD", TestTrees.Text("tool", "2"));
        Assert.Equal("", (await PollAsync(ReviewPolicy.Changes)).Findings);

        Write("PKGBUILD", TestTrees.Text("tool", "3", "package() { cat \u202E\u001B[2J; }"));
        Write("new", "file\n");
        var (findings, diff) = await PollAsync(ReviewPolicy.Changes);

        Assert.Equal("the PKGBUILD changed in more than version and checksums; the file new is new", findings);
        Assert.Contains("-pkgver=2\n+pkgver=3\n", diff, StringComparison.Ordinal);
        Assert.Contains("+package() { cat \uFFFD\uFFFD[2J; }\n", diff, StringComparison.Ordinal);
        Assert.Contains("+++ b/new\n@@ -0,0 +1 @@\n+file\n", diff, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_new_or_comes_from_another_source_is_shown_whole_but_not_without_end()
    {
        Directory.CreateDirectory(_workshop.Files["reviews"]);
        Write("PKGBUILD", TestTrees.Text("tool"));
        await PollAsync(ReviewPolicy.Off);
        Write("long", string.Concat(Enumerable.Repeat("0123456789\n", 100_000)));

        var (findings, diff) = await PollAsync(ReviewPolicy.All, "another");

        Assert.Equal("it is new here", findings);
        Assert.Contains("+pkgname=tool\n", diff, StringComparison.Ordinal);
        Assert.InRange(diff.Length, ReviewDesk.MaxDiffLength, ReviewDesk.MaxDiffLength + 100);
        Assert.EndsWith("the rest)\n", diff, StringComparison.Ordinal);
    }
}
