using Quarters.Core.Master;
using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>A farm of a master and four builders, each on a host of its own with links from as fast as memory to
/// 1 Mbit/s, while all goes wrong that can.</summary>
public sealed class FarmTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Four_builders_on_bad_links_that_are_killed_cut_off_and_drained_build_every_package_once()
    {
        await using var farm = await SpreadFarm.CreateAsync();
        await farm.AddBuilderAsync("anna");
        await farm.AddBuilderAsync("bruno", "20mbit");
        await farm.AddBuilderAsync("cora", "5mbit");
        await farm.AddBuilderAsync("dora", "1mbit");
        var disturbed = new List<BuildSpan>();

        WriteRoots(farm.Packages);
        await farm.Packages.CommitAsync("packages that depend on none");
        var killed = await BusyAsync(farm, "a builder builds before it is killed");
        await farm.Builders[killed].KillAsync();
        disturbed.AddRange(Running(farm, killed));
        Assert.NotEmpty(disturbed);
        await farm.UntilAsync(
            () => Task.FromResult(Leftovers.Processes(farm.Builders[killed].Home)), left => left.Count == 0,
            "what the killed builder ran is gone");
        farm.Builders[killed].Start();

        WriteBranches(farm.Packages);
        await farm.Packages.CommitAsync("a chain, and a fan");
        var cut = await BusyAsync(farm, "a builder builds before it is cut off", killed);
        await farm.CutAsync(farm.Builders[cut]);
        disturbed.AddRange(Running(farm, cut));
        Assert.Contains(disturbed, span => span.Builder == cut);
        await CheckCutAsync(farm, cut);
        await farm.MendAsync(farm.Builders[cut]);
        await farm.UntilAsync(s => s.Builders.Single(b => b.Name == cut).Error is null, $"the master hears of {cut}");

        // Builders that lose their master build on, and keep what comes of it.
        farm.Packages.Write("orphan", "1.0", "", "build() { sleep 4; }");
        await farm.Packages.CommitAsync("one that is built while there is no master");
        var working = await BusyAsync(farm, "a builder builds before the master is killed");
        await farm.Master.KillAsync();
        var begun = Running(farm, working);
        await farm.UntilAsync(
            () => Task.FromResult(Running(farm, working)), now => !now.Intersect(begun).Any(),
            $"{working} has built while there was no master");
        farm.Master.Start();
        await farm.UntilAsync(_ => true, "the master answers again");

        farm.Packages.Write("crown", "1.0", "fan-a fan-b tally-report almanac", "build() { sleep 4; }");
        await farm.Packages.CommitAsync("one that needs all the others");
        var drained = await BusyAsync(farm, "a builder builds before it is drained");
        await farm.OperateAsync("builders", "drain", drained);
        await farm.UntilAsync(
            s => s.Builders.Single(b => b.Name == drained) is { Draining: true, Claims: [] }
                && Running(farm, drained).Count == 0,
            $"{drained} has finished what it built");
        string[] late = ["epilogue", "late-a", "late-b"];
        farm.Packages.Write("epilogue", "1.0", "crown");
        farm.Packages.Write("late-a", "1.0", "");
        farm.Packages.Write("late-b", "1.0", "libtally");
        await farm.Packages.CommitAsync("more, for the others");
        await farm.UntilAsync(
            s => s.Counts is { Packages: 12, Built: 12, Blocked: 0, Ready: 0, Building: 0, Failed: 0 },
            "everything is built");

        CheckBuilds(farm, disturbed);
        Assert.DoesNotContain(
            BuildSpan.Read(drained, farm.Builders[drained].Home),
            span => late.Any(name => span.Job.StartsWith(name, StringComparison.Ordinal)));
        await CheckRepositoryAsync(farm);

        foreach (var node in farm.Builders.Values.Append(farm.Master))
        {
            Assert.Equal(0, await node.InterruptAsync());
            Assert.Equal("", await ShapedNetwork.ProcessesOnAsync(node.Host));
        }

        Assert.Empty(Leftovers.Mounts(farm.Folder));
        Assert.Empty(Leftovers.Processes(farm.Folder));
    }

    /// <summary>What the farm begins with: several builders have something to build at once, and long enough for it to
    /// go wrong.</summary>
    private static void WriteRoots(PackageTree packages)
    {
        packages.Write("libtally", "1.0", "", """
            build() {
              printf 'int tally(int a, int b) { return a + b; }\n' > tally.c
              cc $CFLAGS $LDFLAGS -shared -fPIC -o libtally.so tally.c
              sleep 4
            }
            """, "install -Dm755 libtally.so \"$pkgdir/usr/lib/libtally.so\"");
        packages.Write("almanac", """
            pkgbase=almanac
            pkgname=(almanac almanac-data)
            pkgver=1.0
            pkgrel=1
            pkgdesc='A split package of the tests'
            arch=(x86_64)
            license=(MIT)
            build() { sleep 4; }
            package_almanac() {
              depends=(almanac-data)
              mkdir -p "$pkgdir/usr/bin"
              printf '#!/bin/sh\ncat /usr/share/almanac\n' > "$pkgdir/usr/bin/almanac"
            }
            package_almanac-data() {
              arch=(any)
              mkdir -p "$pkgdir/usr/share"
              echo 'new moon' > "$pkgdir/usr/share/almanac"
            }

            """);
        // More than three seconds on a link of 1 Mbit/s that is free, and random bytes do not compress.
        packages.Write("ballast", "1.0", "", "build() { sleep 4; }", """
            mkdir -p "$pkgdir/usr/share"
            head -c 400000 /dev/urandom > "$pkgdir/usr/share/ballast"
            """);
    }

    private static void WriteBranches(PackageTree packages)
    {
        packages.Write("tally", "1.0", "libtally", """
            build() {
              printf '#include <stdio.h>\nint tally(int, int);\nint main(void) { printf("%%d\\n", tally(2, 3)); }\n' \
                > main.c
              cc $CFLAGS $LDFLAGS -o tally main.c -ltally
              sleep 4
            }
            """, "install -Dm755 tally \"$pkgdir/usr/bin/tally\"");
        packages.Write("tally-report", "1.0", "tally", "arch=(any)", """
            mkdir -p "$pkgdir/usr/bin"
            printf '#!/bin/sh\necho "the tally is $(tally)"\n' > "$pkgdir/usr/bin/tally-report"
            chmod 755 "$pkgdir/usr/bin/tally-report"
            """);
        packages.Write("fan-a", "1.0", "libtally", "build() { sleep 4; }");
        packages.Write("fan-b", "1.0", "libtally", "build() { sleep 4; }");
    }

    /// <summary>Who is cut off is missed by everybody, and the others are not.</summary>
    private static async Task CheckCutAsync(SpreadFarm farm, string cut)
    {
        await farm.UntilAsync(
            s => s.Builders.Single(b => b.Name == cut).Error is not null, $"the master misses {cut}");
        var nodes = (await farm.FarmAsync()).GetProperty("builders").EnumerateArray().ToDictionary(
            one => one.GetProperty("listed").GetProperty("name").GetString()!, StringComparer.Ordinal);
        Assert.All(nodes, node => Assert.Equal(node.Key != cut, node.Value.TryGetProperty("state", out _)));
        Assert.NotEqual("", nodes[cut].GetProperty("error").GetString());
        Assert.True(nodes[cut].GetProperty("seenSecondsAgo").GetDouble() > 0);
    }

    /// <summary>Waits until a builder is in the middle of a <c>build()</c>, and says which.</summary>
    private static async Task<string> BusyAsync(SpreadFarm farm, string what, params string[] besides) =>
        (await farm.UntilAsync(
            () => Task.FromResult(farm.Builders.Keys.Except(besides).FirstOrDefault(
                name => Running(farm, name).Any(span => IsInTheMiddle(farm.Builders[name].Home, span)))),
            name => name is not null, what))!;

    private static bool IsInTheMiddle(string home, BuildSpan span)
    {
        var log = Path.Combine(home, "state", "public", "logs", $"{span.Job}.{span.Attempt}.log");
        return File.Exists(log) && File.ReadAllText(log) is var text
            && text.Contains("==> Starting build()", StringComparison.Ordinal)
            && !text.Contains("==> Entering fakeroot", StringComparison.Ordinal);
    }

    private static List<BuildSpan> Running(SpreadFarm farm, string builder) =>
        [.. BuildSpan.Read(builder, farm.Builders[builder].Home).Where(span => span.Ended is null)];

    /// <summary>No attempt was built by two, no job by two at once, unless one of them was killed or cut off over it;
    /// and of each job one result was accepted.</summary>
    private static void CheckBuilds(SpreadFarm farm, List<BuildSpan> disturbed)
    {
        var spans = farm.Builders.SelectMany(one => BuildSpan.Read(one.Key, one.Value.Home)).ToList();
        var twice =
            from one in spans
            from other in spans
            where string.CompareOrdinal(one.Builder, other.Builder) < 0 && one.Job == other.Job
                && (one.Attempt == other.Attempt || one.Overlaps(other))
                && !disturbed.Exists(span => IsSame(span, one) || IsSame(span, other))
            select $"{one} and {other}";
        Assert.True(!twice.Any(), string.Join('\n', twice) + "\n" + farm.Story());
        Assert.True(spans.Select(span => span.Builder).Distinct().Count() > 1, string.Join('\n', spans));

        var accepted = BuildSpan.Entries<MasterEvent>(Path.Combine(farm.Master.Home, "state", "master", "journal"))
            .Select(entry => entry.Event).OfType<ResultAccepted>().Select(result => result.Result.Job).ToList();
        Assert.Equal(12, accepted.Count);
        Assert.Equal(spans.Select(span => span.Job).Distinct().Order(), accepted.Order());

        static bool IsSame(BuildSpan one, BuildSpan other) =>
            (one.Builder, one.Begun, one.Job) == (other.Builder, other.Begun, other.Job);
    }

    private static async Task CheckRepositoryAsync(SpreadFarm farm)
    {
        var root = Path.Combine(farm.Folder, "root");
        await farm.PacmanAsync(root, "-Sy", "epilogue");
        var listed = (await farm.PacmanAsync(root, "-Sl", "quarters"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => string.Join(' ', line.Split(' ')[1..3]));
        Assert.Equal(
            [
                "almanac 1.0-1", "almanac-data 1.0-1", "ballast 1.0-1", "crown 1.0-1", "epilogue 1.0-1", "fan-a 1.0-1",
                "fan-b 1.0-1", "late-a 1.0-1", "late-b 1.0-1", "libtally 1.0-1", "orphan 1.0-1", "tally 1.0-1",
                "tally-report 1.0-1",
            ],
            listed.Order(StringComparer.Ordinal));
        var ran = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = Path.Combine(root, "usr", "bin", "tally-report"),
                Environment = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["PATH"] = Path.Combine(root, "usr", "bin") + ":/usr/bin:/bin",
                    ["LD_LIBRARY_PATH"] = Path.Combine(root, "usr", "lib"),
                },
                Timeout = TimeSpan.FromMinutes(1),
            },
            Token);
        Assert.Equal("the tally is 5\n", ran.StandardOutput);
    }
}
