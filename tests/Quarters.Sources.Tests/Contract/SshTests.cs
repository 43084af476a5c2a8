using Quarters.Node.Tests;
using Quarters.Sources.Svn;
using Quarters.Sources.Tests.Git;
using Quarters.Sources.Tests.Svn;

namespace Quarters.Sources.Tests.Contract;

/// <summary>Sources behind a real sshd, which knows one key.</summary>
public sealed class SshTests : IAsyncLifetime
{
    private const string Host = "packages.example";

    private readonly Workshop workshop = new();
    private readonly int port = FreePort.Take();
    private readonly string? path = Environment.GetEnvironmentVariable("PATH");
    private TestDaemon? daemon;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var place = Directory.CreateDirectory(workshop.Files["ssh"]).FullName;
        foreach (var key in new[] { "host", "key", "other" })
            await TestProgram.RunAsync(place, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key);
        File.Copy(Path.Combine(place, "key.pub"), Path.Combine(place, "authorized"));
        var host = await File.ReadAllTextAsync(Path.Combine(place, "host.pub"), Stop);
        workshop.Files.Write("ssh/known", $"{Host} {host}");
        workshop.Files.Write("ssh/server", $"""
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {place}/host
            AuthorizedKeysFile {place}/authorized
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password
            StrictModes no
            UsePAM no
            PidFile none

            """);
        // What stands in ~/.ssh of the user that quarters runs as, which is not a test's to write.
        Configure("key");
        workshop.Files.Write("ssh/bin/ssh", $"#!/bin/sh\nexec /usr/bin/ssh -F {place}/client \"$@\"\n");
        File.SetUnixFileMode(Path.Combine(place, "bin/ssh"), (UnixFileMode)Convert.ToInt32("755", 8));
        Environment.SetEnvironmentVariable("PATH", $"{place}/bin:{path}");
        // sshd of Debian leaves making it to its service.
        Directory.CreateDirectory("/run/sshd");
        daemon = await TestDaemon.StartAsync(port, place, "/usr/sbin/sshd", "-D", "-e", "-f", $"{place}/server");
    }

    public async ValueTask DisposeAsync()
    {
        Environment.SetEnvironmentVariable("PATH", path);
        if (daemon is not null)
            await daemon.DisposeAsync();
        workshop.Dispose();
    }

    [Fact]
    public async Task Subversion_is_read_by_the_key_of_the_user_and_nobody_is_asked()
    {
        var upstream = new SvnUpstream(workshop);
        await upstream.StartAsync();
        upstream.Package("alpha");
        await upstream.PublishAsync();

        await PollsAsync(new SvnSource(
            new SvnSourceSettings
            {
                Name = "test",
                Url = $"svn+ssh://{Host}{workshop.Files["upstream/svn"]}",
                Layout = new() { Picks = ["trunk"] },
                Repository = "core",
                StateDirectory = workshop.Files["state"],
            },
            workshop.Intake));
    }

    [Fact]
    public async Task Git_is_read_by_the_key_of_the_user_and_nobody_is_asked()
    {
        var upstream = new GitUpstream(workshop);
        await upstream.StartAsync();
        upstream.Package("alpha");
        await upstream.PublishAsync();

        await PollsAsync(workshop.Open(workshop.Git($"ssh://{Host}{workshop.Files["upstream/tree"]}")));
    }

    private void Configure(string key) => workshop.Files.Write("ssh/client", $"""
        Host {Host}
          HostName 127.0.0.1
          HostKeyAlias {Host}
          Port {port}
          User {Environment.UserName}
          IdentityFile {workshop.Files["ssh"]}/{key}
          IdentitiesOnly yes
          UserKnownHostsFile {workshop.Files["ssh"]}/known
          StrictHostKeyChecking yes

        """);

    private async Task PollsAsync(ISource source)
    {
        Configure("other");
        var refused = await Assert.ThrowsAsync<SourceUnreachableException>(() => source.PollAsync(null, Stop));
        Assert.Contains("Permission denied", refused.Message, StringComparison.Ordinal);

        Configure("key");
        var report = await source.PollAsync(null, Stop);
        Assert.Equal("alpha", Assert.Single(report.Changed).Pkgbase);
        Assert.Empty((await source.PollAsync(report.Cursor, Stop)).Changed);
    }
}
