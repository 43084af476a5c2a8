using System.Text.Json;
using Quarters.Alpm;
using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary><c>quarters build</c> with a real distribution, real chroots and the real makepkg. One cache for all, as
/// one
/// machine has it: the first test makes the root, the others find it.</summary>
public sealed class BuildCommandTests : IClassFixture<BuildCommandTests.Cache>, IDisposable
{
    private const string Hello = """
        # Maintainer: Jane Dev <jane@example.org>
        pkgname=hello
        pkgver=1.0
        pkgrel=1
        arch=(x86_64)
        license=(MIT)
        build() {
          printf '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n' > hello.c
          cc -o hello hello.c
        }
        check() { [ "$(./hello)" = hello ]; }
        package() { install -Dm755 hello "$pkgdir/usr/bin/hello"; }

        """;

    private readonly Cache _cache;
    private readonly string _directory = Directory.CreateTempSubdirectory("quarters-build-").FullName;

    public BuildCommandTests(Cache cache) => _cache = cache;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_package_lands_beside_its_PKGBUILD_with_log_and_buildinfo()
    {
        Write(Hello);
        var ran = await BuildAsync("build");
        Assert.True(ran.ExitCode == 0, ran.ToString());
        var package = Path.Combine(_directory, "hello-1.0-1-x86_64.pkg.tar.zst");
        Assert.Equal(package, ran.Output.Trim());
        var info = ReadInfo(package);
        Assert.Equal(("hello", "1.0-1", "Jane Dev <jane@example.org>"),
            (info.Name, info.Version.ToString(), info.Packager));
        Assert.Contains("Finished making: hello", File.ReadAllText(Path.Combine(_directory,
            "hello-1.0-1-x86_64.log")), StringComparison.Ordinal);
        Assert.Contains("pkgbase = hello", File.ReadAllText(Path.Combine(_directory,
            "hello-1.0-1-x86_64.BUILDINFO")), StringComparison.Ordinal);
        // Not a terminal: a line for each phase.
        Assert.Contains("hello 1.0-1: build ", ran.Error, StringComparison.Ordinal);
        Assert.Contains("hello 1.0-1: check ", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_tells_everything_a_script_wants_and_git_who_and_when()
    {
        Write(Hello);
        await GitAsync("init", "-q");
        await GitAsync("add", ".");
        await GitAsync("-c", "user.name=Committer", "-c", "user.email=c@example.org", "commit", "-qm", "hello",
            "--author", "Ada Author <ada@example.org>");
        var output = Path.Combine(_directory, "there");
        var ran = await BuildAsync("build", _directory, "--out", output, "--json", "--nocheck");
        Assert.True(ran.ExitCode == 0, ran.ToString());
        using var json = JsonDocument.Parse(ran.Output);
        var root = json.RootElement;
        Assert.Equal("built", root.GetProperty("outcome").GetString());
        var package = root.GetProperty("packages")[0];
        Assert.Equal(Path.Combine(output, "hello-1.0-1-x86_64.pkg.tar.zst"), package.GetProperty("path").GetString());
        Assert.Equal("Ada Author <ada@example.org>", root.GetProperty("packager").GetString());
        Assert.Equal("Ada Author <ada@example.org>", ReadInfo(package.GetProperty("path").GetString()!).Packager);
        Assert.Equal(1_700_000_000, root.GetProperty("sourceDateEpoch").GetInt64());
        Assert.True(File.Exists(root.GetProperty("log").GetString()), "there is no log");
        Assert.True(File.Exists(root.GetProperty("buildInfo").GetString()), "there is no .BUILDINFO");
        var phases = root.GetProperty("phases").EnumerateArray().Select(phase =>
            phase.GetProperty("phase").GetString()).ToList();
        Assert.Contains("build", phases);
        Assert.DoesNotContain("check", phases);
        var (total, makepkg) = (root.GetProperty("totalSeconds").GetDouble(),
            root.GetProperty("makepkgSeconds").GetDouble());
        Assert.Equal(total - makepkg, root.GetProperty("overheadSeconds").GetDouble(), 3);
        Assert.True(makepkg > 0 && total > makepkg, ran.Output);
        TestContext.Current.TestOutputHelper?.WriteLine(ran.Output);
        Assert.Empty(Directory.EnumerateFiles(_directory, "*.log"));
    }

    [Fact]
    public async Task A_package_that_fails_is_exit_code_1_with_the_last_lines_and_the_path_of_the_log()
    {
        Write(Hello.Replace("cc -o hello hello.c", "echo this is why; false", StringComparison.Ordinal));
        var ran = await BuildAsync("build");
        Assert.True(ran.ExitCode == 1, ran.ToString());
        Assert.Empty(ran.Output);
        Assert.Contains("this is why", ran.Error, StringComparison.Ordinal);
        Assert.Contains("failed at build", ran.Error, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_directory, "hello-1.0-1-x86_64.log"), ran.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_directory, "*.pkg.tar.*"));
    }

