using Quarters.Core.Builder;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Tests;

/// <summary>Builders that claim by hand: a test says who reads whom, and when the master has seen whom.</summary>
internal sealed class ClaimFarm
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private readonly Dictionary<string, ClaimingBuilder> _builders = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly HashSet<string> _drained = new(StringComparer.Ordinal);

    public ClaimFarm(params string[] names)
        : this(names.ToDictionary(n => n, _ => 1.0))
    {
    }

    public ClaimFarm(IReadOnlyDictionary<string, double> weights)
    {
        Roster = new Roster([.. weights.Select(w => new ListedBuilder
        {
            Name = w.Key,
            Url = $"https://{w.Key}.example.org/",
            PublicKey = KeyOf(w.Key),
            Architectures = ["x86_64"],
            Weight = w.Value,
        })]);
        foreach (var name in weights.Keys) _builders[name] = new ClaimingBuilder(this, name);
    }

    public Roster Roster { get; }

    public TimeSpan Now { get; private set; } = TimeSpan.FromMinutes(1);

    public ClaimPace Pace { get; } = new();

    public List<QueueJob> Jobs { get; } = [];

    /// <summary>What the master says of every job.</summary>
    public JobStatus Status { get; set; } = JobStatus.Ready;

    public ClaimingBuilder this[string name] => _builders[name];

    public static string KeyOf(string name) => $"sha256:{name}";

    public void Pass(TimeSpan time) => Now += time;

    public QueueJob Offer(string pkgbase, Func<QueueJob, QueueJob>? but = null)
    {
        var job = new QueueJob
        {
            Id = JobId.Of(pkgbase, "1-1", "x86_64", new string('0', 64)),
            Attempt = 1,
            Pkgbase = pkgbase,
            Version = "1-1",
            Architecture = "x86_64",
            SourceSha256 = new string('0', 64),
            SourceBytes = 1,
            Snapshot = new string('0', 64),
            BasePackages = [],
            Dependencies = [],
            Packages = [new WantedPackage(pkgbase, "x86_64")],
            Packager = "Jane Dev <jane@example.org>",
            SourceDateEpoch = 0,
            Priority = 1,
            EstimatedSeconds = 100,
            ReadyAt = MasterNow,
            Limits = new BuildLimits(),
        };
        job = but?.Invoke(job) ?? job;
        Jobs.Add(job);
        return job;
    }

    /// <summary>Of two builders the one that wins a job where both have claimed it.</summary>
    public (string Better, string Worse) Ranked(QueueJob job, string a, string b)
    {
        var name = JobId.AttemptName(job.Id, job.Attempt);
        return Rendezvous.Wins(
            Rendezvous.Lot(name, KeyOf(a)), KeyOf(a), Rendezvous.Lot(name, KeyOf(b)), KeyOf(b)) ? (a, b) : (b, a);
    }

    /// <summary>All builders but one.</summary>
    public IEnumerable<string> Others(string name) => _builders.Keys.Where(other => other != name);

    /// <summary>The master reads a builder.</summary>
    public void See(string name) => _seen.Add(name);

    /// <summary>An operator has the master drain a builder, which does not know of it yet.</summary>
    public void Drain(string name) => _drained.Add(name);

    /// <summary>A builder looks for something to do; the master then sees it, and shows that of a job.</summary>
    public void SettleSeen(string name, QueueJob job)
    {
        this[name].Settle();
        See(name);
        this[name].ReadJob(job);
        this[name].Settle();
    }

    public QueueDocument Queue => new()
    {
        Revision = 1,
        Time = MasterNow,
        Outlook = new Outlook(1e9, 1e9),
        Jobs = [.. Jobs],
    };

    public DateTimeOffset MasterNow => Noon + Now;

    public DigestDocument Digest => new()
    {
        Revision = 1,
        Time = MasterNow,
        Builders =
        [
            .. _builders.Values.Select(b => new DigestBuilder
            {
                PublicKey = KeyOf(b.Name),
                Revision = 1,
                LastSeen = MasterNow,
                FreeSlots = b.State.Claims.Any(c => c.Phase != ClaimPhase.Reserved) ? 0 : 1,
                FreeAt = Noon,
            }),
        ],
    };

    public JobDocument Document(QueueJob job) => new()
    {
        Revision = 1,
        Reason = "",
        Job = new Job
        {
            Id = job.Id,
            Pkgbase = job.Pkgbase,
            Version = job.Version,
            Architecture = job.Architecture,
            SourceSha256 = job.SourceSha256,
            Status = Status,
            Since = Noon,
            Created = Noon,
            Attempt = job.Attempt,
        },
        Seen =
        [
            .. _builders.Values.Where(b => _seen.Contains(b.Name))
                .SelectMany(b => b.Said.Claims.Where(c => c.Job == job.Id)
                    .Select(c => new SeenClaim(
                        KeyOf(b.Name), c.Attempt, c.Phase, b.Said.Revision, _drained.Contains(b.Name)))),
        ],
    };
}

