using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Quarters.Sources.Pkgbuilds;

namespace Quarters.Sources.Tests.Reading;

/// <summary>What a PKGBUILD may try while it is read, each between two good ones that must come out unharmed.</summary>
public sealed class HostilePkgbuildTests : IDisposable
{
    private readonly TestDirectory _directory = new();
    private readonly PkgbuildReader _reader;

    public HostilePkgbuildTests() => _reader = Reader(TimeSpan.FromSeconds(8));

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string, string, string> Tricks => new()
    {
        { "syntax error", "pkgname=(", "unexpected EOF" },
        { "missing version", "pkgver=", "pkgver is not allowed to be empty" },
        { "endless loop", "while :; do :; done", "1 s of processor time" },
        { "endless loop that ignores the signal", "trap '' XCPU; while :; do :; done", "signal 9" },
        { "sleep", "sleep 1000", "did not come to an end" },
        { "memory", "dd if=/dev/zero of=/dev/null bs=900M count=1 || exit 3", "memory exhausted" },
        { "exit", "exit 0", "ended the shell" },
        { "exec", "exec /usr/bin/true", "ended the shell" },
        { "failure", "false", "Failed to source PKGBUILD" },
        { "kill itself", "kill -9 $BASHPID", "signal 9" },
        { "closed descriptors", "exec 0<&- 1>&- 2>&- 99>&-", "exited with" },
        { "garbage", "head -c 100000000 /dev/zero >&99", "" },
        { "full disk", "while ((++n)); do head -c 3000000 /dev/zero >/tmp/$n || exit 3; done", "exited with 3" },
        { "fork bomb", "f() { f | f & f; }; f; exit 4", "" },
        { "forged frame of the parent", "printf '9 0 0 0\\n' >/proc/$$/fd/1; exit 5", "Permission denied" },
        { "forged frame of the sandbox", "printf '9 0 0 0\\n' >/proc/1/fd/1; exit 5", "Permission denied" },
        { "memory of the reader", "exec 9<>/proc/$$/mem && exit 6; exit 5", "Permission denied" },
        { "set -e left on", "set -e", "set -e or set -u" },
        { "binary", "\0\u0001\u0002", "NUL bytes" },
        { "CRLF", "a=1\r\nb=2\r\n", "CRLF" },
    };

    [Theory]
    [MemberData(nameof(Tricks))]
    public async Task A_PKGBUILD_that_tries_something_is_unreadable_alone(string trick, string text, string reason)
    {
        // On a busy machine two seconds of processor time may take a minute.
        var patient = trick.StartsWith("endless", StringComparison.Ordinal) ? Reader(TimeSpan.FromMinutes(2)) : _reader;
        var readings = await patient.ReadAsync(
            [
                TestTrees.Pkgbuild("before", TestTrees.Text("before")),
                TestTrees.Pkgbuild("hostile", TestTrees.Text("hostile") + text + "\n"),
                TestTrees.Pkgbuild("after", TestTrees.Text("after", more: "depends=($(echo x | sed s/x/dep/))")),
                TestTrees.Pkgbuild("last", TestTrees.Text("last")),
            ],
            TestContext.Current.CancellationToken);

        Assert.Equal("before", readings[0].Info?.Base.Name);
        Assert.True(readings[1].Info is null, trick);
        Assert.Contains(reason, readings[1].Problem, StringComparison.Ordinal);
        Assert.Equal(["dep"], readings[2].Info?.Base.Values("depends"));
        Assert.Equal("last", readings[3].Info?.Base.Name);
    }