    [Fact]
    public async Task The_chroot_of_a_failed_build_is_kept_when_asked_for()
    {
        Write(Hello.Replace("cc -o hello hello.c", "false", StringComparison.Ordinal));
        var ran = await BuildAsync("build", "--json", "--keep");
        Assert.True(ran.ExitCode == 1, ran.ToString());
        using var json = JsonDocument.Parse(ran.Output);
        Assert.Equal("build", json.RootElement.GetProperty("failure").GetProperty("stage").GetString());
        Assert.Equal("package", json.RootElement.GetProperty("failure").GetProperty("kind").GetString());
        Assert.True(Directory.Exists(json.RootElement.GetProperty("kept").GetString()), ran.Output);
    }

    [Fact]
    public async Task A_shell_opens_in_the_chroot_of_a_failed_build_as_the_user_that_builds()
    {
        Write(Hello.Replace("cc -o hello hello.c", "echo left > behind; false", StringComparison.Ordinal));
        // script(1) gives it the terminal that a person has.
        var program = BuiltProgram.Location;
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "env",
                Arguments =
                [
                    $"XDG_CACHE_HOME={_cache.Directory}", "script", "--quiet", "--return", "--command",
                    $"'{program}' build --shell --repo core='{_cache.Distribution}'", "/dev/null",
                ],
                Input = "id -un; cat /build/*/src/behind; touch /usr/x; exit\n"u8.ToArray(),
                WorkingDirectory = _directory,
            },
            TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 1, result.StandardOutput);
        Assert.Contains("builder\r\nleft\r\n", result.StandardOutput, StringComparison.Ordinal);
        Assert.Contains("/usr/x': Permission denied", result.StandardOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_PKGBUILD_that_cannot_be_read_is_exit_code_2_with_the_words_of_bash()
    {
        Write("pkgname=(broken\n");
        var ran = await BuildAsync("build");
        Assert.True(ran.ExitCode == 2, ran.ToString());
        Assert.Contains("PKGBUILD", ran.Error, StringComparison.Ordinal);
        Assert.Contains("unexpected", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_without_PKGBUILD_is_exit_code_2()
    {
        var ran = await BuildAsync("build", _directory);
        Assert.True(ran.ExitCode == 2, ran.ToString());
        Assert.Contains("holds no PKGBUILD", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repository_that_is_not_there_is_exit_code_2()
    {
        Write(Hello);
        var ran = await BuildAsync("build", "--repo", "mine=" + _directory);
        Assert.True(ran.ExitCode == 2, ran.ToString());
        Assert.Contains("mine.db", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dependency_that_nobody_has_is_a_failure_of_the_package_that_names_it()
    {
        Write(Hello + "makedepends=(no-such-thing)\n");
        var ran = await BuildAsync("build");
        Assert.True(ran.ExitCode == 1, ran.ToString());
        Assert.Contains("no-such-thing", ran.Error, StringComparison.Ordinal);
        Assert.Contains("failed at dependencies", ran.Error, StringComparison.Ordinal);
    }

    private void Write(string pkgbuild) => File.WriteAllText(Path.Combine(_directory, "PKGBUILD"), pkgbuild);

    private async Task<Command.Ran> BuildAsync(params string[] arguments) =>
        await Command.RunAsync(
            _directory,
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["XDG_CACHE_HOME"] = _cache.Directory,
                ["PACKAGER"] = ""
            },
            [.. arguments, "--repo", "core=" + _cache.Distribution]);

    private async Task GitAsync(params string[] arguments)
    {
        var result = await ProcessRunner.RunAsync(
            new ProcessSpec
            {
                FileName = "env",
                Arguments = ["GIT_COMMITTER_DATE=1700000000 +0000", "GIT_AUTHOR_DATE=1600000000 +0000", "git",
                    .. arguments],
                WorkingDirectory = _directory,
            },
            TestContext.Current.CancellationToken);
        Assert.True(result.Succeeded, result.StandardError);
    }

    private static PackageInfo ReadInfo(string package)
    {
        using var file = File.OpenRead(package);
        return PackageFile.ReadInfo(file, new PackageReadLimits()).Info;
    }

    /// <summary>The cache that all tests share, and the distribution.</summary>
    public sealed class Cache : IAsyncDisposable
    {
        public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("quarters-cache-").FullName;

        public string Distribution { get; } = Environment.GetEnvironmentVariable("QUARTERS_TEST_REPO")
            ?? throw new InvalidOperationException(
                "These tests build real packages: set QUARTERS_TEST_REPO to a pacman repository with core.db and its "
                + "packages. eng/mini-distribution makes one.");

        public async ValueTask DisposeAsync() => await ProcessRunner.RunAsync(
            new ProcessSpec { FileName = "rm", Arguments = ["-rf", "--one-file-system", Directory] },
                CancellationToken.None);
    }
}
