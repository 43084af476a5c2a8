using Quarters.Node.Tests;
using Quarters.Sources.Svn;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Svn;

/// <summary>A real svnserve, and a real Apache, that want a password.</summary>
public sealed class SvnPasswordTests : IAsyncLifetime
{
    private readonly Workshop _workshop = new();
    private readonly int _port = FreePort.Take();
    private TestDaemon? _daemon;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var upstream = new SvnUpstream(_workshop);
        await upstream.StartAsync();
        upstream.Package("alpha");
        await upstream.PublishAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null)
            await _daemon.DisposeAsync();
        _workshop.Dispose();
    }

    [Fact]
    public async Task Of_svnserve_it_is_unreachable_until_somebody_has_answered_svn_once()
    {
        _workshop.Files.Write(
            "upstream/svn/conf/svnserve.conf",
            "[general]\nanon-access = none\nauth-access = read\npassword-db = passwd\n");
        _workshop.Files.Write("upstream/svn/conf/passwd", "[users]\nada = secret\n");
        var root = _workshop.Files["upstream"];
        _daemon = await TestDaemon.StartAsync(
            _port, root, "svnserve", "--daemon", "--foreground", "--root", root, "--listen-host", "127.0.0.1",
            "--listen-port", $"{_port}");

        await PollAsync($"svn://127.0.0.1:{_port}/svn");
    }

    [Fact]
    public async Task Of_Apache_it_is_unreachable_until_somebody_has_answered_svn_once()
    {
        // Apache gives up being root, and must still find the way. The password is "secret".
        File.SetUnixFileMode(_workshop.Files.Root, (UnixFileMode)Convert.ToInt32("755", 8));
        var root = _workshop.Files["upstream"];
        _workshop.Files.Write("upstream/users", "ada:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
        string[] modules = ["dav", "dav_svn", "auth_basic", "authn_core", "authn_file", "authz_user"];
        _workshop.Files.Write("upstream/apache.conf", Apache.Configuration(root, _port, modules, $"""
            <Location /svn>
              DAV svn
              SVNPath "{root}/svn"
              AuthType Basic
              AuthName packages
              AuthUserFile "{root}/users"
              Require valid-user
            </Location>
            """));
        _daemon = await Apache.StartAsync(_port, root);

        await PollAsync($"http://127.0.0.1:{_port}/svn");
    }

    /// <summary>Nobody is asked by a poll.</summary>
    private async Task PollAsync(string url)
    {
        var source = new SvnSource(
            new SvnSourceSettings
            {
                Name = "test",
                Url = url,
                Layout = new() { Picks = ["trunk"] },
                Repository = "core",
                StateDirectory = _workshop.Files["state"],
            },
            _workshop.Intake);
        var configuration = _workshop.Files["state/test.svn/config"];

        var refused = await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(null, Stop));
        Assert.StartsWith(
            $"{url} asks for a password, and none is known: run `svn --config-dir {configuration} info {url}`",
            refused.Message, StringComparison.Ordinal);

        await TestProgram.RunAsync(
            _workshop.Files.Root,
            "svn", "info", "--non-interactive", "--config-dir", configuration, "--username", "ada",
            "--password", "secret", "--config-option", "servers:global:store-plaintext-passwords=yes", url);
        Assert.Equal(["alpha"], (await source.PollAsync(null, Stop)).Changed.Select(package => package.Pkgbase));
    }
}
