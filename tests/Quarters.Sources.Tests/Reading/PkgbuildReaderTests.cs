using Quarters.Sources.Pkgbuilds;

namespace Quarters.Sources.Tests.Reading;

public sealed class PkgbuildReaderTests : IDisposable
{
    private readonly TestDirectory _directory = new();
    private readonly PkgbuildReader _reader;

    public PkgbuildReaderTests() =>
        _reader = new PkgbuildReader(
            new PkgbuildReaderSettings { WorkDirectory = _directory["work"] }, TimeProvider.System);

    public void Dispose() => _directory.Dispose();

    // The .SRCINFO beside each PKGBUILD is what the real makepkg 6.0.2 printed for it.
    [Theory]
    [InlineData("computed")]
    [InlineData("editor")]
    [InlineData("fonts")]
    [InlineData("kernel-modules")]
    [InlineData("languages")]
    [InlineData("library")]
    [InlineData("nightly")]
    [InlineData("plain")]
    [InlineData("toolchain")]
    public async Task What_it_prints_is_byte_for_byte_what_makepkg_printed(string name)
    {
        var expected = await File.ReadAllTextAsync(
            Path.Combine(TestTrees.SampleDirectory(name), ".SRCINFO"), TestContext.Current.CancellationToken);

        var readings = await _reader.ReadAsync(
            [new PkgbuildInput(name, TestTrees.Sample(name))], TestContext.Current.CancellationToken);

        Assert.Null(readings[0].Problem);
        Assert.Equal(expected, readings[0].Info!.ToText());
    }

    [Fact]
    public async Task A_sandbox_that_waited_reads_once_and_another_waits_after_it()
    {
        using var patient = Waiting("waiting", sideBySide: 1);
        for (var i = 0; i < 4; i++)
        {
            var readings = await patient.ReadAsync(
                [
                    TestTrees.Pkgbuild("curious", TestTrees.Text("curious", more: """
                        depends=($(ls /tmp | sed s,^,left-,))
                        touch /tmp/left
                        url=$(ls /trees)
                        """)),
                    TestTrees.Pkgbuild("next", TestTrees.Text($"next{i}", $"{i}")),
                ],
                TestContext.Current.CancellationToken);

            Assert.Equal([$"next{i}"], readings[1].Info!.Packages.Select(package => package.Name));
            Assert.Equal(["left-err", "left-out"], readings[0].Info!.Base.Values("depends"));
            Assert.Equal("0 1", readings[0].Info!.Base.Value("url")?.Replace('\n', ' '));
        }
    }

    [Fact]
    public async Task Sandboxes_side_by_side_share_the_work_and_nothing_else()
    {
        using var several = Waiting("several", sideBySide: 3);
        for (var time = 0; time < 3; time++)
        {
            var readings = await several.ReadAsync(
                [.. Enumerable.Range(0, 7).Select(i => TestTrees.Pkgbuild(
                    $"one{i}", TestTrees.Text($"one{i}", more: "depends=($(cd /trees; echo *))\n")))],
                TestContext.Current.CancellationToken);

            Assert.Equal(
                Enumerable.Range(0, 7).Select(i => $"one{i}"),
                readings.Select(reading => reading.Info!.Packages[0].Name));
            string[] shares = ["0 1 2", "0 1 2", "0 1 2", "3 4 5", "3 4 5", "3 4 5", "6"];
            Assert.Equal(
                shares, readings.Select(reading => string.Join(' ', reading.Info!.Base.Values("depends"))));
        }
    }

    [Fact]
    public async Task Readers_that_share_a_work_directory_do_not_meet_while_their_sandboxes_wait()
    {
        using var one = Waiting("shared", sideBySide: 2);
        using var other = Waiting("shared", sideBySide: 2);
        foreach (var (reader, i) in new[] { one, one, other, one, other, other }.Select((reader, i) => (reader, i)))
        {
            var readings = await reader.ReadAsync(
                [TestTrees.Pkgbuild("shared", TestTrees.Text($"shared{i}"))], TestContext.Current.CancellationToken);
            Assert.Equal([$"shared{i}"], readings[0].Info!.Packages.Select(package => package.Name));
        }
    }

    [Fact]
    public async Task It_ends_although_the_next_sandboxes_could_not_be_started()
    {
        var time = new TimersByHand();
        var unlucky = new PkgbuildReader(
            new PkgbuildReaderSettings { WorkDirectory = _directory["unlucky"], Waiting = TimeSpan.FromMinutes(2) },
            time);
        await unlucky.ReadAsync(
            [TestTrees.Pkgbuild("one", TestTrees.Text("one"))], TestContext.Current.CancellationToken);
        Directory.Move(_directory["unlucky"], _directory["aside"]);
        await File.WriteAllTextAsync(_directory["unlucky"], "no directory", TestContext.Current.CancellationToken);

        time.Fire();
        Assert.Null(Record.Exception(unlucky.Dispose));
    }

    /// <summary>A clock whose first timer rings when it is told to, and the others never.</summary>
    private sealed class TimersByHand : TimeProvider
    {
        private TimerCallback? _first;

        public override ITimer CreateTimer(
            TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _first ??= callback;
            return System.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Fire() => _first!(null);
    }

    private PkgbuildReader Waiting(string name, int sideBySide) => new(
        new PkgbuildReaderSettings
        {
            WorkDirectory = _directory[name],
            Waiting = TimeSpan.FromMinutes(2),
            SideBySide = sideBySide,
        },
        TimeProvider.System);
}
