using Quarters.Core.Documents;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Tests;

public sealed class EscapeTests(Workbench bench)
{
    private const string Word = "71000010";

    /// <summary>Every line tries something that must not work; what works prints "ESCAPED".</summary>
    private const string Attempts = """
        try() { if ( eval "$*" ) 2>/dev/null; then echo "ESCAPED by: $*"; else echo "held: $1"; fi; }
        build() {
          [[ $(ls /sys/class/net 2>/dev/null; cut -d: -f1 -s /proc/net/dev | tr -d ' \n') = lo ]] ||
            echo "ESCAPED: interfaces"
          try 'exec 3<>/dev/tcp/127.0.0.1/HOSTPORT'
          try 'exec 3<>/dev/tcp/1.1.1.1/80'
          try 'echo x > /proc/sys/kernel/hostname'
          try 'echo x > /proc/sys/kernel/core_pattern'
          try 'echo b > /proc/sysrq-trigger'
          try 'mount -t tmpfs none /mnt'
          try 'umount /proc'
          try 'mkdir -p x && chroot x /bin/true'
          try 'setpriv --reuid 0 true'
          try 'touch /usr/bin/evil'
          try 'touch /etc/evil'
          try 'echo evil >> /etc/passwd'
          try 'cp /bin/bash s && chown root s'
          try 'mknod disk b 254 0'
          try 'kill -9 1'
          try 'cat /proc/HOSTPROCESS/cmdline'
          try 'ls HOSTDIRECTORY'
          try 'cat /etc/shadow'
          try 'ls /root/'
          try 'nsenter -t 1 -m true'
          try 'grep -q "^CapEff:.*[1-9a-f]" /proc/self/status'
          try 'grep -q "^CapBnd:.*[1-9a-f]" /proc/self/status'
          try '[[ $(ls /proc | grep -c ^[0-9]) -gt 20 ]]'
          unshare -Urm bash -c 'mount -t proc proc /proc; echo x > /proc/sys/kernel/core_pattern' 2>/dev/null &&
            echo "ESCAPED by user namespace"
          (setsid sleep WORD &) ; (nohup setsid bash -c 'while :; do sleep WORD; done' &> /dev/null &)
          echo attempts done
        }
        package() {
          install -d "$pkgdir/usr/share/escape"; cp /bin/true "$pkgdir/usr/share/escape/suid"
          chmod 6755 "$pkgdir/usr/share/escape/suid"
          ln -s HOSTDIRECTORY/secret "/pkgdest/trap-1.0-1-any.pkg.tar.zst"
        }
        """;

    [Fact]
    public async Task A_hostile_build_stays_in_its_chroot()
    {
        await File.WriteAllTextAsync(bench["secret"], "secret", Workbench.Cancellation);
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        var text = Attempts.Replace("WORD", Word, StringComparison.Ordinal)
            .Replace("HOSTPORT", $"{port}", StringComparison.Ordinal)
            .Replace("HOSTPROCESS", $"{Environment.ProcessId}", StringComparison.Ordinal)
            .Replace("HOSTDIRECTORY", bench.Directory, StringComparison.Ordinal);
        // The golden root exists from here on, and must stay as it is.
        await bench.FailedAsync(
            bench.Request(bench.Package("probe", "package() { :; }")) with { Dependencies = ["nobody-has-it"] });
        var before = await GoldenDigestAsync();
        var pattern = await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern", Workbench.Cancellation);
        var log = new LogText();

        var failure = await bench.FailedAsync(bench.Request(bench.Package("escape", text), log.Append));

        Assert.Contains("attempts done", log.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("ESCAPED", log.ToString(), StringComparison.Ordinal);
        Assert.Empty(Workbench.ProcessesWith(Word));
        Assert.Equal(pattern, await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern", Workbench.Cancellation));
        Assert.Equal(before, await GoldenDigestAsync());
        // The package itself was made; its neighbour, a link out of the chroot, is not followed.
        Assert.Equal("collect", failure.Stage);
        Assert.Equal(FailureKind.Package, failure.Kind);
        Assert.Contains("trap-1.0-1-any.pkg.tar.zst could not be opened as a plain file", failure.Message,
            StringComparison.Ordinal);
    }

    private async Task<string> GoldenDigestAsync()
    {
        var root = Assert.Single(
            Directory.GetDirectories(bench["store/roots"]), path => !path.EndsWith(".new", StringComparison.Ordinal));
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "bash",
                Arguments =
                [
                    "-euc",
                    """
                    cd "$1"
                    { find . -printf '%p %y %m %U %G %s %l %T@\n' | sort
                      find . -type f -print0 | sort -z | xargs -0 sha256sum; } | sha256sum
                    """,
                    "digest", Path.Combine(root, "tree"),
                ],
            },
            Workbench.Cancellation);
        Assert.True(result.Succeeded, result.StandardError);
        return result.StandardOutput;
    }
}
