using System.Text;
using Quarters.Chroots.Builds;
using Quarters.Chroots.Health;
using Quarters.Chroots.Repositories;
using Quarters.Chroots.Roots;

namespace Quarters.Chroots.Tests;

public sealed class StartDirectoryTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("quarters-start-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("source=(hello.c)")]
    [InlineData("url=\"https://hello.invalid/\"\nsource=(hello.c)")]
    [InlineData("# see https://hello.invalid/$url\nsource=('hello.c' 'design.c')")]
    public void Files_beside_the_PKGBUILD_need_no_fetching(string text) => Assert.True(NeedsNothing(text));

    [Theory]
    [InlineData("source=(https://hello.invalid/a.c)")]
    [InlineData("url=https://hello.invalid/\nsource=($url/a.c)")]
    [InlineData("url=https://hello.invalid/\nsource=(\"${url}/a.c\")")]
    [InlineData("url=https://hello.invalid/; source=(ftp://x/a.c)")]
    [InlineData("url=\"https://hello.invalid/\" source=(\"ftp://x/a.c\")")]
    [InlineData("_git=git+https://x/y\nsource=($_git)")]
    [InlineData("source=(a.c a.c.sig)")]
    [InlineData("source=(a.c{,.asc})")]
    [InlineData("source=(a.c a.c.{x,sign})")]
    [InlineData("source=(lp:project)")]
    [InlineData("validpgpkeys=(A)")]
    public void Anything_that_could_be_fetched_or_verified_is_looked_at(string text) =>
        Assert.False(NeedsNothing(text));

    [Fact]
    public void A_copy_is_made_alike_every_time_and_leaves_out_what_is_not_the_packages()
    {
        var source = _directory.CreateSubdirectory("source");
        source.CreateSubdirectory(".git");
        source.CreateSubdirectory("src");
        source.CreateSubdirectory("keys/src");
        File.WriteAllText(Path.Combine(source.FullName, "PKGBUILD"), "");
        File.WriteAllText(Path.Combine(source.FullName, "tool"), "");
        File.SetUnixFileMode(Path.Combine(source.FullName, "tool"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(Path.Combine(source.FullName, "link"), "/etc/shadow");
        var target = Path.Combine(_directory.FullName, "target");
        var date = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

        StartDirectory.Copy(source.FullName, target, date);

        Assert.Equal(
            ["PKGBUILD", "keys", "link", "tool"],
            Directory.GetFileSystemEntries(target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.True(Directory.Exists(Path.Combine(target, "keys/src")));
        Assert.Equal("/etc/shadow", new FileInfo(Path.Combine(target, "link")).LinkTarget);
        Assert.Equal((UnixFileMode)0b111_101_101, File.GetUnixFileMode(Path.Combine(target, "tool")));
        Assert.Equal((UnixFileMode)0b110_100_100, File.GetUnixFileMode(Path.Combine(target, "PKGBUILD")));
        Assert.Equal(date.UtcDateTime, File.GetLastWriteTimeUtc(Path.Combine(target, "PKGBUILD")));
    }

    private bool NeedsNothing(string text)
    {
        File.WriteAllText(Path.Combine(_directory.FullName, "PKGBUILD"), text + "\n");
        return StartDirectory.NeedsNothingFetched(_directory.FullName);
    }
}

public sealed class BuildLogTests
{
    [Fact]
    public void Phases_errors_and_last_lines_are_read_however_the_output_is_cut()
    {
        const string Output = """
            ==> Quarters starts makepkg
            ==> Making package: hello 1.0-1
            ==> Retrieving sources...
            ==> Validating source files with sha256sums...
                hello.c ... FAILED
            ==> ERROR: One or more files did not pass the validity check!
            ==> Starting build()...
            ==> Starting package_hello-docs()...
            end
            """;
        foreach (var size in new[] { 1, 7, 10_000 })
        {
            var phases = new List<BuildPhase>();
            var passed = new LogText();
            var log = new BuildLog(passed.Append, phases.Add, TimeProvider.System);

            foreach (var piece in Encoding.UTF8.GetBytes(Output).Chunk(size))
                log.Append(piece);
            log.Finish();

            Assert.Equal(Output, passed.ToString());
            Assert.Equal([BuildPhase.Sources, BuildPhase.Build, BuildPhase.Package], phases);
            Assert.Equal(["hello.c ... FAILED", "One or more files did not pass the validity check!"], log.Errors);
            Assert.Equal(Output.Split('\n'), log.LastLines);
            Assert.NotNull(log.MakepkgStarted);
        }
    }

    [Fact]
    public void Lines_without_end_and_lines_without_number_are_bounded()
    {
        var log = new BuildLog(null, _ => { }, TimeProvider.System);
        var flood = new byte[1 << 20];
        Array.Fill(flood, (byte)'x');

        for (var i = 0; i < 100; i++)
        {
            log.Append(flood);
            log.Append("\n"u8);
            log.Append("==> ERROR: again\n"u8);
        }

        Assert.InRange(log.LastLines.Count, 1, 100);
        Assert.All(log.LastLines, line => Assert.InRange(line.Length, 0, 4000));
        Assert.InRange(log.Errors.Count, 1, 100);
    }
}

public sealed class GoldenRootTests
{
    [Fact]
    public void Dependencies_are_looked_up_by_name_version_and_provision()
    {
        var root = new GoldenRoot("id", "/tree", InstalledDatabase.Read("""
            %NAME%
            bash

            %VERSION%
            5.2-1

            %PROVIDES%
            sh
            libbash.so=5-64

            %NAME%
            zlib

            %VERSION%
            1:1.3-2

            """));

        var unsatisfied = root.Unsatisfied(
            ["bash", "bash>=5", "sh", "libbash.so=5-64", "zlib>1:1.2",
             "bash>6", "sh>=1", "libbash.so=6-64", "zlib<1:1", "git", ">=broken"]);

        Assert.Equal(["bash>6", "sh>=1", "libbash.so=6-64", "zlib<1:1", "git", ">=broken"], unsatisfied);
    }
}

public sealed class SubordinateIdTests
{
    [Theory]
    [InlineData("", false)]
    [InlineData("jane:100000:65536\n", true)]
    [InlineData("1000:100000:65536", true)]
    [InlineData("jane:100000:1000\n", false)]
    [InlineData("john:100000:65536\njane:165536:65536\n", true)]
    [InlineData("janet:100000:65536\n10000:1:65536\njane:x:65536", false)]
    public void A_range_counts_when_it_is_the_users_and_large_enough(string text, bool expected) =>
        Assert.Equal(expected, SubordinateIds.HasRange(text, "jane", 1000));

    [Fact]
    public void The_line_to_add_begins_behind_all_ranges()
    {
        Assert.Equal(100_000, SubordinateIds.NextFree(""));
        Assert.Equal(231_072, SubordinateIds.NextFree("john:165536:65536\njane:100000:65536\n"));
    }
}

public sealed class SnapshotTests(Workbench bench)
{
    [Fact]
    public void A_snapshot_is_named_by_its_databases_not_by_its_mirrors()
    {
        var one = RepositorySnapshot.Pin("x86_64", [bench.Core("https://one.invalid/core")]);
        var two = RepositorySnapshot.Pin("x86_64", [bench.Core("https://two.invalid/core")]);
        var other = RepositorySnapshot.Pin("aarch64", [bench.Core("https://two.invalid/core")]);

        Assert.Equal(one.Id, two.Id);
        Assert.NotEqual(one.Id, other.Id);
    }

    [Fact]
    public void Pacman_is_told_which_architectures_it_may_install()
    {
        var snapshot = RepositorySnapshot.Pin("x86_64_v3", [bench.Core("https://one.invalid/core")], ["x86_64"]);
        Pacman.WriteConfiguration(snapshot, bench["accepts"]);

        Assert.Contains("Architecture = x86_64_v3 x86_64\n", File.ReadAllText(
            Path.Combine(bench["accepts"], "pacman.conf")), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => RepositorySnapshot.Pin("x86_64_v3", [], ["x86_64\n[evil]"]));
    }

    [Theory]
    [InlineData("https://one.invalid/\nInclude = /etc/shadow")]
    [InlineData("")]
    public void A_server_cannot_smuggle_a_line_into_the_configuration(string server) =>
        Assert.Throws<ArgumentException>(() => RepositorySnapshot.Pin("x86_64", [bench.Core(server)]));
}

public sealed class DoctorTests(Workbench bench)
{
    [Fact]
    public async Task This_machine_can_build()
    {
        var checks = await Doctor.ExamineAsync(bench["doctor"], Workbench.Cancellation);

        Assert.All(checks.Where(check => check.Needed), check => Assert.True(check.Ok, check.Meaning));
        Assert.Contains(checks, check => check.Name == "overlay");
        Assert.Empty(Directory.GetDirectories(bench["doctor"]));
    }

    [Theory]
    [InlineData("ID=debian\n", "sudo apt-get install bubblewrap")]
    [InlineData("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "sudo apt-get install bubblewrap")]
    [InlineData("NAME=\"Arch\"\nID=arch\n", "sudo pacman -S bubblewrap")]
    [InlineData("ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S bubblewrap")]
    [InlineData("ID=other\n", "install the package bubblewrap (Debian: bubblewrap)")]
    public void What_is_missing_comes_with_the_command_of_the_distribution(string release, string command) =>
        Assert.Equal(command, Distribution.Parse(release).Install("bubblewrap", "bubblewrap"));
}
