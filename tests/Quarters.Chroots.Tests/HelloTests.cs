using Quarters.Alpm;
using Quarters.Chroots.Builds;
using Quarters.Linux.Processes;

namespace Quarters.Chroots.Tests;

public sealed class HelloTests(Workbench bench)
{
    private const string Pkgbuild = """
        makedepends=('git>=1:2')
        source=(hello.c)
        sha256sums=(SKIP)
        build() { git --version; gcc -g -o hello hello.c; }
        check() { ./hello; }
        package() { install -Dm755 hello "$pkgdir/usr/bin/hello"; }
        """;

    private const string Program = """
        #include <stdio.h>
        int main(void) { printf("hello %s %s\n", __DATE__, __FILE__); return 0; }
        """;

    [Fact]
    public async Task Root_and_an_ordinary_user_build_the_same_bytes()
    {
        var source = bench.Package("hello-mini", Pkgbuild, ("hello.c", Program));
        var phases = new List<BuildPhase>();
        var request = bench.Request(source) with { Dependencies = ["glibc", "git>=1:2"], OnPhase = phases.Add };

        var rootless = ProcessRunner.RunAsync(
            Driver.Rootless(bench, "rootless", source, "glibc", "git>=1:2"), Workbench.Cancellation);
        var built = await bench.BuiltAsync(request);
        var other = await rootless;

        Assert.True(other.Succeeded, other.StandardError);
        Assert.StartsWith($"built {built.Packages[0].Sha256}\n", other.StandardError, StringComparison.Ordinal);
        AssertPackage(built);
        Assert.Equal(
            ["root", "dependencies", "sources", "prepare", "build", "check", "package", "collect"],
            built.Costs.Phases.Select(cost => cost.Phase));
        Assert.Contains(BuildPhase.Check, phases);
        Assert.True(built.Costs.Phases.Sum(cost => cost.CpuSeconds) > 0.1);
        Assert.True(built.Costs.Phases.Max(cost => cost.PeakMemoryBytes) > 1 << 20);
        Assert.InRange(built.Costs.Makepkg, TimeSpan.FromMilliseconds(1), built.Costs.Total);
    }

    private static void AssertPackage(BuildOutcome.Built built)
    {
        var package = Assert.Single(built.Packages);
        Assert.Equal("hello-mini-1.0-1-x86_64.pkg.tar.zst", Path.GetFileName(package.Path));
        Assert.Equal(new FileInfo(package.Path).Length, package.Bytes);
        using var stream = File.OpenRead(package.Path);
        var facts = PackageFile.Read(stream, new PackageReadLimits());
        Assert.Equal("Jane Dev <jane@example.org>", facts.Info.Packager);
        Assert.Equal(1_700_000_000, facts.Info.BuildDate.ToUnixTimeSeconds());
        var info = BuildInfo.Parse(System.Text.Encoding.UTF8.GetBytes(built.BuildInfo));
        Assert.Equal("/build", info.BuildDirectory);
        Assert.Equal("/startdir", info.StartDirectory);
        Assert.Equal("quarters", info.BuildTool);
        Assert.Contains(info.Installed, installed => installed.Name == "git");
        Assert.Contains(info.Installed, installed => installed.Name == "gcc");
    }
}
