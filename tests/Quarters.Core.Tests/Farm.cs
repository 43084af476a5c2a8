using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core.Tests;

/// <summary>A master in a test: packages are written in a line, time moves by a second with each event.</summary>
internal sealed class Farm
{
    private readonly Dictionary<string, int> _revisions = [];
    private DateTimeOffset _time = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    public Farm(params string[] architectures)
    {
        Apply(new Configured(Settings(architectures)));
        foreach (var architecture in State.Settings!.Architectures)
            Pin(architecture, ("gcc", "12-1"), ("glibc", "2.36-1"));
    }

    public MasterState State { get; private set; } = MasterState.Empty;

    public MasterStep Last { get; private set; } = new(MasterState.Empty, [], [], []);

    public List<(MasterEvent Event, DateTimeOffset Time)> Journal { get; } = [];

    public DateTimeOffset Now => _time;

    public void Pass(TimeSpan time) => _time += time;

    public static MasterSettings Settings(params string[] architectures) => new()
    {
        Architectures = architectures.Length == 0 ? ["x86_64"] : [.. architectures],
        Repositories = ["core"],
        Outside = [new OutsideRepository("base", ["file:///srv/$repo/$arch"])],
        Sources = ["main", "other"],
        Builders = [new ValidatedBuilder("anna", "https://127.0.0.1:1", "sha256:00", ["x86_64"])],
        BasePackages = ["base-devel"],
    };

    public void Pin(string architecture, params (string Name, string Version)[] packages) => Apply(
        new OutsidePinned("base", architecture, new string('b', 64), 1)
        {
            Index = PackageIndex.Of([.. packages.Select(p => new OfferedPackage(p.Name, p.Version, []))]),
        });

    public MasterStep Apply(MasterEvent happened)
    {
        _time += TimeSpan.FromSeconds(1);
        Journal.Add((happened, _time));
        Last = MasterMachine.Apply(State, happened, _time);
        State = Last.State;
        return Last;
    }

    /// <summary>A poll that finds these packages: <c>NAME VERSION [needs…] [+provides…]</c>.</summary>
    public void Commit(params string[] packages) => Commit("main", packages);

    public void Commit(string source, string[] packages) => Apply(new SourcePolled(new SourceReport
    {
        Source = source,
        Cursor = Guid.NewGuid().ToString(),
        Changed = [.. packages.Select(p => Package(source, p))],
        Parsed = packages.Length,
        Total = packages.Length,
    }));

    public SourcePackage Package(string source, string line)
    {
        var words = line.Split(' ');
        var revision = _revisions[words[0]] = _revisions.GetValueOrDefault(words[0]) + 1;
        var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(
            System.Text.Encoding.UTF8.GetBytes($"{line} {revision}")));
        return new SourcePackage
        {
            Pkgbase = words[0],
            Version = words[1],
            Architectures = [words.FirstOrDefault(w => w.StartsWith('@'))?[1..] ?? "x86_64"],
            Dependencies = new BuildDependencies
            {
                Makedepends = [.. words.Skip(2).Where(
                w => w[0] is not ('+' or '@'))]
            },
            Packages =
            [
                new PackageOutput
                {
                    Name = words[0],
                    Architectures = [words.FirstOrDefault(w => w.StartsWith('@'))?[1..] ?? "x86_64"],
                    Provides = [.. words.Where(w => w[0] == '+').Select(w => w[1..])],
                },
            ],
            Packager = "Jane Doe <jane@example.org>",
            Repository = "core",
            Origin = new SourceOrigin
            {
                Source = source,
                Kind = "git",
                Location = "https://example.org/packages.git",
                Path = words[0],
                Revision = $"r{revision}",
                Time = _time,
            },
            TreeSha256 = digest,
            ArchiveSha256 = digest,
            ArchiveBytes = 100,
        };
    }

    public Job Job(string pkgbase) => State.Jobs[State.Packages[pkgbase].Jobs[^1]];

    public void Begin(string pkgbase, string builder = "anna") =>
        Apply(new ClaimSeen(Job(pkgbase).Id, Job(pkgbase).Attempt, builder));

    public void Build(string pkgbase)
    {
        Begin(pkgbase);
        Accept(pkgbase);
    }

    public void Accept(string pkgbase, string builder = "anna", char digest = 'a')
    {
        var job = Job(pkgbase);
        var source = State.Packages[pkgbase].Source!;
        Apply(new ResultAccepted(builder, Result(job, ResultOutcome.Built),
        [
            .. source.Packages.Select(p => new RepositoryPackage
            {
                Name = p.Name,
                Pkgbase = pkgbase,
                Version = source.Version,
                Architecture = job.Architecture,
                FileName = $"{p.Name}-{source.Version}-{job.Architecture}.pkg.tar.zst",
                Sha256 = new string(digest, 64),
                Bytes = 10,
                Provides = p.Provides,
                Job = job.Id,
            }),
        ]));
    }

    public void Fail(string pkgbase, FailureKind kind, string builder = "anna") =>
        Apply(new AttemptFailed(builder, Result(Job(pkgbase), ResultOutcome.Failed) with
        {
            Failure = new BuildFailure { Stage = "build", Kind = kind, Message = "make: *** [all] Error 2" },
        }));

    /// <summary>What a builder adds to the results that it presents.</summary>
    public Func<BuildResult, BuildResult> Told { get; set; } = result => result;

    public BuildResult Result(Job job, ResultOutcome outcome) => Told(new BuildResult
    {
        Job = job.Id,
        Attempt = job.Attempt,
        Snapshot = Snapshots.Of(State, "x86_64")?.Id ?? "",
        Outcome = outcome,
        Started = _time,
        Finished = _time,
    });

    public IEnumerable<string> Ready => Projection.Queue(State, DateTimeOffset.MaxValue).Jobs.Select(j => j.Pkgbase);
}
