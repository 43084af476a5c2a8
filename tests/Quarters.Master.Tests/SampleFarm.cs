using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;
using Quarters.Core.Tests;
using Quarters.Master.Pages;

namespace Quarters.Master.Tests;

/// <summary>
/// An ordinary evening of a small farm: something builds, something waits, something failed, most is built. The state
/// comes from the real machine, by events that could have happened.
/// </summary>
internal sealed class SampleFarm
{
    private const string Commit = "9c1f0ea6b1e64c0d7be1c12f6f0a5a0c7a8c1d2e";

    private static readonly string[] Lines =
    [
        "hello 2.12.2-1", "zlib 1:1.3.1-2", "pigz 2.8-2 zlib", "oniguruma 6.9.10-1 +libonig.so=5-64",
        "jq 1.7.1-2 libonig.so=5-64", "xz 5.8.1-1", "zstd 1.5.7-2 cmake zlib xz lz4", "lz4 1:1.10.0-2",
        "bzip2 1.0.8-6", "expat 2.7.1-1 cmake", "libarchive 3.8.1-1 zlib xz zstd lz4 bzip2 expat",
        "openssl 3.5.1-1 perl", "ca-certificates-utils 20240618-1 @any", "libpsl 0.21.5-2 python",
        "libssh2 1.11.1-1 openssl zlib", "nghttp2 1.66.0-1 openssl",
        "curl 8.15.0-1 openssl zlib zstd libpsl libssh2 nghttp2",
        "git 2.50.1-1 curl expat perl openssl zlib", "libgpg-error 1.55-1", "libassuan 3.0.2-1 libgpg-error",
        "libgcrypt 1.11.1-1 libgpg-error", "gpgme 2.0.0-1 libassuan>=3 libgpg-error",
        "pacman 7.0.0.r6.gc685ae6-1 curl libarchive gpgme",
        "ncurses 6.5-4", "readline 8.3.001-1 ncurses", "sqlite 3.50.3-1 readline zlib tcl", "tcl 8.6.16-1 zlib",
        "less 1:679-1 ncurses", "nano 8.5-1 ncurses", "htop 3.4.1-1 ncurses", "tree 2.2.1-1", "which 2.23-1",
        "diffutils 3.12-2", "patch 2.8-1", "sed 4.9-3", "gawk 5.3.2-1 readline", "which-rs 0.3.1-1 rust>=1.80",
        "bash-completion 2.16.0-1 @any", "tzdata 2025b-1 @any", "iana-etc 20250612-1 @any",
    ];

    private readonly Farm _farm = new();
    private readonly Random _random = new(1);

    public SampleFarm()
    {
        _farm.Pin(
            "x86_64",
            ("gcc", "15.1.1-3"), ("glibc", "2.41-5"), ("cmake", "4.0.3-1"), ("perl", "5.42.0-1"),
            ("python", "3.13.5-1"));
        _farm.Pass(TimeSpan.FromHours(3));
        _farm.Commit("main", Lines);
        ReportUnreadable("ttf-broken", "PKGBUILD: line 14: syntax error near unexpected token `('");
        foreach (var pkgbase in (string[])
            [
                "ncurses", "hello", "libgpg-error", "xz", "lz4", "bzip2", "tree", "which", "diffutils", "patch", "sed",
                "tzdata", "iana-etc", "bash-completion", "libassuan", "libgcrypt", "readline", "less", "nano", "htop",
                "gawk",
                "ca-certificates-utils", "libpsl", "gpgme", "zlib", "oniguruma", "pigz", "zstd", "expat",
            ])
            Build(pkgbase);
        Fail("libarchive", FailureKind.Package, "check", "2 tests of 4,532 failed",
        [
            "FAIL: test_read_format_zip_utf8_paths", "  libarchive/test/test_read_format_zip.c:1141: Assertion failed",
            "  \e[31mold and new mtime differ\e[0m", "Summary: 2 of 4532 tests failed",
            "==> ERROR: A failure occurred in check().", "    Aborting...",
        ]);
        Fail("tcl", FailureKind.Environment, "sources",
            "the download of tcl8.6.16-src.tar.gz from prdownloads.sourceforge.net stopped after 3 tries", []);
        _farm.Pass(TimeSpan.FromMinutes(4));
        _farm.Begin("openssl");
        _farm.Pass(TimeSpan.FromMinutes(1));
        _farm.Begin("jq", "bert");
        _farm.Pass(TimeSpan.FromSeconds(38));
    }

    public MasterState State => _farm.State;

    /// <summary>The pages of this farm are made of this.</summary>
    public PageInput Input => new()
    {
        State = _farm.State,
        Name = "attic",
        PublicKey = "sha256:5d0f3a1b0c7e4f7fb8a51cbb7ce9f7d0f3a11c2d35c4fe0d8f2bd1f4a8f7b6c1",
        Address = new Uri("https://farm.example.org:8443"),
        OutsideTroubles = new Dictionary<string, string>(StringComparer.Ordinal),
        Now = _farm.Now,
        Sources =
        [
            new SourceStatus
            {
                Name = "main", Kind = "git", LastSuccess = _farm.Now.AddSeconds(-42), Packages = Lines.Length,
                LastParsed = 3, TotalParsed = 1204, LastPollSeconds = 0.31, Cursor = Commit,
            },
            new SourceStatus
            {
                Name = "other", Kind = "directory", LastSuccess = _farm.Now.AddHours(-5), LastPollSeconds = 0.02,
                Error = "the directory packages-local is not there; make it, or remove the source from quarters.toml",
            },
        ],
        Builders =
        [
            Builder("anna", _farm.Now.AddSeconds(-2), null, Claim("openssl", ClaimPhase.Building, "check"),
                Claim("lib32-zlib", ClaimPhase.Reserved, null)),
            Builder("bert", _farm.Now.AddSeconds(-9), null, Claim("jq", ClaimPhase.Building, "dependencies")),
            Builder("cleo", _farm.Now.AddDays(-3), "the connection to cleo.example.net:8444 refused; is it running?"),
        ],
    };

