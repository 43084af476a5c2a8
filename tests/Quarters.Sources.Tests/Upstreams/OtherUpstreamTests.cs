using System.Text;
using Quarters.Core.Sources;
using Quarters.Node.Tests;
using Quarters.Sources.Pkgbuilds;
using Quarters.Sources.Tests.Contract;
using Quarters.Sources.Upstreams;

namespace Quarters.Sources.Tests.Upstreams;

/// <summary>Packages whose version only their upstream knows, which is Mercurial's or Subversion's.</summary>
public sealed class OtherUpstreamTests : IDisposable
{
    private readonly Workshop workshop = new();
    private readonly int port = FreePort.Take();
    private string? cursor;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => workshop.Dispose();

    [Fact]
    public async Task A_package_is_followed_to_a_changeset_of_Mercurial()
    {
        var upstream = workshop.Files["upstream"];
        Directory.CreateDirectory(upstream);
        await TestProgram.RunAsync(upstream, "hg", "init");
        async Task<string> CommitAsync(string text)
        {
            await File.WriteAllTextAsync(Path.Combine(upstream, "code"), text, Stop);
            await TestProgram.RunAsync(upstream, "hg", "commit", "-q", "-A", "-m", text, "-u", "Una");
            return (await TestProgram.RunAsync(upstream, "hg", "identify", "--id", "--debug")).Trim();
        }

        var first = await CommitAsync("one");
        await using var server = await TestDaemon.StartAsync(
            port, upstream, "hg", "serve", "--address", "127.0.0.1", "--port", $"{port}");
        Write("tool::hg+http://127.0.0.1:" + port, "hg", "cd tool; printf 'r%s' $(hg identify -n); grep -q . code");
        await FoundAsync("r0-1", $"source[0]='tool::hg+http://127.0.0.1:{port}#revision={first}'");

        await CommitAsync("two");
        var third = await CommitAsync("three");
        await FoundAsync("r2-1", $"#revision={third}'");
        Assert.Empty((await PollAsync()).Changed);

        // What is fixed is asked for its version alone.
        Write($"tool::hg+http://127.0.0.1:{port}#revision={first}", "hg", "cd tool; printf 'r%s' $(hg identify -n)");
        var text = await FoundAsync("r0-1", "");
        Assert.DoesNotContain("source[0]", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_is_followed_to_a_revision_of_Subversion()
    {
        var root = Directory.CreateDirectory(workshop.Files["upstream"]).FullName;
        var repository = Path.Combine(root, "svn");
        await TestProgram.RunAsync(root, "svnadmin", "create", repository);
        await File.WriteAllTextAsync(
            Path.Combine(repository, "conf/svnserve.conf"), "[general]\nanon-access = read\n", Stop);
        var checkout = Path.Combine(root, "checkout");
        await TestProgram.RunAsync(root, "svn", "checkout", "-q", new Uri(repository).AbsoluteUri, checkout);
        async Task CommitAsync(string path, string text)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(checkout, path))!);
            await File.WriteAllTextAsync(Path.Combine(checkout, path), text, Stop);
            await TestProgram.RunAsync(checkout, "svn", "add", "-q", "--force", ".");
            await TestProgram.RunAsync(checkout, "svn", "commit", "-q", "-m", text);
        }

        await CommitAsync("trunk/code", "one");
        await using var server = await TestDaemon.StartAsync(
            port, root, "svnserve", "--daemon", "--foreground", "--root", root, "--listen-host", "127.0.0.1",
            "--listen-port", $"{port}");
        var url = $"svn://127.0.0.1:{port}/svn/trunk";
        Write($"tool::svn+{url}", "subversion", "cd tool; printf 'r%s' $(svnversion -c | sed s/.*://); grep -q . code");
        await FoundAsync("r1-1", $"source[0]='tool::svn+{url}#revision=1'");

        await CommitAsync("other/code", "elsewhere");
        Assert.Empty((await PollAsync()).Changed);
        await CommitAsync("trunk/code", "three");
        await FoundAsync("r3-1", "#revision=3'");

        Write($"tool::svn+{url}#revision=HEAD", "subversion", "echo 1");
        Assert.Contains(
            "is no number", Assert.Single((await PollAsync()).Unreadable).Reason, StringComparison.Ordinal);
    }

    private void Write(string source, string program, string pkgver) => workshop.Files.Write(
        "packages/tool/PKGBUILD", TestTrees.Text("tool", "r", more: $$"""
            makedepends=({{program}})
            source=('{{source}}')
            sha256sums=(SKIP)
            pkgver() { {{pkgver}}; }
            """));

    private async Task<string> FoundAsync(string version, string line)
    {
        var report = await PollAsync();
        Assert.Empty(report.Unreadable);
        var package = Assert.Single(report.Changed);
        Assert.Equal(version, package.Version);
        var file = workshop.Archives.Find(package.ArchiveSha256)!.Find("PKGBUILD")!.Value;
        var text = Encoding.UTF8.GetString(file.Content.Span);
        Assert.Contains(line, text, StringComparison.Ordinal);
        return text;
    }

    private async Task<SourceReport> PollAsync()
    {
        var source = new FollowingSource(
            workshop.OpenDirectory("Ada <ada@example.org>"),
            new FollowSettings { Interval = TimeSpan.Zero, StateDirectory = workshop.Files["state"] },
            workshop.Intake, new PkgverReader(workshop.Files["versions"], TimeProvider.System), TimeProvider.System);
        var report = await source.PollAsync(cursor, Stop);
        cursor = report.Cursor;
        return report;
    }
}