    [Theory]
    [InlineData("(sleep 100; echo 9 0 0 0) &")]
    [InlineData("prlimit --pid $$ --nproc=1:1 --as=1000000:1000000 --cpu=1:1")]
    [InlineData("mkdir -p /tmp/a/b; chmod 000 /tmp/a; ln -sf /etc/passwd /tmp/out; renice 19 $$")]
    [InlineData("rm -f /tmp/err; mkdir /tmp/err")]
    [InlineData("kill -9 -1; kill -9 $$")]
    [InlineData("kill -STOP $$; exit 1")]
    [InlineData("chmod 000 /tmp/out /tmp/err")]
    [InlineData("sleep() { :; }; printf() { :; }; export -f sleep; PATH=/nowhere; IFS=x; shopt -s failglob")]
    public async Task A_PKGBUILD_that_meddles_with_its_neighbours_does_not_reach_them(string text)
    {
        var readings = await _reader.ReadAsync(
            [
                TestTrees.Pkgbuild("before", TestTrees.Text("before")),
                TestTrees.Pkgbuild("hostile", TestTrees.Text("hostile") + text + "\n"),
                TestTrees.Pkgbuild("after", TestTrees.Text("after", more: "depends=($(echo x | sed s/x/dep/))")),
                TestTrees.Pkgbuild("last", TestTrees.Text("last")),
            ],
            TestContext.Current.CancellationToken);

        Assert.Equal("before", readings[0].Info?.Base.Name);
        Assert.Equal(["dep"], readings[2].Info?.Base.Values("depends"));
        Assert.Equal("last", readings[3].Info?.Base.Name);
    }

