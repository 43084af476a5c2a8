using System.Text;
using Quarters.Core.Sources;
using Quarters.Node.Tests;
using Quarters.Sources.Pkgbuilds;
using Quarters.Sources.Tests.Contract;
using Quarters.Sources.Upstreams;

namespace Quarters.Sources.Tests.Upstreams;

/// <summary>Packages whose version only their upstream knows, which is not of git.</summary>
public sealed class OtherUpstreamTests : IDisposable
{
    private readonly Workshop _workshop = new();
    private readonly int _port = FreePort.Take();
    private string? _cursor;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public async Task A_package_is_followed_to_a_changeset_of_Mercurial()
    {
        var upstream = _workshop.Files["upstream"];
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
            _port, upstream, "hg", "serve", "--address", "127.0.0.1", "--port", $"{_port}");
        Write("tool::hg+http://127.0.0.1:" + _port, "hg", "cd tool; printf 'r%s' $(hg identify -n); grep -q . code");
        await FoundAsync("r0-1", $"source[0]='tool::hg+http://127.0.0.1:{_port}#revision={first}'");

        await CommitAsync("two");
        var third = await CommitAsync("three");
        await FoundAsync("r2-1", $"#revision={third}'");
        Assert.Empty((await PollAsync()).Changed);

        // What is fixed is asked for its version alone.
        Write($"tool::hg+http://127.0.0.1:{_port}#revision={first}", "hg", "cd tool; printf 'r%s' $(hg identify -n)");
        var text = await FoundAsync("r0-1", "");
        Assert.DoesNotContain("source[0]", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_is_followed_to_a_revision_of_Subversion()
    {
        var root = Directory.CreateDirectory(_workshop.Files["upstream"]).FullName;
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
            _port, root, "svnserve", "--daemon", "--foreground", "--root", root, "--listen-host", "127.0.0.1",
            "--listen-port", $"{_port}");
        var url = $"svn://127.0.0.1:{_port}/svn/trunk";
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

    [Fact]
    public async Task A_package_is_followed_to_a_revision_of_Bazaar()
    {
        var upstream = Directory.CreateDirectory(_workshop.Files["upstream"]).FullName;
        await TestProgram.RunAsync(upstream, "brz", "init", "-q", "tool");
        var tool = Path.Combine(upstream, "tool");
        await TestProgram.RunAsync(tool, "brz", "whoami", "--branch", "Una <una@example.org>");
        async Task<string> CommitAsync(string text)
        {
            await File.WriteAllTextAsync(Path.Combine(tool, "code"), text, Stop);
            await TestProgram.RunAsync(tool, "brz", "add", "-q");
            await TestProgram.RunAsync(tool, "brz", "commit", "-q", "-m", text);
            return (await TestProgram.RunAsync(tool, "brz", "revision-info")).Trim().Split(' ')[1];
        }

        var first = await CommitAsync("one");
        await using var server = await TestDaemon.StartAsync(
            _port, upstream, "brz", "serve", "--listen", "127.0.0.1", "--port", $"{_port}",
            "--directory", upstream);
        var url = $"bzr://127.0.0.1:{_port}/tool";
        Write(
            $"tool::bzr+{url}", "breezy", "cd tool; read -r n _ < .bzr/branch/last-revision; grep -q . code; echo r$n");
        await FoundAsync("r1-1", $"source[0]='tool::bzr+{url}#revision=revid:{first}'");

        await CommitAsync("two");
        var third = await CommitAsync("three");
        await FoundAsync("r3-1", $"#revision=revid:{third}'");
        Assert.Empty((await PollAsync()).Changed);
    }

    [Fact]
    public async Task A_package_is_followed_to_a_check_in_of_Fossil()
    {
        var upstream = Directory.CreateDirectory(_workshop.Files["upstream"]).FullName;
        Task<string> FossilAsync(string directory, params string[] arguments) => TestProgram.RunAsync(
            directory, ["env", "FOSSIL_HOME=" + upstream, "FOSSIL_USER=una", "USER=una", "fossil", .. arguments]);
        await FossilAsync(upstream, "init", "--admin-user", "una", "tool.fossil");
        await FossilAsync(upstream, "open", "tool.fossil", "--workdir", "work");
        var work = Path.Combine(upstream, "work");
        async Task<string> CommitAsync(string text)
        {
            await File.WriteAllTextAsync(Path.Combine(work, "code"), text, Stop);
            await FossilAsync(work, "addremove");
            await FossilAsync(work, "commit", "--no-warnings", "-m", text);
            var info = await FossilAsync(work, "info", "tip");
            return info.Split('\n').First(line => line.StartsWith("hash:", StringComparison.Ordinal))[5..].Trim()
                .Split(' ')[0];
        }

        var first = await CommitAsync("one");
        await using var server = await TestDaemon.StartAsync(
            _port, upstream, "env", "FOSSIL_HOME=" + upstream, "USER=una", "fossil", "server", "tool.fossil",
            "--localhost", "--port", $"{_port}");
        var url = $"http://127.0.0.1:{_port}/";
        Write($"tool::fossil+{url}", "fossil", "cd tool; printf 'r%s' $(wc -c < code)");
        await FoundAsync("r3-1", $"source[0]='tool::fossil+{url}#commit={first}'");

        await CommitAsync("four");
        var third = await CommitAsync("fives");
        await FoundAsync("r5-1", $"#commit={third}'");
        Assert.Empty((await PollAsync()).Changed);

        // As packages of Fossil's do, with the repository that lies beside the checkout; under a name that means
        // something to SQL.
        Write(
            $@"it'\''s::fossil+{url}", "fossil",
            "cd \"it's\"; printf 'r%s' $(fossil info | sed -n 's/^check-ins: *//p')");
        await FoundAsync("r4-1", $"#commit={third}'");
    }

    private void Write(string source, string program, string pkgver) => _workshop.Files.Write(
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
        var file = _workshop.Archives.Find(package.ArchiveSha256)!.Find("PKGBUILD")!.Value;
        var text = Encoding.UTF8.GetString(file.Content.Span);
        Assert.Contains(line, text, StringComparison.Ordinal);
        return text;
    }

    private async Task<SourceReport> PollAsync()
    {
        var source = new FollowingSource(
            _workshop.OpenDirectory("Ada <ada@example.org>"),
            new FollowSettings { Interval = TimeSpan.Zero, StateDirectory = _workshop.Files["state"] },
            _workshop.Intake, new PkgverReader(_workshop.Files["versions"], TimeProvider.System), TimeProvider.System);
        var report = await source.PollAsync(_cursor, Stop);
        _cursor = report.Cursor;
        return report;
    }
}
