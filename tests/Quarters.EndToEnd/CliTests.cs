using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quarters.Linux.Processes;

namespace Quarters.EndToEnd;

/// <summary>What the program says and how it exits, without any farm that runs.</summary>
public sealed class CliTests : IDisposable
{
    private static readonly Dictionary<string, string> Plain = new() { ["NO_COLOR"] = "1" };

    private readonly string _directory = Directory.CreateTempSubdirectory("quarters-cli-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("1.0-1", "1.0.1-1")]
    [InlineData("1:1-1", "2-1")]
    [InlineData("1.0rc1-1", "1.0-1")]
    [InlineData("1.0", "1.0-3")]
    public async Task Vercmp_says_what_the_one_of_pacman_says(string first, string second)
    {
        var real = await RunToolAsync("vercmp", first, second);
        Assert.Equal(real.Trim(), (await SucceedAsync("vercmp", first, second)).Output.Trim());
    }

    [Fact]
    public async Task Every_command_explains_itself_by_an_example()
    {
        var help = await SucceedAsync("--help");
        var listed = help.Output.Split('\n')
            .SkipWhile(line => !line.StartsWith("Commands:", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal))
            .Where(line => line[2] != ' ')
            .Select(line => line.Trim().Split(' ')[0])
            .ToList();
        Assert.Contains("up", listed);
        foreach (var command in listed.Where(command => command != "version"))
        {
            var own = await SucceedAsync(command, "--help");
            Assert.True(
                own.Output.Contains("Examples:\n", StringComparison.Ordinal)
                && own.Output.Contains("quarters " + command, StringComparison.Ordinal),
                own.ToString());
        }
    }

    [Fact]
    public async Task The_cycles_of_a_file_of_packages_are_named_with_what_is_cut()
    {
        var file = Path.Combine(_directory, "packages.jsonl");
        await File.WriteAllTextAsync(
            file,
            """
            {"pkgbase":"tcc","pkgver":"0.9","pkgrel":"1","pkgnames":["tcc"],"depends":["musl"]}
            {"pkgbase":"musl","pkgver":"1.2","pkgrel":"1","pkgnames":["musl"],"makedepends":["tcc"]}
            {"pkgbase":"hello","pkgver":"1","pkgrel":"1","pkgnames":["hello"],"makedepends":["tcc"]}

            """,
            Cancel);
        var shown = await SucceedAsync("graph", "--cycles", "--graph", file);
        Assert.StartsWith(
            "a cycle of 2 packages and 2 dependencies: musl, tcc\n"
            + "  musl is built against the older tcc (makedepends, cost 10)\n"
            + "1 cycles of 2 packages among 3. ",
            shown.Output, StringComparison.Ordinal);
        var json = JsonDocument.Parse((await SucceedAsync("graph", "--cycles", "--graph", file, "--json")).Output);
        Assert.Equal("quarters/cycles/1", json.RootElement.GetProperty("schema").GetString());
        Assert.Equal("make", json.RootElement.GetProperty("cycles")[0].GetProperty("cut")[0].GetProperty("kind")
            .GetString());
    }

    [Theory]
    [InlineData("\"frobnicate\"", "frobnicate")]
    [InlineData("\"--frob\"", "status", "--frob")]
    [InlineData("vercmp", "vercmp", "1")]
    [InlineData("quarters init", "status")]
    [InlineData("--key", "status", "--url", "https://127.0.0.1:1")]
    [InlineData("no id of a job", "why", "../../etc/passwd", "--config", "x")]
    [InlineData("is not a directory", "repo-db", "/nonexistent", "mine")]
    [InlineData("blocked", "jobs", "--status", "sleeping")]
    public async Task A_mistake_is_one_sentence_and_exit_code_2(string word, params string[] arguments)
    {
        var ran = await RunAsync(arguments);
        Assert.True(ran.ExitCode == 2, ran.ToString());
        Assert.Empty(ran.Output);
        Assert.StartsWith("quarters: ", ran.Error, StringComparison.Ordinal);
        Assert.Contains(word, ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_debugger_is_shown_where_an_error_arose()
    {
        var variables = new Dictionary<string, string>(Plain) { ["QUARTERS_DEBUG"] = "1" };
        var ran = await Command.RunAsync(_directory, variables, "status");
        Assert.Equal(2, ran.ExitCode);
        Assert.Contains("   at Quarters.", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Init_writes_a_farm_that_is_complete_and_never_overwrites_one()
    {
        var made = await SucceedAsync("init", "--name", "oak", "--repo", "core=file:///srv/$repo/os/$arch");
        Assert.Contains("quarters up", made.Output, StringComparison.Ordinal);
        var text = await File.ReadAllTextAsync(InDirectory("quarters.toml"), Cancel);
        Assert.Contains("name = \"oak\"", text, StringComparison.Ordinal);
        Assert.Contains("servers = [\"file:///srv/$repo/os/$arch\"]", text, StringComparison.Ordinal);
        Assert.True(Directory.Exists(InDirectory("packages")));
        var keys = Directory.GetFiles(InDirectory("state"), "key.pem", SearchOption.AllDirectories);
        Assert.Equal(2, keys.Length);
        Assert.All(keys, key => Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key)));

        Assert.Equal(2, (await RunAsync("init")).ExitCode);
        Assert.Equal(text, await File.ReadAllTextAsync(InDirectory("quarters.toml"), Cancel));

        // Without the configuration, but with the keys: those stay, because others may know them.
        var before = keys.Select(File.ReadAllText).ToList();
        File.Delete(InDirectory("quarters.toml"));
        await SucceedAsync("init");
        Assert.Equal(before, keys.Select(File.ReadAllText));
    }

    [Fact]
    public async Task A_repository_of_a_farm_whose_database_is_missing_is_not_all_right()
    {
        await SucceedAsync("init");
        var architecture = (await SucceedAsync("repo", "verify")).Output.Split('/', ':')[1];
        Assert.Equal(
            $"quarters/{architecture}: nothing is published yet\n", (await SucceedAsync("repo", "verify")).Output);
        Directory.CreateDirectory(InDirectory($"state/master/public/repo/quarters/os/{architecture}"));
        var ran = await RunAsync("repo", "verify", "quarters");
        Assert.True(ran.ExitCode == 1, ran.ToString());
        Assert.StartsWith(
            $"quarters/{architecture}: quarters.db is missing: start the master", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_farm_that_does_not_run_is_said_not_to_run()
    {
        await SucceedAsync("init", "--listen", "127.0.0.1:1");
        foreach (var arguments in new[] { new[] { "status" }, ["jobs"], ["why", "zlib"], ["log", "-f", "zlib"] })
        {
            var ran = await RunAsync(arguments);
            Assert.True(ran.ExitCode == 2, ran.ToString());
            Assert.Contains("nobody answers at https://127.0.0.1:1/", ran.Error, StringComparison.Ordinal);
            Assert.Contains("Is `quarters up` running", ran.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Who_asks_a_farm_that_does_not_run_is_told_that_it_will_be_done_later()
    {
        await SucceedAsync("init", "--listen", "127.0.0.1:1");
        var spool = Directory.CreateDirectory(InDirectory("state/master/spool")).FullName;
        var ran = await RunAsync("hold", "zlib");
        Assert.True(ran.ExitCode == 2, ran.ToString());
        Assert.Contains("nobody answers at https://127.0.0.1:1/", ran.Error, StringComparison.Ordinal);
        Assert.Contains($"delete {Assert.Single(Directory.GetFiles(spool))}", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_operator_publishes_comes_after_what_was_published_though_the_clock_was_set_back()
    {
        await SucceedAsync("operator", "init", "olga", "--url", "https://olga.example.org/");
        await SucceedAsync("hold", "zlib", "--operator", "olga");
        var document = InDirectory("olga/public/v1/signals.json");
        var list = JsonNode.Parse(await File.ReadAllTextAsync(document, Cancel))!;
        var ahead = DateTimeOffset.UtcNow.AddMinutes(30);
        list["signals"]![0]!["time"] = ahead;
        await File.WriteAllTextAsync(document, list.ToJsonString(), Cancel);

        await SucceedAsync("release", "zlib", "--operator", "olga");

        list = JsonNode.Parse(await File.ReadAllTextAsync(document, Cancel))!;
        Assert.Equal(["hold", "release"], list["signals"]!.AsArray().Select(signal => (string?)signal!["kind"]));
        Assert.True((DateTimeOffset)list["signals"]![1]!["time"]! > ahead);
        Assert.Single(
            Directory.GetFiles(InDirectory("olga/public/v1/sig")),
            Path.Combine(InDirectory("olga/public/v1/sig"),
                Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(document, Cancel)))));
    }

    [Fact]
    public async Task A_misspelt_key_is_named_with_its_line_and_the_key_that_was_meant()
    {
        await ChangedConfigurationAsync("sources-cache", "source-cashe");
        var ran = await RunAsync("status");
        Assert.Equal(2, ran.ExitCode);
        var lines = await File.ReadAllLinesAsync(InDirectory("quarters.toml"), Cancel);
        var line = Array.FindIndex(lines, text => text.StartsWith("source-cashe", StringComparison.Ordinal)) + 1;
        Assert.Contains($"quarters.toml:{line}:1: ", ran.Error, StringComparison.Ordinal);
        Assert.Contains("did you mean \"sources-cache\"?", ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("memory = \"8 GiB\"", "memory = \"8 elephants\"", "8 GiB")]
    [InlineData("time = \"12 h\"", "time = \"soon\"", "30 min")]
    [InlineData("poll = \"1 min\"", "poll = \"0 s\"", "more than nothing")]
    public async Task A_quantity_that_is_none_is_refused_where_it_stands(string written, string instead, string hint)
    {
        await ChangedConfigurationAsync(written, instead);
        var ran = await RunAsync("status");
        Assert.Equal(2, ran.ExitCode);
        Assert.Matches(@"quarters\.toml:\d+:\d+: ", ran.Error);
        Assert.Contains(hint, ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kind = \"directory\"", "kind = \"bzr\"", "must be one of \"git\", \"svn\", \"hg\", \"directory\"")]
    [InlineData("poll = \"1 min\"", "review = \"some\"", "must be one of \"off\", \"changes\", \"all\"")]
    [InlineData("poll = \"1 min\"", "poll = \"60 d\"", "poll must be at least \"1 s\" and at most")]
    [InlineData("poll = \"1 min\"", "deadline = \"60 d\"", "source \"packages\": deadline must be at least")]
    [InlineData("name = \"packages\"", "name = \"my.packages\"", "its name must be 1 to 64 letters, digits, '-' or")]
    [InlineData("path = \"packages\"", "path = \"a\\tb\"", "hold no control characters")]
    public async Task A_source_that_cannot_be_is_refused_with_what_it_may_be(
        string written, string instead, string hint)
    {
        await ChangedConfigurationAsync(written, instead);
        var ran = await RunAsync("status");
        Assert.Equal(2, ran.ExitCode);
        Assert.Contains("quarters.toml:", ran.Error, StringComparison.Ordinal);
        Assert.Contains(hint, ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[[architecture]]\nname = \"sparc\"", "\"sparc\" is none of architectures")]
    [InlineData("[[architecture]]\nname = \"v3\"\naccepts = [\"a b\"]", "accepts must be at most 16 names")]
    [InlineData("[[architecture]]\nname = \"v3\"\nmakepkg = [\"a\\nb\"]", "makepkg must be at most 100 lines")]
    [InlineData(
        "[[architecture]]\nname = \"v3\"\n[[architecture]]\nname = \"v3\"", "two sections for the architecture")]
    [InlineData("[[independent]]\nbuilds = 5", "builds = 5 must be from 1 to 4 (attempts)")]
    [InlineData("[[independent]]\nbuilds = 2\npackages = []", "packages must name package bases")]
    public async Task A_section_that_cannot_be_is_refused_with_what_it_may_hold(string section, string hint)
    {
        await ChangedConfigurationAsync("architectures = [\"", "architectures = [\"v3\", \"");
        await ChangeAsync("[limits]", section + "\n[limits]");
        var ran = await RunAsync("status");
        Assert.Equal(2, ran.ExitCode);
        Assert.Contains(hint, ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_only_its_source_understands_is_refused_by_the_name_of_the_file_that_it_is_in()
    {
        await ChangedConfigurationAsync(
            "kind = \"directory\"\npath = \"packages\"", "kind = \"git\"\nurl = \"x\"\ntags = \"v*x*\"");
        File.Move(InDirectory("quarters.toml"), InDirectory("other.toml"));

        var ran = await RunAsync("master", "--config", InDirectory("other.toml"));

        Assert.Equal(2, ran.ExitCode);
        Assert.Equal(
            $"quarters: {InDirectory("other.toml")}: source \"packages\": 'v*x*' is not a pattern of tags: "
            + "a name in which one * stands for anything.",
            ran.Error.Trim());
    }

    [Fact]
    public async Task Everything_that_does_not_fit_together_is_said_at_once()
    {
        await ChangedConfigurationAsync("path = \"packages\"", "repository = \"elsewhere\"");
        await ChangeAsync("listen = \"127.0.0.1:7374\"", "listen = \"127.0.0.1:7373\"");
        await ChangeAsync("architectures = [\"", "lease = \"20 s\"\narchitectures = [\"any\", \"");
        var ran = await RunAsync("status");
        Assert.Equal(2, ran.ExitCode);
        Assert.Contains("source \"packages\": kind \"directory\" needs path", ran.Error, StringComparison.Ordinal);
        Assert.Contains("there is no [[repository]] \"elsewhere\"", ran.Error, StringComparison.Ordinal);
        Assert.Contains("take another port", ran.Error, StringComparison.Ordinal);
        Assert.Contains("\"any\" cannot be built for", ran.Error, StringComparison.Ordinal);
        Assert.Contains("lease must be at least \"2 min\"", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parse_prints_one_record_a_line_and_what_cannot_be_read_on_the_side()
    {
        Pkgbuild("good", "pkgname=good\npkgver=1.0\npkgrel=1\narch=(any)\npackage() { :; }\n");
        Pkgbuild("broken", "pkgname=(\n");
        var ran = await RunAsync("parse", _directory);
        Assert.True(ran.ExitCode == 1, ran.ToString());
        using var record = JsonDocument.Parse(ran.Output);
        Assert.Equal("good", record.RootElement.GetProperty("pkgbase").GetString());
        Assert.Contains("broken cannot be read", ran.Error, StringComparison.Ordinal);
        Assert.Contains("unexpected EOF", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Srcinfo_is_what_makepkg_prints()
    {
        Pkgbuild("split", """
            pkgbase=split
            pkgname=(split-a split-b)
            pkgver=1.2
            pkgrel=3
            epoch=1
            pkgdesc='Two "packages"'
            arch=(x86_64 aarch64)
            license=(MIT)
            depends=('zlib>=1.2')
            depends_aarch64=(libfoo)
            source=("https://example.org/$pkgver.tar.gz")
            sha256sums=(SKIP)
            package_split-a() { depends+=(more); provides=('libsplit.so=1-64'); }
            package_split-b() { arch=(any); }
            """);
        var ours = await SucceedAsync("parse", "--srcinfo", InDirectory("split"));
        var theirs = await RunToolIn(
            InDirectory("split"), "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "makepkg", "--printsrcinfo");
        Assert.Equal(theirs.Trim(), ours.Output.Trim());
    }

    [Fact]
    public async Task Repo_db_makes_what_pacman_reads()
    {
        var distribution = Environment.GetEnvironmentVariable("QUARTERS_TEST_REPO")
            ?? throw new InvalidOperationException("QUARTERS_TEST_REPO must name a repository; ./test.sh makes one");
        foreach (var name in new[] { "zstd", "xz" })
        {
            var package = Directory.GetFiles(distribution, name + "-*.pkg.tar.zst")[0];
            File.Copy(package, InDirectory(Path.GetFileName(package)));
        }

        var ran = await SucceedAsync("repo-db", _directory, "mine");
        Assert.Contains("2 packages", ran.Output, StringComparison.Ordinal);
        Assert.Equal(
            $"{_directory}: 2 packages, all right\n", (await SucceedAsync("repo", "verify", _directory)).Output);
        await File.WriteAllTextAsync(
            InDirectory("pacman.conf"), $"[options]\nSigLevel = Never\n[mine]\nServer = file://{_directory}\n", Cancel);
        Directory.CreateDirectory(InDirectory("db"));
        string[] pacman = ["pacman", "--config", InDirectory("pacman.conf"), "--dbpath", InDirectory("db")];
        await RunToolAsync("fakeroot", [.. pacman, "-Sy"]);
        await RunToolAsync("fakeroot", [.. pacman, "-Fy"]);
        var listed = await RunToolAsync("fakeroot", [.. pacman, "-Sl"]);
        Assert.Equal(["mine xz", "mine zstd"], listed.Trim().Split('\n').Select(line => line[..line.LastIndexOf(' ')]));
        var owner = await RunToolAsync("fakeroot", [.. pacman, "-Fq", "usr/bin/zstd"]);
        Assert.Contains("mine/zstd", owner, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_answers_for_people_and_for_scripts()
    {
        var spoken = await SucceedAsync("doctor");
        Assert.Contains("This machine can build packages.", spoken.Output, StringComparison.Ordinal);
        var written = await SucceedAsync("doctor", "--json");
        using var checks = JsonDocument.Parse(written.Output);
        Assert.Contains(checks.RootElement.EnumerateArray(), check =>
            check.GetProperty("name").GetString() == "pacman" && check.GetProperty("ok").GetBoolean());
    }

    [Fact]
    public async Task The_doctor_names_the_command_that_mends_what_is_missing()
    {
        var bare = new Dictionary<string, string>(Plain) { ["PATH"] = "/nonexistent" };
        var ran = await Command.RunAsync(_directory, bare, "doctor");
        Assert.True(ran.ExitCode == 1, ran.ToString());
        Assert.Contains("MISSING  bwrap", ran.Output, StringComparison.Ordinal);
        Assert.Contains("mend it: ", ran.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"pkgbase\":\"zlib\"}")]
    [InlineData("zlib 1.3-1")]
    public async Task A_line_of_a_graph_that_is_no_package_is_told_by_its_number(string line)
    {
        await File.WriteAllTextAsync(InDirectory("graph"), """
            {"pkgbase":"a","pkgver":"1","pkgrel":"1","pkgnames":["a"]}

            """.ReplaceLineEndings("\n") + line, Cancel);

        var ran = await RunAsync("simulate", "--graph", "graph");

        Assert.Equal(2, ran.ExitCode);
        Assert.Equal(
            "quarters: graph, line 2: it is no package: "
            + "a JSON object with pkgbase, pkgver, pkgrel and pkgnames at least\n", ran.Error);
    }

    private static async Task<string> RunToolAsync(string program, params string[] arguments) =>
        await RunToolIn("/", program, arguments);

    private static async Task<string> RunToolIn(string where, string program, params string[] arguments)
    {
        var spec = new ProcessSpec
        {
            FileName = program,
            Arguments = arguments,
            WorkingDirectory = where,
            Timeout = TimeSpan.FromMinutes(2),
        };
        var result = await ProcessRunner.RunAsync(spec, Cancel);
        Assert.True(result.Succeeded, $"{program} {result.Ending}: {result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }

    private Task<Command.Ran> RunAsync(params string[] arguments) => Command.RunAsync(_directory, Plain, arguments);

    private async Task<Command.Ran> SucceedAsync(params string[] arguments)
    {
        var ran = await RunAsync(arguments);
        Assert.True(ran.ExitCode == 0, ran.ToString());
        return ran;
    }

    private string InDirectory(string name) => Path.Combine(_directory, name);

    private void Pkgbuild(string name, string text)
    {
        // makepkg runs as nobody and wants to read, and to see that it could write.
        File.SetUnixFileMode(_directory, (UnixFileMode)0b111_111_111);
        Directory.CreateDirectory(InDirectory(name), (UnixFileMode)0b111_111_111);
        File.SetUnixFileMode(InDirectory(name), (UnixFileMode)0b111_111_111);
        File.WriteAllText(Path.Combine(InDirectory(name), "PKGBUILD"), text.ReplaceLineEndings("\n"));
    }

    private async Task ChangedConfigurationAsync(string written, string instead)
    {
        await SucceedAsync("init");
        await ChangeAsync(written, instead);
    }

    private async Task ChangeAsync(string written, string instead)
    {
        var text = await File.ReadAllTextAsync(InDirectory("quarters.toml"), Cancel);
        Assert.Contains(written, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            InDirectory("quarters.toml"), text.Replace(written, instead, StringComparison.Ordinal), Cancel);
    }
}
