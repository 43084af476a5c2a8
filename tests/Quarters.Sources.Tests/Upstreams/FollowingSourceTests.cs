using System.Text;
using Quarters.Core.Sources;
using Quarters.Sources.Pkgbuilds;
using Quarters.Sources.Tests.Git;
using Quarters.Sources.Upstreams;

namespace Quarters.Sources.Tests.Upstreams;

/// <summary>Packages whose version only their upstream knows, which is a real git repository behind a real
/// Apache.</summary>
public sealed class FollowingSourceTests : IAsyncLifetime
{
    private readonly Workshop _workshop = new();
    private readonly MovableTime _time = new();
    private GitRepository _upstream = null!;
    private GitHttp _web = null!;
    private string? _cursor;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _upstream = await GitRepository.CreateAsync(_workshop.Files["served/tool.git"]);
        _web = new GitHttp(_workshop.Files["served"]);
        await _web.StartAsync();
        _workshop.Files.Write("packages/plain/PKGBUILD", TestTrees.Text("plain"));
    }

    public async ValueTask DisposeAsync()
    {
        await _web.StopAsync();
        _workshop.Dispose();
    }

    private string Pkgbuild(string source, string pkgver = "cd tool; printf 'r%s.%s' \"$(git rev-list --count HEAD)\" "
        + "\"$(git describe --tags --always | sed s,-,.,g)\"") =>
        TestTrees.Text("tool-git", "r0", more: $$"""
            makedepends=(git)
            source=('notes.txt' '{{source}}')
            sha256sums=(SKIP SKIP)
            provides=("tool=$pkgver")
            pkgver() { {{pkgver}}; }
            """).Replace("pkgrel=1", "pkgrel=7", StringComparison.Ordinal);

    private void Write(string pkgbuild)
    {
        _workshop.Files.Write("packages/tool-git/PKGBUILD", pkgbuild);
        _workshop.Files.Write("packages/tool-git/notes.txt", "notes");
    }

    private FollowingSource Open() => new(
        _workshop.OpenDirectory("Ada <ada@example.org>"),
        new FollowSettings { Interval = TimeSpan.FromHours(1), StateDirectory = _workshop.Files["state"] },
        _workshop.Intake, new PkgverReader(_workshop.Files["versions"], _time), _time);

    private async Task<SourceReport> PollAsync(FollowingSource source)
    {
        var report = await source.PollAsync(_cursor, Stop);
        _cursor = report.Cursor;
        return report;
    }

    private string TextOf(SourcePackage package)
    {
        var file = _workshop.Archives.Find(package.ArchiveSha256)!.Find("PKGBUILD")!.Value;
        return Encoding.UTF8.GetString(file.Content.Span);
    }

    [Fact]
    public async Task A_package_has_the_version_of_its_upstream_and_the_commits_that_it_is_of()
    {
        _upstream.Write("code", "1");
        var first = await _upstream.CommitAsync();
        await _upstream.RunAsync("tag", "v1");
        Write(Pkgbuild($"tool::git+{_web.Url}/tool.git"));
        var source = Open();

        var report = await PollAsync(source);
        Assert.Equal(["plain", "tool-git"], report.Changed.Select(one => one.Pkgbase).Order(StringComparer.Ordinal));
        var package = report.Changed.Single(one => one.Pkgbase == "tool-git");
        Assert.Equal("r1.v1-1", package.Version);
        Assert.Equal(["tool=r1.v1"], package.Packages[0].Provides);
        Assert.Contains(
            $"source[1]='tool::git+{_web.Url}/tool.git#commit={first}'", TextOf(package), StringComparison.Ordinal);

        // Asked again in its time, and by who starts anew with what is remembered.
        _upstream.Write("code", "2");
        var second = await _upstream.CommitAsync();
        Assert.Empty((await PollAsync(source)).Changed);
        _time.Now += TimeSpan.FromHours(1);
        package = Assert.Single((await PollAsync(Open())).Changed);
        Assert.StartsWith("r2.v1.1.g", package.Version, StringComparison.Ordinal);
        Assert.Contains($"#commit={second}'", TextOf(package), StringComparison.Ordinal);
        _time.Now += TimeSpan.FromHours(1);
        Assert.Empty((await PollAsync(source)).Changed);

        // An upstream that is away takes nothing away, and what it has afterwards is found.
        await _web.StopAsync();
        _time.Now += TimeSpan.FromHours(1);
        var away = await PollAsync(source);
        Assert.Equal((0, 0, 0), (away.Changed.Length, away.Unreadable.Length, away.RemovedPaths.Length));
        await _web.StartAsync();
        Write(Pkgbuild($"tool::git+{_web.Url}/tool.git") + "url=https://example.org/\n");
        package = Assert.Single((await PollAsync(source)).Changed);
        Assert.StartsWith("r2.v1.1.g", package.Version, StringComparison.Ordinal);
        Directory.Delete(_workshop.Files["packages/tool-git"], recursive: true);
        Assert.Equal(["tool-git"], (await PollAsync(source)).RemovedPaths);
        Assert.Empty(Directory.EnumerateDirectories(_workshop.Files["state/plain.upstreams"]));
    }

    [Fact]
    public async Task A_branch_is_followed_and_what_is_fixed_is_not()
    {
        _upstream.Write("code", "1");
        await _upstream.CommitAsync();
        await _upstream.RunAsync("tag", "v1");
        await _upstream.RunAsync("checkout", "--quiet", "-b", "next");
        _upstream.Write("code", "2");
        var commit = await _upstream.CommitAsync();
        Write(Pkgbuild($"git+{_web.Url}/tool.git#branch=next"));
        var source = Open();

        var package = (await PollAsync(source)).Changed.Single(one => one.Pkgbase == "tool-git");
        Assert.StartsWith("r2.", package.Version, StringComparison.Ordinal);
        Assert.Contains($"#commit={commit}'", TextOf(package), StringComparison.Ordinal);

        Write(Pkgbuild($"git+{_web.Url}/tool.git#tag=v1"));
        package = Assert.Single((await PollAsync(source)).Changed);
        Assert.Equal("r1.v1-1", package.Version);
        Assert.DoesNotContain("#commit=", TextOf(package), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo sad >&2; false; echo 1", "sad")]
    [InlineData("echo 1-2", "no version")]
    [InlineData("echo '$(touch /tmp/x)'", "no version")]
    [InlineData("cat missing.txt", "A failure occurred in pkgver()")]
    public async Task A_pkgver_that_fails_makes_its_package_unreadable_with_what_it_said(string pkgver, string reason)
    {
        await _upstream.CommitAsync();
        Write(Pkgbuild($"git+{_web.Url}/tool.git", pkgver));

        var report = await PollAsync(Open());

        Assert.Equal(["plain"], report.Changed.Select(one => one.Pkgbase));
        Assert.Contains(reason, Assert.Single(report.Unreadable).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_PKGBUILD_does_not_have_the_disk_of_this_machine_read()
    {
        await _upstream.CommitAsync();
        Write(Pkgbuild($"git+file://{_upstream.Path}"));

        var unreadable = Assert.Single((await PollAsync(Open())).Unreadable);
        Assert.Contains("only https, http and git are", unreadable.Reason, StringComparison.Ordinal);
    }

    private sealed class MovableTime : TimeProvider
    {
        internal DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
