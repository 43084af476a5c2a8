using System.Collections.Immutable;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Simulation.World;

namespace Quarters.Simulation.Nodes;

/// <summary>
/// A master whose clock, network and disk are simulated. What it decides is the shipped <see cref="MasterMachine"/>,
/// <see cref="BuilderReview"/> and <see cref="Projection"/>; here is only what its shell does around them.
/// </summary>
internal sealed class SimulatedMaster : SimulatedNode
{
    private static readonly TimeSpan RenderInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DigestInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PollWait = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly SimulatedFarm _farm;
    private readonly Disk<MasterEvent> _disk;
    private readonly Dice _dice;
    private readonly MasterState _snapshot;
    private readonly Dictionary<string, BuilderSighting> _sightings = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Published<JobDocument>> _followed = new(StringComparer.Ordinal);
    private List<MasterEvent> _inbox = [];
    private readonly HashSet<string> _collecting = new(StringComparer.Ordinal);
    private List<Action> _afterWrite = [];
    private bool _isWriting;
    private bool _isRenderPlanned;
    private DateTimeOffset? _nextInQueue;
    private DateTimeOffset _began;
    private TimeSpan _digestAt;
    private long _digestRevision;

    public SimulatedMaster(SimulatedFarm farm, Agenda agenda, Dice dice, TimeSpan skew, MasterState snapshot)
        : base(agenda, 0, skew)
    {
        (_farm, _dice, _snapshot) = (farm, dice, snapshot);
        _disk = new Disk<MasterEvent>(agenda, dice.For("master's disk"));
        State = snapshot;
        Queue = new Published<QueueDocument>(agenda) { HasCache = true };
        Digest = new Published<Standing>(agenda) { HasCache = true };
        Roster = new Published<Roster>(agenda);
    }

    public MasterState State { get; private set; }

    public Published<QueueDocument> Queue { get; }

    /// <summary>The digest, ready to be used: laid over the roster once for all who read it.</summary>
    public Published<Standing> Digest { get; }

    public Published<Roster> Roster { get; }

    /// <summary>What the journal would say after a crash.</summary>
    public IReadOnlyList<(MasterEvent Event, DateTimeOffset Time)> Journal => _disk.Synced;

    /// <summary>Whether nothing is on its way into its state.</summary>
    public bool IsIdle => !_isWriting && _inbox.Count == 0;

    /// <summary>Whether it could not read a builder for longer than a lease.</summary>
    public bool HasLost(SimulatedBuilder builder) =>
        _sightings.TryGetValue(builder.Name, out var sighting) && sighting.IsLost(Lease, Clock);

    /// <summary>Finds the digest to answer with; it is made only when somebody asks, and not more often than once a
    /// second.</summary>
    public Published<Standing>? FindDigest()
    {
        if (Roster.Value is not { } roster) return null;
        if (Digest.Value is not null && Agenda.Now - _digestAt < DigestInterval) return Digest;
        _digestAt = Agenda.Now;
        Digest.Set(new Standing(roster, BuilderSightings.Digest(
            State.Builders.Values.Select(b => (b.PublicKey, _sightings.GetValueOrDefault(b.Name))), _farm.Estimate,
            Lease, ++_digestRevision, Clock)));
        return Digest;
    }

    /// <summary>Finds the document of a job.</summary>
    public Published<JobDocument>? FindJob(string id)
    {
        if (_followed.TryGetValue(id, out var known)) return known;
        if (!State.Jobs.TryGetValue(id, out var job)) return null;
        var published = new Published<JobDocument>(Agenda);
        published.Set(Describe(job));
        return _followed[id] = published;
    }

    /// <summary>Records events, and goes on when they are true.</summary>
    public void Record(IEnumerable<MasterEvent> events, Action? then = null)
    {
        _inbox.AddRange(events);
        if (then is not null) _afterWrite.Add(then);
        if (!_isWriting) Write();
    }

    protected override void Begin()
    {
        // What was synced is all that it knows.
        var state = _snapshot;
        foreach (var (happened, time) in _disk.Synced) state = MasterMachine.Apply(state, happened, time).State;
        (State, _began) = (state, Clock);
        ShowBuilders();
        PlanRender();
    }

    protected override void End()
    {
        _disk.Crash();
        _inbox.Clear();
        _afterWrite.Clear();
        _collecting.Clear();
        _sightings.Clear();
        _followed.Clear();
        (_isWriting, _isRenderPlanned, _nextInQueue) = (false, false, null);
        Queue.Forget();
        Digest.Forget();
        Roster.Forget();
    }

