using System.Collections.Immutable;
using Quarters.Core.Builder;
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
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(60);

    private readonly SimulatedFarm _farm;
    private readonly Disk<BuilderEvent> _disk;
    private readonly Dice _dice;
    private readonly HashSet<string> _fetched = new(StringComparer.Ordinal);
    private SimulatedReading _reading;
    private BuilderTerms _terms;
    private TimeSpan _wakeAt = TimeSpan.MaxValue;
    private bool _isWriting;
    private long _changes;

    public SimulatedBuilder(
        SimulatedFarm farm, Agenda agenda, Dice dice, int number, TimeSpan skew, ListedBuilder listed)
        : base(agenda, number, skew)
    {
        (_farm, _dice, Listed) = (farm, dice, listed);
        _disk = new Disk<BuilderEvent>(agenda, dice.For("disk"));
        _terms = new BuilderTerms(listed.PublicKey, listed.Architectures, listed.Slots, Draining: false);
        Document = new Published<BuilderStateDocument>(agenda);
        _reading = NewReading();
    }

    public string Name => Listed.Name;

    /// <summary>How the master lists it.</summary>
    public ListedBuilder Listed { get; }

    /// <summary>What it shows.</summary>
    public Published<BuilderStateDocument> Document { get; }

    public BuilderState State { get; private set; } = BuilderState.Empty;

    /// <summary>What it knows of others.</summary>
    public BuilderView View { get; set; } = BuilderView.Empty;

    /// <summary>The attempts that it really builds at this moment.</summary>
    public HashSet<string> Running { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether its machine is sick: builds fail there for reasons of their own.</summary>
    public bool IsSick { get; set; }

    /// <summary>Builders whose documents and orders it holds in memory, for the check that they are bounded.</summary>
    public int Remembered => View.Peers.Count + View.Passed.Count + View.Posted.Count + View.Begun.Count
        + View.Jobs.Count + _reading.Followed + _fetched.Count;

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
            _reading.Begin();
            ShowAlive();
        });
    }

    protected override void End()
    {
        _disk.Crash();
        View = BuilderView.Empty;
        _reading = NewReading();
        _fetched.Clear();
        Running.Clear();
        _farm.Watch.BuildsEnded(this);
        (_isWriting, _wakeAt) = (false, TimeSpan.MaxValue);
        Document.Forget();
    }

    /// <summary>Whether what the master says of a job matters here.</summary>
    public bool IsNeeded(string job) =>
        State.Claims.Any(c => c.Job.Id == job && c.Phase != ClaimPhase.Reserved)
        || State.Results.Any(r => r.Job == job);

    /// <summary>Whether a job is claimed, and not yet built, here.</summary>
    public bool IsClaimed(string job) => State.Claims.Any(c => c.Job.Id == job && c.Phase == ClaimPhase.Claimed);

    /// <summary>Does what the claims want next.</summary>
    public void Step()
    {
        if (_isWriting || !IsUp) return;
        _reading.FollowJobs();
        var step = Claiming.Next(State, View, _terms, _farm.Pace, Agenda.Now);
        View = step.View;
        if (!step.Record.IsEmpty)
        {
            _isWriting = true;
            Write(step.Record, () => { });
            return;
        }

        foreach (var (key, after) in step.ReadPeers) _reading.ReadPeer(key, after);
        if (step.ReadDigest) _reading.ReadDigest();
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

        void Post(QueueJob job) => View = View with
        {
            Posted = View.Posted.SetItem(JobId.AttemptName(job.Id, job.Attempt), Agenda.Now),
        };
    }

    private void Forget(string job, int attempt)
    {
        var name = JobId.AttemptName(job, attempt);
        _fetched.Remove(name);
        if (Running.Remove(name)) _farm.Watch.BuildEnded(this, name);
        View = View with
        {
            Posted = View.Posted.Remove(name),
            Begun = View.Begun.Remove(name),
            Jobs = IsNeeded(job) ? View.Jobs : View.Jobs.Remove(job),
        };
    }

    private void Build(QueueJob job)
    {
        var name = JobId.AttemptName(job.Id, job.Attempt);
        View = View with { Begun = View.Begun.SetItem(name, Agenda.Now) };
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
                Files = run.Failure is null ? [new ResultFile(job.Pkgbase, 1, run.Sha256)] : [],
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

    private SimulatedReading NewReading() => new(_farm, this, Agenda, _dice);

    private void ShowAlive() => Later(SignOfLife, () =>
    {
        _changes++;
        if (!_isWriting) Show();
        ShowAlive();
    });
}
