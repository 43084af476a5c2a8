using Quarters.Node.Tests;
using Quarters.Sources.Svn;
using Quarters.Sources.Tests.Contract;

namespace Quarters.Sources.Tests.Svn;

/// <summary>A real svnserve that wants a password.</summary>
public sealed class SvnPasswordTests : IAsyncLifetime
{
    private readonly Workshop workshop = new();
    private readonly int port = FreePort.Take();
    private TestDaemon daemon = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Url => $"svn://127.0.0.1:{port}/svn";

    public async ValueTask InitializeAsync()
    {
        var upstream = new SvnUpstream(workshop);
        await upstream.StartAsync();
        upstream.Package("alpha");
        await upstream.PublishAsync();
        workshop.Files.Write(
            "upstream/svn/conf/svnserve.conf",
            "[general]\nanon-access = none\nauth-access = read\npassword-db = passwd\n");
        workshop.Files.Write("upstream/svn/conf/passwd", "[users]\nada = secret\n");
        var root = workshop.Files["upstream"];
        daemon = await TestDaemon.StartAsync(
            port, root, "svnserve", "--daemon", "--foreground", "--root", root, "--listen-host", "127.0.0.1",
            "--listen-port", $"{port}");
    }

    public async ValueTask DisposeAsync()
    {
        await daemon.DisposeAsync();
        workshop.Dispose();
    }

    [Fact]
    public async Task It_is_unreachable_until_somebody_has_answered_svn_once_and_nobody_is_asked_by_a_poll()
    {
        var source = new SvnSource(
            new SvnSourceSettings
            {
                Name = "test",
                Url = Url,
                Layout = new() { Picks = ["trunk"] },
                Repository = "core",
                StateDirectory = workshop.Files["state"],
            },
            workshop.Intake);
        var configuration = workshop.Files["state/test.svn/config"];

        var refused = await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(null, Stop));
        Assert.StartsWith(
            $"{Url} asks for a password, and none is known: run `svn --config-dir {configuration} info {Url}`",
            refused.Message, StringComparison.Ordinal);

        await TestProgram.RunAsync(
            workshop.Files.Root, "svn", "info", "--non-interactive", "--config-dir", configuration, "--username", "ada",
            "--password", "secret", "--config-option", "servers:global:store-plaintext-passwords=yes", Url);
        Assert.Equal(["alpha"], (await source.PollAsync(null, Stop)).Changed.Select(package => package.Pkgbase));
    }
}
