using System.Diagnostics;
using System.Net.Sockets;
using Quarters.Linux.Processes;
using Quarters.Node.Tests;

namespace Quarters.EndToEnd;

/// <summary>A package whose version only its upstream knows, which is a git repository behind a real git
/// daemon.</summary>
public sealed class UpstreamTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_package_with_pkgver_is_built_and_published_at_the_version_that_its_upstream_has()
    {
        await using var farm = await RunningFarm.CreateAsync(sources: """
            [[source]]
            name = "moving"
            kind = "directory"
            path = "moving"
            poll = "1 s"
            upstream-poll = "1 d"
            """);
        farm.Write("plain", "1.0", "");
        await farm.CommitAsync("a package");
        var upstream = Path.Combine(farm.Folder, "served", "tool");
        Directory.CreateDirectory(upstream);
        await GitAsync(upstream, "init", "-q");
        await CommitAsync(upstream, "one");
        await CommitAsync(upstream, "two");
        using var server = await ServeAsync(Path.Combine(farm.Folder, "served"));
        try
        {
            var package = Path.Combine(farm.Folder, "moving", "tool-git");
            Directory.CreateDirectory(package);
            await WriteAsync(package, server.Port, "A tool");
            farm.Start();
            await farm.UntilAsync(state => state.Counts is { Built: 2 }, "both packages are built");
            await InstalledAsync(farm, "first", "tool-git r2-1", "two");

            // What upstream has when the package itself changes is what is built then.
            await CommitAsync(upstream, "three");
            await WriteAsync(package, server.Port, "A tool that moved");
            await farm.UntilAsync(
                _ => farm.Journal.Contains("tool-git-r3-1-x86_64.pkg", StringComparison.Ordinal),
                "the new version is built");
            await farm.UntilAsync(state => state.Counts is { Built: 2 }, "it is published");
            await InstalledAsync(farm, "second", "tool-git r3-1", "three");
        }
        finally
        {
            await server.StopAsync();
        }
    }

    private static Task WriteAsync(string package, int port, string description) => File.WriteAllTextAsync(
        Path.Combine(package, "PKGBUILD"), $$"""
        pkgname=tool-git
        pkgver=r0
        pkgrel=1
        pkgdesc='{{description}}'
        arch=(x86_64)
        license=(MIT)
        makedepends=(git)
        source=('tool::git+git://127.0.0.1:{{port}}/tool')
        sha256sums=(SKIP)
        pkgver() {
          cd tool
          printf 'r%s' "$(git rev-list --count HEAD)"
        }
        package() {
          install -Dm644 tool/text "$pkgdir/usr/share/tool/text"
        }

        """, Stop);

    private static async Task InstalledAsync(RunningFarm farm, string root, string version, string text)
    {
        root = Path.Combine(farm.Folder, root);
        var installed = await farm.PacmanAsync(root, "-Sydd", "tool-git");
        Assert.True(installed.Succeeded, installed.StandardOutput + installed.StandardError);
        Assert.Equal(version, (await farm.PacmanAsync(root, "-Q", "tool-git")).StandardOutput.Trim());
        Assert.Equal(text, await File.ReadAllTextAsync(Path.Combine(root, "usr/share/tool/text"), Stop));
    }

    private static async Task CommitAsync(string repository, string text)
    {
        await File.WriteAllTextAsync(Path.Combine(repository, "text"), text, Stop);
        await GitAsync(repository, "add", ".");
        await GitAsync(
            repository, "-c", "user.name=Una", "-c", "user.email=una@example.org", "commit", "-q", "-m", text);
    }

    private static async Task GitAsync(string directory, params string[] arguments)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec { FileName = "git", Arguments = arguments, WorkingDirectory = directory }, Stop);
        Assert.True(result.Succeeded, $"git {string.Join(' ', arguments)}: {result.StandardError}");
    }

    private static async Task<GitDaemon> ServeAsync(string folder)
    {
        var port = FreePort.Take();
        var daemon = new GitDaemon(port, Process.Start(
            "git",
            [
                "-c", "safe.directory=*", "daemon", "--reuseaddr", "--export-all", $"--base-path={folder}",
                "--listen=127.0.0.1", $"--port={port}",
            ]));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var tries = 0; tries < 200 && await tick.WaitForNextTickAsync(Stop); tries++)
        {
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync("127.0.0.1", port, Stop);
                return daemon;
            }
            catch (SocketException) when (tries < 199)
            {
                // It is not up yet.
            }
        }

        throw new TimeoutException("git daemon does not answer");
    }

    /// <summary>A running git daemon.</summary>
    private sealed record GitDaemon(int Port, Process Process) : IDisposable
    {
        public void Dispose() => Process.Dispose();

        public async Task StopAsync()
        {
            // git waits for the daemon that it became the parent of.
            Process.Kill(entireProcessTree: true);
            await Process.WaitForExitAsync(CancellationToken.None);
        }
    }
}