/// <summary>One of them.</summary>
internal sealed class ClaimingBuilder(ClaimFarm farm, string name)
{
    private BuilderView _view = BuilderView.Empty;

    public string Name => name;

    public BuilderState State { get; private set; } = BuilderState.Empty;

    /// <summary>Whether others can read it.</summary>
    public bool IsOutOfReach { get; set; }

    public BuilderTerms Terms { get; set; } = new(ClaimFarm.KeyOf(name), ["x86_64"], 1, Draining: false);

    public IEnumerable<(string Pkgbase, ClaimPhase Phase)> Claims => State.Claims.Select(c => (c.Job.Pkgbase, c.Phase));

    public BuilderStateDocument Said => new()
    {
        Revision = State.Revision * BuilderMachine.ChangesPerEvent,
        Name = name,
        Architectures = Terms.Architectures,
        Slots = Terms.Slots,
        Alive = default,
        Claims =
        [
            .. State.Claims.Select(c => new Claim
            {
                Job = c.Job.Id,
                Attempt = c.Job.Attempt,
                Phase = c.Phase,
                Since = c.Since,
            }),
        ],
        Results = State.Results,
    };

    /// <summary>The master's documents as they are now.</summary>
    public void ReadMaster()
    {
        _view = _view.WithQueue(farm.Queue, farm.Now);
        _view = _view.WithStanding(new Standing(farm.Roster, farm.Digest), farm.Now, farm.Now);
    }

    /// <summary>What the master says of a job.</summary>
    public void ReadJob(QueueJob job) => _view = _view with
    {
        Jobs = _view.Jobs.SetItem(job.Id, new JobSighting(farm.Now, farm.Document(job))),
    };

    /// <summary>One step: what is to be recorded is recorded and shown.</summary>
    public ClaimStep Step()
    {
        var step = Claiming.Next(State, _view, Terms, farm.Pace, farm.Now);
        _view = step.View;
        foreach (var happened in step.Record)
        {
            State = BuilderMachine.Apply(State, happened, default);
            if (happened is Claimed { Job: var claimed }) Post(claimed);
            if (happened is Reserved { Job: var reserved }) Post(reserved);
            if (happened is BuildBegun begun) Begin(JobId.AttemptName(begun.Job, begun.Attempt));
        }

        return step;

        void Post(QueueJob job) => _view = _view with
        {
            Posted = _view.Posted.SetItem(JobId.AttemptName(job.Id, job.Attempt), farm.Now),
        };

        void Begin(string attempt) => _view = _view with { Begun = _view.Begun.SetItem(attempt, farm.Now) };
    }

    /// <summary>Steps, and reads whom it wants to read, until it wants nothing more.</summary>
    public void Settle()
    {
        ReadMaster();
        for (var i = 0; i < 20; i++)
        {
            var step = Step();
            if (step.Record.IsEmpty && step.ReadPeers.IsEmpty && !step.ReadDigest) return;
            if (step.ReadDigest) ReadMaster();
            foreach (var key in step.ReadPeers.Keys) Read(key);
        }

        Assert.Fail($"{name} comes to no rest");
    }

    /// <summary>Answers come from peers, which say what they did before this moment, or nothing yet.</summary>
    public void Answer(IEnumerable<string> peers, bool nothing)
    {
        foreach (var peer in peers)
        {
            var said = farm[peer].Said;
            _view = _view with
            {
                Peers = _view.Peers.SetItem(ClaimFarm.KeyOf(peer), new PeerSighting(
                    farm.Now, farm.Now, nothing ? said with { Revision = 0, Claims = [] } : said)),
            };
        }
    }

    private void Read(string key)
    {
        var peer = farm[key["sha256:".Length..]];
        _view = _view with
        {
            Peers = _view.Peers.SetItem(key, new PeerSighting(
                farm.Now, farm.Now, peer.IsOutOfReach ? null : peer.Said)),
        };
    }
}
