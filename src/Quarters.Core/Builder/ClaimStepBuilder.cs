using System.Collections.Immutable;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Builder;

/// <summary>One step of a builder while it is worked out.</summary>
internal sealed class ClaimStepBuilder
{
    private readonly ImmutableArray<BuilderEvent>.Builder _events = ImmutableArray.CreateBuilder<BuilderEvent>();
    private readonly ImmutableSortedDictionary<string, TimeSpan>.Builder _readPeers =
        ImmutableSortedDictionary.CreateBuilder<string, TimeSpan>(StringComparer.Ordinal);

    private readonly BuilderState _state;
    private ImmutableDictionary<string, TimeSpan> _passed;
    private bool _readDigest;
    private bool _isDigestWrong;
    private TimeSpan _lookAfter;
    private TimeSpan _reserveAfter;
    private TimeSpan? _wakeAt;

    public ClaimStepBuilder(
        BuilderState state, BuilderView view, BuilderTerms terms, ClaimPace pace, TimeSpan now)
    {
        (_state, View, Terms, Pace, Now) = (state, view, terms, pace, now);
        (Look, _passed) = (view.Look, view.Passed);
        (_lookAfter, _reserveAfter) = (view.LookAfter, view.ReserveAfter);
        FreeSlots = terms.Slots - state.Claims.Count(c => c.Phase != ClaimPhase.Reserved);
        MasterNow = view.MasterNow(now);
        var index = view.Standing.Roster.IndexOf(terms.PublicKey);
        Me = index < 0 ? null : new Claimant(index, FreeSlots > 0, FreeSlots > 0 ? 0 : SecondsUntilFree(index));
    }

    public BuilderView View { get; }

    public BuilderTerms Terms { get; }

    public ClaimPace Pace { get; }

    public TimeSpan Now { get; }

    public DateTimeOffset MasterNow { get; }

    public int FreeSlots { get; private set; }

    /// <summary>This builder among the others; null while the master does not list it.</summary>
    public Claimant? Me { get; }

    public Look? Look { get; set; }

    /// <summary>Whether a job waits for builders that may be busy, or gone, by now.</summary>
    public bool IsKeptWaiting { get; set; }

    public bool HasEvents => _events.Count > 0;

    /// <summary>Whether the next job may be chosen while all slots are busy: one at a time, shortly before it is
    /// needed.</summary>
    public bool MayReserve
    {
        get
        {
            if (_state.Claims.Any(c => c.Phase != ClaimPhase.Building) || Me is not { } me) return false;
            var begin = Now + TimeSpan.FromSeconds(me.SecondsUntilFree) - Pace.ReserveAhead;
            if (begin < _reserveAfter) begin = _reserveAfter;
            if (begin <= Now) return true;
            WakeAt(begin);
            return false;
        }
    }

    /// <summary>Claims and results that the master has settled are given up.</summary>
    public void Settle()
    {
        foreach (var claim in _state.Claims)
        {
            if (HowSettled(claim.Job.Id, claim.Job.Attempt) is { } how) Drop(claim, how);
        }

        foreach (var result in _state.Results)
        {
            if (HowSettled(result.Job, result.Attempt) is { } how)
                _events.Add(new ResultSettled(result.Job, result.Attempt, how));
        }
    }

    /// <summary>Whether the newest queue offers this attempt.</summary>
    public bool IsOffered(QueueJob job) =>
        View.Queue is { } queue && queue.Jobs.Any(j => j.Id == job.Id && j.Attempt == job.Attempt);

    public bool MayTake(int me, QueueJob job, ClaimPhase phase)
    {
        var name = JobId.AttemptName(job.Id, job.Attempt);
        if (_passed.TryGetValue(name, out var until) && until > Now)
        {
            WakeAt(until);
            return false;
        }

        if (!View.Standing.Roster.IsAble(me, job)
            || _state.Claims.Any(c => c.Job.Id == job.Id)
            || _state.Results.Any(r => r.Job == job.Id && r.Attempt == job.Attempt))
            return false;
        // As the master saw it: an idle builder may take what another has only reserved.
        var least = phase == ClaimPhase.Reserved ? ClaimPhase.Reserved : ClaimPhase.Claimed;
        if (View.Standing.ClaimsOn(name).Count(c => c.Builder != me && c.Phase >= least) < job.Wanted) return true;
        IsKeptWaiting = true;
        return false;
    }

    public ImmutableArray<SeenClaim> SeenOn(QueueJob job) =>
        View.Jobs.TryGetValue(job.Id, out var sighting) && sighting.Document?.Seen is { } seen
            ? [.. seen.Where(s => s.Attempt == job.Attempt)]
            : [];