    private TimeSpan Lease => TimeSpan.FromSeconds(State.Settings!.LeaseSeconds);

    private void ShowBuilders()
    {
        foreach (var builder in State.Builders.Values)
        {
            if (_sightings.ContainsKey(builder.Name)) continue;
            _sightings[builder.Name] = new BuilderSighting
            {
                Name = builder.Name,
                Url = builder.Url,
                PublicKey = builder.PublicKey,
                PolledSince = Clock,
            };
            Poll(_farm.Builder(builder.Name), 0, 0);
        }

        Roster.Set(new Roster(Projection.Builders(State).Builders));
    }

    private void Poll(SimulatedBuilder builder, long known, int failures) => _farm.Network.Pull(
        this, builder, "builder", () => builder.Document, known, PollWait, pulled =>
        {
            var sighting = _sightings[builder.Name];
            if (pulled.End is PullEnd.Failed or PullEnd.Missing)
            {
                Expire(builder, sighting);
                var pause = ShortestPause * Math.Pow(2, Math.Min(failures + 1, 12));
                Later(pause < LongestPause ? pause : LongestPause, () => Poll(builder, known, failures + 1));
                return;
            }

            var wasLost = sighting.IsLost(Lease, Clock);
            _sightings[builder.Name] = pulled.Value is { } said
                ? sighting.Hearing(said, Clock)
                : sighting with { LastSeen = Clock };
            if (wasLost || pulled.Value is not null) ShowClaims(sighting, _sightings[builder.Name]);
            Review(builder, _sightings[builder.Name].Said!);
            Later(ShortestPause, () => Poll(builder, pulled.Version, 0));
        });

    private void Expire(SimulatedBuilder builder, BuilderSighting sighting)
    {
        if (!sighting.IsLost(Lease, Clock)) return;
        var expired = BuilderReview.Expire(
            State, builder.Name, sighting.Said, sighting.MovedAt ?? sighting.PolledSince,
            _sightings.Values.Where(s => s.Name != builder.Name).Max(s => s.LastSeen), Clock);
        ShowClaims(sighting, sighting);
        if (!expired.IsEmpty) Record(expired);
    }

    private void Review(SimulatedBuilder builder, BuilderStateDocument said)
    {
        var reviewed = BuilderReview.Read(State, builder.Name, said, Clock);
        if (!reviewed.Events.IsEmpty) Record(reviewed.Events);
        foreach (var result in reviewed.Collect) Collect(builder, result);
    }

