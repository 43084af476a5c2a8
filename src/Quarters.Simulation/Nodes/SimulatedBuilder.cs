using System.Collections.Immutable;
using Quarters.Core.Builder;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Core.Planning;
using Quarters.Simulation.World;

namespace Quarters.Simulation.Nodes;

/// <summary>
/// A builder whose clock, network, disk and builds are simulated. What it decides is the shipped
/// <see cref="Claiming"/> and <see cref="BuilderMachine"/>; here is only what its shell does around them.
/// </summary>
internal sealed class SimulatedBuilder : SimulatedNode
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan BetweenNews = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly SimulatedFarm _farm;
    private readonly Disk<BuilderEvent> _disk;
    private readonly Dice _dice;
    private readonly HashSet<string> _followed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _asking = new(StringComparer.Ordinal);
    private readonly HashSet<string> _fetched = new(StringComparer.Ordinal);
    private BuilderView _view = BuilderView.Empty;
    private BuilderTerms _terms;
    private TimeSpan _wakeAt = TimeSpan.MaxValue;
    private bool _isWriting;
    private bool _isAskingDigest;
    private long _changes;
    private int _failures;

    public SimulatedBuilder(
        SimulatedFarm farm, Agenda agenda, Dice dice, int number, TimeSpan skew, ListedBuilder listed)
        : base(agenda, number, skew)
    {
        (_farm, _dice, Listed) = (farm, dice, listed);
        _disk = new Disk<BuilderEvent>(agenda, dice.For("disk"));
        _terms = new BuilderTerms(listed.PublicKey, listed.Architectures, listed.Slots, Draining: false);
        Document = new Published<BuilderStateDocument>(agenda);
    }

    public string Name => Listed.Name;

    /// <summary>How the master lists it.</summary>
    public ListedBuilder Listed { get; }

    /// <summary>What it shows.</summary>
    public Published<BuilderStateDocument> Document { get; }

    public BuilderState State { get; private set; } = BuilderState.Empty;

    /// <summary>The attempts that it really builds at this moment.</summary>
    public HashSet<string> Running { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether its machine is sick: builds fail there for reasons of their own.</summary>
    public bool IsSick { get; set; }

    /// <summary>Builders whose documents and orders it holds in memory, for the check that they are bounded.</summary>
    public int Remembered => _view.Peers.Count + _view.Passed.Count + _view.Posted.Count + _view.Begun.Count
        + _view.Jobs.Count + _followed.Count + _fetched.Count;

    /// <summary>It takes nothing new from now on.</summary>
    public void Drain()
    {
        _terms = _terms with { Draining = true };
        Show();
        Step();
    }

    protected override void Begin()
    {
        State = BuilderState.Empty;
        foreach (var (happened, time) in _disk.Synced) State = BuilderMachine.Apply(State, happened, time);
        _isWriting = true;
        Write([new Started("simulated"), .. BuilderMachine.AfterRestart(State)], () =>
        {
            FollowQueue(0);
            FollowRoster(0);
            ShowAlive();
        });
    }

    protected override void End()
    {
        _disk.Crash();
        _view = BuilderView.Empty;
        _followed.Clear();
        _asking.Clear();
        _fetched.Clear();
        Running.Clear();
        _farm.Watch.BuildsEnded(this);
        (_isWriting, _isAskingDigest, _failures, _wakeAt) = (false, false, 0, TimeSpan.MaxValue);
        Document.Forget();
    }

    /// <summary>Does what the claims want next.</summary>
    private void Step()
    {
        if (_isWriting || !IsUp) return;
        FollowJobs();
        var step = Claiming.Next(State, _view, _terms, _farm.Pace, Agenda.Now);
        _view = step.View;
        if (!step.Record.IsEmpty)
        {
            _isWriting = true;
            Write(step.Record, () => { });
            return;
        }

        foreach (var (key, after) in step.ReadPeers) ReadPeer(key, after);
        if (step.ReadDigest) ReadDigest();
        if (step.WakeAt is not { } at || (at >= _wakeAt && _wakeAt > Agenda.Now)) return;
        _wakeAt = at;
        Later(at - Agenda.Now, () =>
        {
            if (_wakeAt != at) return;
            _wakeAt = TimeSpan.MaxValue;
            Step();
        });
    }

    private void Write(ImmutableArray<BuilderEvent> events, Action then) => _disk.Append(events, Clock, () =>
    {
        foreach (var happened in events)
        {
            State = BuilderMachine.Apply(State, happened, Clock);
            Note(happened);
        }

        _changes = 0;
        _isWriting = false;
        Show();
        then();
        Step();
    });

    /// <summary>What an event means for what runs and for what is known.</summary>
    private void Note(BuilderEvent happened)
    {
        switch (happened)
        {
            case Reserved { Job: var job }:
                Post(job);
                // Sources and dependencies come while the other build runs.
                Later(_farm.FetchTime, () =>
                {
                    if (State.Claims.Any(c => c.Job.Id == job.Id && c.Job.Attempt == job.Attempt))
                        _fetched.Add(JobId.AttemptName(job.Id, job.Attempt));
                });
                break;
            case Claimed { Job: var job }:
                Post(job);
                break;
            case BuildBegun begun:
                Build(State.Claims.First(c => c.Job.Id == begun.Job && c.Job.Attempt == begun.Attempt).Job);
                break;
            case BuildEnded { Result: var result }:
                Forget(result.Job, result.Attempt);
                break;
            case ClaimDropped dropped:
                Forget(dropped.Job, dropped.Attempt);
                break;
            case ResultSettled settled:
                Forget(settled.Job, settled.Attempt);
                break;
        }

        void Post(QueueJob job) => _view = _view with
        {
            Posted = _view.Posted.SetItem(JobId.AttemptName(job.Id, job.Attempt), Agenda.Now),
        };
    }

    private void Forget(string job, int attempt)
    {
        var name = JobId.AttemptName(job, attempt);
        _fetched.Remove(name);
        if (Running.Remove(name)) _farm.Watch.BuildEnded(this, name);
        _view = _view with
        {
            Posted = _view.Posted.Remove(name),
            Begun = _view.Begun.Remove(name),
            Jobs = IsNeeded(job) ? _view.Jobs : _view.Jobs.Remove(job),
        };
    }

    private bool IsNeeded(string job) =>
        State.Claims.Any(c => c.Job.Id == job && c.Phase != ClaimPhase.Reserved)
        || State.Results.Any(r => r.Job == job);

    private void Build(QueueJob job)
    {
        var name = JobId.AttemptName(job.Id, job.Attempt);
        _view = _view with { Begun = _view.Begun.SetItem(name, Agenda.Now) };
        Running.Add(name);
        _farm.Watch.BuildBegan(this, job);
        var started = Clock;
        var run = _farm.Scenario.Run(this, job);
        var took = run.Takes + (_fetched.Contains(name) ? TimeSpan.Zero : _farm.FetchTime);
        Later(took, () =>
        {
            if (!Running.Contains(name)) return;
            if (run.Kills)
            {
                _farm.Kill(this);
                return;
            }

            End(job, name, new BuildResult
            {
                Job = job.Id,
                Attempt = job.Attempt,
                Snapshot = job.Snapshot,
                Outcome = run.Failure is null ? ResultOutcome.Built : ResultOutcome.Failed,
                Failure = run.Failure,
                Started = started,
                Finished = Clock,
            });
        });
    }

    private void End(QueueJob job, string name, BuildResult result)
    {
        // Another event may be on its way to the disk.
        if (_isWriting)
        {
            Later(TimeSpan.FromMilliseconds(5), () =>
            {
                if (Running.Contains(name)) End(job, name, result);
            });
            return;
        }

        _isWriting = true;
        Write([new BuildEnded(result)], () => { });
    }

    private void Show()
    {
        Document.Set(new BuilderStateDocument
        {
            Revision = (State.Revision * BuilderMachine.ChangesPerEvent) + _changes,
            Name = Name,
            Architectures = Listed.Architectures,
            Slots = Listed.Slots,
            Weight = Listed.Weight,
            Draining = _terms.Draining,
            Alive = Clock,
            Claims =
            [
                .. State.Claims.Select(c => new Claim
                {
                    Job = c.Job.Id,
                    Attempt = c.Job.Attempt,
                    Phase = c.Phase,
                    Since = c.Since,
                    Snapshot = c.Job.Snapshot,
                }),
            ],
            Results = State.Results,
            GivenUp = State.GivenUp,
        });
    }

    private void ShowAlive() => Later(SignOfLife, () =>
    {
        _changes++;
        if (!_isWriting) Show();
        ShowAlive();
    });

    private void FollowQueue(long known)
    {
        var asked = Agenda.Now;
        _farm.Network.Pull(this, _farm.Master, "queue", () => _farm.Master.Queue, known, Wait, pulled =>
        {
            if (pulled.Value is { } queue)
            {
                _view = _view.WithQueue(queue, Agenda.Now);
                Step();
            }

            var isFailed = pulled.End is PullEnd.Failed or PullEnd.Missing;
            _failures = isFailed ? _failures + 1 : 0;
            var pause = isFailed ? Pause(_failures) : BetweenNews - (Agenda.Now - asked);
            Later(pause, () => FollowQueue(isFailed ? known : pulled.Version));
        });
    }

    private void FollowRoster(long known) =>
        _farm.Network.Pull(this, _farm.Master, "builders", () => _farm.Master.Roster, known, Wait, pulled =>
        {
            if (pulled.Value is { } roster)
            {
                var standing = new Standing(roster, _view.Standing.Digest);
                _view = _view.WithStanding(standing, _view.DigestAskedAt, Agenda.Now);
                Step();
            }

            var isFailed = pulled.End is PullEnd.Failed or PullEnd.Missing;
            Later(isFailed ? Pause(3) : TimeSpan.FromSeconds(5), () => FollowRoster(isFailed ? known : pulled.Version));
        });

    /// <summary>Follows what the master says of each job that is claimed or has a result here.</summary>
    private void FollowJobs()
    {
        foreach (var claim in State.Claims)
        {
            if (claim.Phase != ClaimPhase.Reserved) FollowJob(claim.Job.Id);
        }

        foreach (var result in State.Results) FollowJob(result.Job);
    }

    private void FollowJob(string id)
    {
        if (_followed.Add(id)) Ask(0, 0, 0);

        void Ask(long known, int missing, int failures) =>
            _farm.Network.Pull(this, _farm.Master, "jobs", () => _farm.Master.FindJob(id), known, Wait, pulled =>
            {
                if (!IsNeeded(id))
                {
                    _followed.Remove(id);
                    _view = _view with { Jobs = _view.Jobs.Remove(id) };
                    return;
                }

                missing = pulled.End == PullEnd.Missing ? missing + 1 : 0;
                failures = pulled.End == PullEnd.Failed ? failures + 1 : 0;
                if (pulled.Value is not null || missing >= 3)
                {
                    _view = _view with { Jobs = _view.Jobs.SetItem(id, new JobSighting(Agenda.Now, pulled.Value)) };
                    Step();
                }

                var pause = missing + failures > 0 ? Pause(missing + failures) : TimeSpan.FromMilliseconds(250);
                var next = pulled.Version == 0 ? known : pulled.Version;
                Later(pause, () => Ask(next, missing, failures));
            });
    }

    private void ReadPeer(string key, TimeSpan after)
    {
        if (_asking.TryGetValue(key, out var since) && since >= after) return;
        var asked = Agenda.Now;
        _asking[key] = asked;
        var peer = _farm.BuilderByKey(key);
        _farm.Network.Pull(this, peer, "peers", () => peer.Document, 0, TimeSpan.Zero, pulled =>
        {
            if (_asking.GetValueOrDefault(key) == asked) _asking.Remove(key);
            if (_view.Peers.TryGetValue(key, out var known) && known.AskedAt > asked) return;
            _view = _view with
            {
                Peers = _view.Peers.SetItem(key, new PeerSighting(asked, Agenda.Now, pulled.Value)),
            };
            Step();
        });
    }

    private void ReadDigest()
    {
        if (_isAskingDigest) return;
        _isAskingDigest = true;
        var asked = Agenda.Now;
        _farm.Network.Pull(this, _farm.Master, "digest", () => _farm.Master.FindDigest(), 0, TimeSpan.Zero, pulled =>
        {
            _isAskingDigest = false;
            // Without an answer what is known has to do for a while.
            _view = pulled.Value is { } standing
                ? _view.WithStanding(standing, asked, Agenda.Now)
                : _view with { DigestAskedAt = asked };
            Step();
        });
    }

    private TimeSpan Pause(int failures)
    {
        var doubled = FirstPause * Math.Pow(2, Math.Min(10, failures - 1));
        return (doubled < LongestPause ? doubled : LongestPause) * (0.5 + (_dice.Next() / 2));
    }
}