    /// <summary>Whether all of these answered, or could not be reached, after a moment; those that did not are to be
    /// read. Who could not be reached a while ago is left to what the master sees of it: else every claim near a
    /// builder that is gone would wait for it twice.</summary>
    public bool HasRead(IEnumerable<int> peers, TimeSpan after)
    {
        var all = true;
        foreach (var peer in peers)
        {
            var key = View.Standing.Roster.Builders[peer].PublicKey;
            if (View.Peers.TryGetValue(key, out var sighting)
                && (sighting.AskedAt >= after || IsOutOfReach(sighting)))
                continue;
            all = false;
            Read(key, after);
        }

        return all;
    }

    /// <summary>Reads rivals again, each a while after its last answer: the longer it has waited, the longer.</summary>
    public void ReadAgain(IEnumerable<string> keys, TimeSpan posted)
    {
        var waited = (Now - posted) / 4;
        var pause = waited > Pace.ReadAgainAfter ? waited : Pace.ReadAgainAfter;
        foreach (var key in keys)
        {
            // A question that is under way since then will do.
            var due = View.Peers.TryGetValue(key, out var known) ? known.AnsweredAt + pause : posted;
            if (due <= Now) Read(key, due);
            else WakeAt(due);
        }
    }

    /// <summary>Whether the digest is too old to act on; then it is to be read.</summary>
    public bool NeedsDigest()
    {
        if (!_isDigestWrong && View.Standing.Digest is not null && Now - View.DigestAskedAt < Pace.DigestFreshFor)
            return false;
        return _readDigest = true;
    }

    /// <summary>Whether it is time for an idle builder to look at a job.</summary>
    public bool MayLook()
    {
        if (_lookAfter <= Now) return true;
        WakeAt(_lookAfter);
        return false;
    }

    /// <summary>
    /// What the peers say is not what the digest says: it is too old, whatever its age. Nothing else is looked at for a
    /// while: looks are what a farm asks most.
    /// </summary>
    public void DistrustDigest()
    {
        _isDigestWrong = true;
        _lookAfter = Now + Pace.LookAgainAfter;
        _reserveAfter = Now + Pace.PassFor;
    }

    public void WakeAt(TimeSpan at)
    {
        if (at > Now && (_wakeAt is null || at < _wakeAt)) _wakeAt = at;
    }

    public void Claim(QueueJob job)
    {
        FreeSlots--;
        _events.Add(new Claimed(job));
    }

    public void Reserve(QueueJob job) => _events.Add(new Reserved(job));

    public void Begin(ClaimedJob claim) => _events.Add(new BuildBegun(claim.Job.Id, claim.Job.Attempt));

    public void Drop(ClaimedJob claim, string why)
    {
        _events.Add(new ClaimDropped(claim.Job.Id, claim.Job.Attempt, why));
        if (claim.Phase == ClaimPhase.Reserved) _reserveAfter = Now + Pace.PassFor;
        Pass(JobId.AttemptName(claim.Job.Id, claim.Job.Attempt));
    }

    public void Pass(string attemptName) => _passed = _passed.SetItem(attemptName, Now + Pace.PassFor);

    public ClaimStep ToStep()
    {
        if (IsKeptWaiting && Now - View.DigestAskedAt >= Pace.DigestWorthFor) _readDigest = true;
        var isQuiet = Look is null && _state.Claims.All(c => c.Phase == ClaimPhase.Building) && !HasEvents;
        return new ClaimStep(
            _events.ToImmutable(),
            View with
            {
                Look = Look,
                DigestAskedAt = _isDigestWrong ? View.DigestAskedAt - Pace.DigestFreshFor : View.DigestAskedAt,
                LookAfter = _lookAfter,
                ReserveAfter = _reserveAfter,
                Passed = _passed,
                // What peers said is of the moment; only who is out of reach is worth keeping.
                Peers = isQuiet
                    ? View.Peers.RemoveRange(View.Peers.Where(p => !IsOutOfReach(p.Value)).Select(p => p.Key))
                    : View.Peers,
            },
            _readPeers.ToImmutable(),
            _readDigest,
            _wakeAt);
    }

    private bool IsOutOfReach(PeerSighting sighting) =>
        sighting.Said is null && Now - sighting.AnsweredAt < Pace.OutOfReachFor;

    private void Read(string key, TimeSpan after)
    {
        if (!_readPeers.TryGetValue(key, out var known) || after > known) _readPeers[key] = after;
    }

    private string? HowSettled(string job, int attempt) =>
        View.Jobs.TryGetValue(job, out var sighting) ? Settled.How(sighting.Document?.Job, attempt) : null;

    private double SecondsUntilFree(int index)
    {
        var weight = View.Standing.Roster.Builders[index].Weight;
        var soonest = double.PositiveInfinity;
        foreach (var claim in _state.Claims.Where(c => c.Phase != ClaimPhase.Reserved))
        {
            var name = JobId.AttemptName(claim.Job.Id, claim.Job.Attempt);
            var begun = View.Begun.GetValueOrDefault(name, Now);
            var left = (claim.Job.EstimatedSeconds / weight) - (Now - begun).TotalSeconds;
            soonest = Math.Min(soonest, Math.Max(0, left));
        }

        return double.IsFinite(soonest) ? soonest : 0;
    }
}
