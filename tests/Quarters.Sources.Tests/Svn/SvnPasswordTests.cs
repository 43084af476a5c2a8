using Quarters.Node.Tests;
using Quarters.Sources.Svn;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Svn;

/// <summary>A real svnserve, and a real Apache, that want a password.</summary>
public sealed class SvnPasswordTests : IAsyncLifetime
{
    private readonly Workshop workshop = new();
    private readonly int port = FreePort.Take();
    private TestDaemon? daemon;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var upstream = new SvnUpstream(workshop);
        await upstream.StartAsync();
        upstream.Package("alpha");
        await upstream.PublishAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (daemon is not null)
            await daemon.DisposeAsync();
        workshop.Dispose();
    }

    [Fact]
    public async Task Of_svnserve_it_is_unreachable_until_somebody_has_answered_svn_once()
    {
        workshop.Files.Write(
            "upstream/svn/conf/svnserve.conf",
            "[general]\nanon-access = none\nauth-access = read\npassword-db = passwd\n");
        workshop.Files.Write("upstream/svn/conf/passwd", "[users]\nada = secret\n");
        var root = workshop.Files["upstream"];
        daemon = await TestDaemon.StartAsync(
            port, root, "svnserve", "--daemon", "--foreground", "--root", root, "--listen-host", "127.0.0.1",
            "--listen-port", $"{port}");

        await PollAsync($"svn://127.0.0.1:{port}/svn");
    }

    [Fact]
    public async Task Of_Apache_it_is_unreachable_until_somebody_has_answered_svn_once()
    {
        // Apache gives up being root, and must still find the way. The password is "secret".
        File.SetUnixFileMode(workshop.Files.Root, (UnixFileMode)Convert.ToInt32("755", 8));
        var root = workshop.Files["upstream"];
        workshop.Files.Write("upstream/users", "ada:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
        string[] modules = ["dav", "dav_svn", "auth_basic", "authn_core", "authn_file", "authz_user"];
        workshop.Files.Write("upstream/apache.conf", Apache.Configuration(root, port, modules, $"""
            <Location /svn>
              DAV svn
              SVNPath "{root}/svn"
              AuthType Basic
              AuthName packages
              AuthUserFile "{root}/users"
              Require valid-user
            </Location>
            """));
        daemon = await Apache.StartAsync(port, root);

        await PollAsync($"http://127.0.0.1:{port}/svn");
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
                StateDirectory = workshop.Files["state"],
            },
            workshop.Intake);
        var configuration = workshop.Files["state/test.svn/config"];

        var refused = await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(null, Stop));
        Assert.StartsWith(
            $"{url} asks for a password, and none is known: run `svn --config-dir {configuration} info {url}`",
            refused.Message, StringComparison.Ordinal);

        await TestProgram.RunAsync(
            workshop.Files.Root, "svn", "info", "--non-interactive", "--config-dir", configuration, "--username", "ada",
            "--password", "secret", "--config-option", "servers:global:store-plaintext-passwords=yes", url);
        Assert.Equal(["alpha"], (await source.PollAsync(null, Stop)).Changed.Select(package => package.Pkgbase));
    }
}