    /// <summary>The files are fetched, checked, and accepted; the builder may die meanwhile.</summary>
    private void Collect(SimulatedBuilder builder, BuildResult result)
    {
        var name = JobId.WitnessName(result.Job, result.Attempt, builder.Name);
        if (!_collecting.Add(name)) return;
        var transfer = _dice.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));
        Later(transfer, () =>
        {
            _collecting.Remove(name);
            if (!_farm.Network.IsReachable(this, builder) || !State.Jobs.TryGetValue(result.Job, out var job)
                || !job.IsOpen || job.Attempt != result.Attempt || !Agreement.IsNews(job, builder.Name, result))
                return;
            if (Snapshots.FindFault(State, job, result.Snapshot) is { } fault)
            {
                Record([new ResultRefused(builder.Name, result, fault)]);
                return;
            }

            if (!Agreement.IsReached(job, builder.Name, result))
            {
                Record([new ResultWitnessed(builder.Name, result, null)]);
                return;
            }

            var source = State.Packages[job.Pkgbase].Source!;
            Record([new ResultAccepted(builder.Name, result,
            [
                .. Acceptance.Wanted(source, State.Settings!.Architectures[0]).Select(wanted => new RepositoryPackage
                {
                    Name = wanted.Name,
                    Pkgbase = job.Pkgbase,
                    Version = job.Version,
                    Architecture = wanted.Architecture,
                    FileName = $"{wanted.Name}-{job.Version}-{wanted.Architecture}.pkg.tar.zst",
                    Sha256 = job.SourceSha256,
                    Bytes = 1,
                    Packager = source.Packager,
                    Job = job.Id,
                }),
            ])]);
        });
    }

    /// <summary>What a batch makes of the state is seen when its repositories are published, and not before.</summary>
    private void Write()
    {
        if (_inbox.Count == 0) return;
        _isWriting = true;
        ImmutableArray<MasterEvent> batch = [.. _inbox];
        var then = _afterWrite;
        (_inbox, _afterWrite) = ([], []);
        _disk.Append(batch, Clock, () =>
        {
            var (state, touched, published) = (State, new SortedSet<string>(StringComparer.Ordinal),
                new List<MasterEvent>());
            state = Apply(state, batch, touched, published);
            // The databases are written and switched to; that is an event of its own.
            if (published.Count == 0) Finish(state);
            else _disk.Append(published, Clock, () => Finish(Apply(state, published, touched, [])));

            void Finish(MasterState next)
            {
                var before = State;
                State = next;
                foreach (var id in touched)
                {
                    if (_followed.TryGetValue(id, out var followed)) followed.Set(Describe(State.Jobs[id]));
                }

                if (before.Builders != State.Builders) ShowBuilders();
                _isWriting = false;
                PlanRender();
                foreach (var one in then) one();
                if (!_isWriting) Write();
            }
        });
    }

    private MasterState Apply(
        MasterState state, IEnumerable<MasterEvent> events, SortedSet<string> touched, List<MasterEvent> publish)
    {
        foreach (var happened in events)
        {
            var step = MasterMachine.Apply(state, happened, Clock);
            _farm.Watch.Saw(happened, state, step);
            state = step.State;
            touched.UnionWith(step.Jobs);
            // In an order that is the same in every run.
            foreach (var key in step.Publish.Order(StringComparer.Ordinal))
            {
                var repository = state.Repositories[key];
                publish.Add(new RepositoryPublished(
                    repository.Name, repository.Architecture, $"{state.Revision:x64}", repository.Packages.Count));
            }
        }

        return state;
    }

    private JobDocument Describe(Job job) => new()
    {
        Revision = State.Revision,
        Job = job,
        Reason = "",
        Seen = BuilderSightings.ClaimsOn(
            job, State.Builders.Values.Select(b => (b, _sightings.GetValueOrDefault(b.Name))), _began, Lease, Clock),
    };

    /// <summary>Shows in the jobs' documents that a builder's claims changed.</summary>
    private void ShowClaims(BuilderSighting before, BuilderSighting after)
    {
        var isFirst = before.Said is null;
        var touched = isFirst
            ? _followed.Keys.ToList()
            : [.. Jobs(before).Concat(Jobs(after)).Distinct(StringComparer.Ordinal)];
        foreach (var id in touched)
        {
            if (!_followed.TryGetValue(id, out var followed) || !State.Jobs.TryGetValue(id, out var job)) continue;
            var document = Describe(job);
            // A document that says the same has the same tag: nobody is told.
            if (!SameClaims(document.Seen, followed.Value!.Seen)) followed.Set(document);
        }

        static IEnumerable<string> Jobs(BuilderSighting seen) =>
            (seen.Said?.Claims ?? []).Select(c => c.Job).Concat((seen.Said?.Results ?? []).Select(r => r.Job));
    }

    private static bool SameClaims(ImmutableArray<SeenClaim>? a, ImmutableArray<SeenClaim>? b) =>
        a is null || b is null ? a is null == b is null : a.Value.SequenceEqual(b.Value);

    private void PlanRender()
    {
        if (_isRenderPlanned) return;
        _isRenderPlanned = true;
        Later(RenderInterval, () =>
        {
            _isRenderPlanned = false;
            var queue = Projection.Queue(State, Clock);
            if (!SameOffer(queue, Queue.Value)) Queue.Set(queue);
            foreach (var id in _followed.Keys.Where(id => !State.Jobs[id].IsOpen).ToList()) _followed.Remove(id);
            if (Projection.NextInQueue(State, Clock) is { } next && next != _nextInQueue)
            {
                _nextInQueue = next;
                Later(next - Clock, () =>
                {
                    if (_nextInQueue == next) PlanRender();
                });
            }
        });
    }

    private static bool SameOffer(QueueDocument a, QueueDocument? b)
    {
        if (b is null || a.Jobs.Length != b.Jobs.Length) return false;
        for (var i = 0; i < a.Jobs.Length; i++)
        {
            var (x, y) = (a.Jobs[i], b.Jobs[i]);
            if (x.Id != y.Id || x.Attempt != y.Attempt || x.Snapshot != y.Snapshot || x.Priority != y.Priority
                || !x.Avoid.SequenceEqual(y.Avoid))
                return false;
        }

        return true;
    }
}