    public Job Job(string pkgbase) => _farm.Job(pkgbase);

    /// <summary>Begins a rebuild of three packages, of which one is prepared to be built and one cannot be.</summary>
    public void Rebuild(string name)
    {
        _farm.Apply(new RebuildBegun(name, ["curl", "git", "pigz"], BumpKind.Fraction, "dependents of zlib"));
        var source = State.Packages["pigz"].Source! with { Version = "2.8-2.1" };
        _farm.Apply(new RebuildBumped(name, "pigz", new RebuildMember { Source = source }));
        _farm.Apply(new RebuildBumped(name, "curl", new RebuildMember { Problem = "its PKGBUILD has no pkgrel" }));
    }

    /// <summary>The package bases of the queue, best first.</summary>
    public IEnumerable<string> Ready => _farm.Ready;

    private static BuilderStatus Builder(
        string name, DateTimeOffset seen, string? error, params ImmutableArray<Claim> claims) => new()
        {
            Name = name,
            Url = $"https://{name}.example.net:8444/",
            PublicKey = "sha256:" + Digest(name),
            LastSeen = seen,
            Error = error,
            Claims = claims,
        };

    private Claim Claim(string pkgbase, ClaimPhase phase, string? stage)
    {
        var job = State.Packages.ContainsKey(pkgbase) ? Job(pkgbase) : null;
        return new Claim
        {
            Job = job?.Id ?? pkgbase + "-1.3.1-1-x86_64-00000000",
            Attempt = job?.Attempt ?? 1,
            Phase = phase,
            Since = _farm.Now.AddSeconds(-20),
            Stage = stage,
        };
    }

    private void ReportUnreadable(string name, string reason) => _farm.Apply(new SourcePolled(new SourceReport
    {
        Source = "main",
        Cursor = Commit,
        Unreadable =
        [
            new UnreadablePackage { Path = name, Name = name, Reason = reason, Revision = Commit, Time = _farm.Now },
        ],
        Parsed = 1,
        Total = Lines.Length + 1,
    }));

    private void Build(string pkgbase)
    {
        _farm.Begin(pkgbase);
        Assert.Equal(JobStatus.Building, _farm.Job(pkgbase).Status);
        var took = TimeSpan.FromSeconds(15 + _random.Next(200));
        _farm.Pass(took);
        var job = _farm.Job(pkgbase);
        var source = State.Packages[pkgbase].Source!;
        var files = source.Packages
            .Select(p => new ResultFile(
                $"{p.Name}-{source.Version}-{job.Architecture}.pkg.tar.zst",
                _random.Next(8_000, 6_000_000),
                Digest(p.Name)))
            .ToImmutableArray();
        _farm.Apply(new ResultAccepted("anna", Result(job, ResultOutcome.Built, took, files),
        [
            .. source.Packages.Zip(files, (package, file) => new RepositoryPackage
            {
                Name = package.Name,
                Pkgbase = pkgbase,
                Version = source.Version,
                Architecture = job.Architecture,
                FileName = file.Name,
                Sha256 = file.Sha256,
                Bytes = file.Bytes,
                Provides = package.Provides,
                Packager = source.Packager,
                Job = job.Id,
            }),
        ]));
        var repository = State.Repositories["core/x86_64"];
        _farm.Apply(new RepositoryPublished(
            "core", "x86_64", Digest(pkgbase + " db"), repository.Packages.Count * 611));
    }

    private void Fail(string pkgbase, FailureKind kind, string stage, string message, ImmutableArray<string> lastLines)
    {
        _farm.Begin(pkgbase);
        var took = TimeSpan.FromSeconds(97);
        _farm.Pass(took);
        _farm.Apply(new AttemptFailed("anna", Result(_farm.Job(pkgbase), ResultOutcome.Failed, took, []) with
        {
            Failure = new BuildFailure { Stage = stage, Kind = kind, Message = message, LastLines = lastLines },
        }));
    }

    private BuildResult Result(Job job, ResultOutcome outcome, TimeSpan took, ImmutableArray<ResultFile> files)
    {
        var seconds = took.TotalSeconds;
        return _farm.Result(job, outcome) with
        {
            Started = _farm.Now - took,
            Files = files,
            LogBytes = _random.Next(4_000, 900_000),
            Costs =
            [
                Cost("root", 0.09, 0.02, 21), Cost("dependencies", 1.4, 0.8, 88), Cost("sources", 2.1, 0.4, 40),
                Cost("prepare", seconds * 0.05, seconds * 0.04, 62), Cost("build", seconds * 0.62, seconds * 1.2, 812),
                Cost("check", seconds * 0.2, seconds * 0.17, 240), Cost("package", seconds * 0.09, seconds * 0.08, 131),
            ],
        };
    }

    private static PhaseCost Cost(string phase, double elapsed, double cpu, int mebibytes) => new()
    {
        Phase = phase,
        ElapsedSeconds = elapsed,
        CpuSeconds = cpu,
        PeakMemoryBytes = mebibytes * 1024L * 1024L,
    };

    private static string Digest(string text) => Convert.ToHexStringLower(
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
