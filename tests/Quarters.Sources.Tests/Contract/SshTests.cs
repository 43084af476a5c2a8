using Quarters.Node.Tests;
using Quarters.Sources.Svn;
using Quarters.Sources.Tests.Git;
using Quarters.Sources.Tests.Svn;

namespace Quarters.Sources.Tests.Contract;

/// <summary>Sources behind a real sshd, which knows one key.</summary>
public sealed class SshTests : IAsyncLifetime
{
    private const string Host = "packages.example";

    private readonly Workshop _workshop = new();
    private readonly int _port = FreePort.Take();
    private readonly string? _path = Environment.GetEnvironmentVariable("PATH");
    private TestDaemon? _daemon;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var place = Directory.CreateDirectory(_workshop.Files["ssh"]).FullName;
        foreach (var key in new[] { "host", "key", "other" })
            await TestProgram.RunAsync(place, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key);
        File.Copy(Path.Combine(place, "key.pub"), Path.Combine(place, "authorized"));
        var host = await File.ReadAllTextAsync(Path.Combine(place, "host.pub"), Stop);
        _workshop.Files.Write("ssh/known", $"{Host} {host}");
        _workshop.Files.Write("ssh/server", $"""
            Port {_port}
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
        _workshop.Files.Write("ssh/bin/ssh", $"#!/bin/sh\nexec /usr/bin/ssh -F {place}/client \"$@\"\n");
        File.SetUnixFileMode(Path.Combine(place, "bin/ssh"), (UnixFileMode)Convert.ToInt32("755", 8));
        Environment.SetEnvironmentVariable("PATH", $"{place}/bin:{_path}");
        // sshd of Debian leaves making it to its service.
        Directory.CreateDirectory("/run/sshd");
        _daemon = await TestDaemon.StartAsync(_port, place, "/usr/sbin/sshd", "-D", "-e", "-f", $"{place}/server");
    }

    public async ValueTask DisposeAsync()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        if (_daemon is not null)
            await _daemon.DisposeAsync();
        _workshop.Dispose();
    }

    [Fact]
    public async Task Subversion_is_read_by_the_key_of_the_user_and_nobody_is_asked()
    {
        var upstream = new SvnUpstream(_workshop);
        await upstream.StartAsync();
        upstream.Package("alpha");
        await upstream.PublishAsync();

        await PollsAsync(new SvnSource(
            new SvnSourceSettings
            {
                Name = "test",
                Url = $"svn+ssh://{Host}{_workshop.Files["upstream/svn"]}",
                Layout = new() { Picks = ["trunk"] },
                Repository = "core",
                StateDirectory = _workshop.Files["state"],
            },
            _workshop.Intake));
    }

    [Fact]
    public async Task Git_is_read_by_the_key_of_the_user_and_nobody_is_asked()
    {
        var upstream = new GitUpstream(_workshop);
        await upstream.StartAsync();
        upstream.Package("alpha");
        await upstream.PublishAsync();

        await PollsAsync(_workshop.Open(_workshop.Git($"ssh://{Host}{_workshop.Files["upstream/tree"]}")));
    }

    private void Configure(string key) => _workshop.Files.Write("ssh/client", $"""
        Host {Host}
          HostName 127.0.0.1
          HostKeyAlias {Host}
          Port {_port}
          User {Environment.UserName}
          IdentityFile {_workshop.Files["ssh"]}/{key}
          IdentitiesOnly yes
          UserKnownHostsFile {_workshop.Files["ssh"]}/known
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