    [Fact]
    public async Task A_PKGBUILD_that_takes_every_process_takes_none_of_a_sandbox_beside_it()
    {
        using var patient = Reader(TimeSpan.FromMinutes(5));
        using var beside = Reader(TimeSpan.FromMinutes(2));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var name = $"32{Environment.ProcessId}";
        var bomb = patient.ReadAsync(
            [TestTrees.Pkgbuild(
                "hostile", TestTrees.Text("hostile") + $"for i in {{1..44}}; do sleep {name} & done; wait\n")],
            end.Token);
        while (Sleepers(name) < 44)
            await Task.Delay(50, end.Token);

        var readings = await beside.ReadAsync(
            [TestTrees.Pkgbuild("good", TestTrees.Text("good", more: "depends=($(echo x | sed s/x/dep/))"))],
            end.Token);

        Assert.Equal((null, "good"), (readings[0].Problem, readings[0].Info?.Base.Name));
        Assert.False(bomb.IsCompleted);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bomb);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("$$")]
    [InlineData("$PPID")]
    public async Task A_PKGBUILD_cannot_speak_for_its_neighbours(string process)
    {
        // Exactly what the reading shell would print for the two that follow, had they another version.
        var forgery = $$"""
            limits=$(sed '/^--$/q' /tmp/out)
            for index in 1 2; do
              facts="$limits"$'\nV s pkgname\n=after\nV s pkgver\n=666\nV s pkgrel\n=1\nV a arch\n=any\n.\n'
              printf '%d 0 %d 0\n%s' $index ${#facts} "$facts" >/proc/{{process}}/fd/1
            done
            exit 0
            """;
        var readings = await _reader.ReadAsync(
            [
                TestTrees.Pkgbuild("before", TestTrees.Text("before")),
                TestTrees.Pkgbuild("hostile", TestTrees.Text("hostile") + forgery + "\n"),
                TestTrees.Pkgbuild("after", TestTrees.Text("after")),
                TestTrees.Pkgbuild("last", TestTrees.Text("last")),
            ],
            TestContext.Current.CancellationToken);

        Assert.Equal(["1", "1", "1"], new[] { 0, 2, 3 }.Select(index => readings[index].Info?.Base.Value("pkgver")));
    }

    [Fact]
    public async Task Whatever_is_read_leaves_no_mark_on_the_host_and_reaches_no_network()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var mark = $"quarters-mark-{Environment.ProcessId}";
        _directory.Write("precious", "kept");
        var attempt = $"""
            mkdir -p {_directory.Root}; touch {_directory["mark"]} /tmp/{mark} /var/tmp/{mark}
            touch /usr/{mark} /trees/{mark} /etc/{mark}
            rm -rf --no-preserve-root / {_directory.Root} 2>/dev/null
            touch $startdir/{mark}; echo x > PKGBUILD
            exec 8<>/dev/tcp/127.0.0.1/{port}
            kill -9 {Environment.ProcessId}
            """;
        var readings = await _reader.ReadAsync(
            [
                TestTrees.Pkgbuild("top", TestTrees.Text("top") + attempt + "\ntrue\n"),
                TestTrees.Pkgbuild("array", TestTrees.Text("array") + $"depends=($({attempt}\n))\n"),
                TestTrees.Pkgbuild("builtin", TestTrees.Text(
                    "builtin") + $"declare() {{\n{attempt}\n}}\nprintf() {{\n{attempt}\n}}\n"),
                TestTrees.Pkgbuild("override", TestTrees.Text(
                    "override") + $"package() {{\n depends=($({attempt.ReplaceLineEndings("; ")}))\n}}\n"),
                TestTrees.Pkgbuild("pkgver", TestTrees.Text("pkgver") + $"pkgver() {{\n{attempt}\n}}\n"),
                TestTrees.Pkgbuild("good", TestTrees.Text("good")),
            ],
            TestContext.Current.CancellationToken);

        Assert.Equal("good", readings[^1].Info?.Base.Name);
        Assert.Equal("pkgver", readings[4].Info?.Base.Name);
        Assert.False(listener.Pending());
        Assert.True(File.Exists(_directory["precious"]));
        Assert.False(File.Exists(_directory["mark"]));
        foreach (var place in new[] { "/tmp", "/var/tmp", "/usr", "/trees", "/etc" })
            Assert.False(File.Exists(Path.Combine(place, mark)), place);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory["work"]));
    }

    [Fact]
    public async Task Nothing_that_a_PKGBUILD_started_runs_after_it_was_read()
    {
        var name = $"31{Environment.ProcessId}";
        await _reader.ReadAsync(
            [TestTrees.Pkgbuild("daemon", TestTrees.Text(
                "daemon") + $"setsid -f sleep {name}; (trap '' HUP TERM; sleep {name}) & disown\n")],
            TestContext.Current.CancellationToken);

        var deadline = Stopwatch.StartNew();
        while (Sleepers(name) > 0 && deadline.Elapsed < TimeSpan.FromSeconds(10))
            await Task.Yield();
        Assert.Equal(0, Sleepers(name));
    }

    [Fact]
    public async Task A_PKGBUILD_cannot_see_its_neighbours_after_one_of_them_made_it_read_alone()
    {
        var readings = await _reader.ReadAsync(
            [
                TestTrees.Pkgbuild("killer", TestTrees.Text("killer") + "kill -9 $$\n"),
                TestTrees.Pkgbuild("secret", TestTrees.Text("secret")),
                TestTrees.Pkgbuild("curious", TestTrees.Text(
                    "curious") + "ls /trees/*/secret && exit 7; ls /tmp/* && exit 8; kill -9 $$\n"),
            ],
            TestContext.Current.CancellationToken);

        Assert.NotNull(readings[1].Info);
        Assert.DoesNotContain("exited with", readings[2].Problem, StringComparison.Ordinal);
    }

    private static int Sleepers(string argument) =>
        Directory.EnumerateDirectories("/proc").Count(process =>
        {
            try
            {
                return File.ReadAllText(Path.Combine(process, "cmdline")) == $"sleep\0{argument}\0";
            }
            catch (IOException)
            {
                return false;
            }
            catch (UnauthorizedAccessException)
            {
                return false;
            }
        });

    private PkgbuildReader Reader(TimeSpan wallTime) => new(
        new PkgbuildReaderSettings
        {
            WorkDirectory = _directory["work"],
            CpuTime = TimeSpan.FromSeconds(1),
            WallTime = wallTime,
            SideBySide = 1, // so that they are neighbours
        },
        TimeProvider.System);
}
