using Quarters.Core.Builder;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Simulation.World;

namespace Quarters.Simulation.Nodes;

/// <summary>What a simulated builder reads of the master and of other builders, in one life of it: the shell's
/// <c>FarmReading</c> on virtual time.</summary>
internal sealed class SimulatedReading(SimulatedFarm farm, SimulatedBuilder builder, Agenda agenda, Dice dice)
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan BetweenNews = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BetweenNewsOfClaimed = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly HashSet<string> _followed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _asking = new(StringComparer.Ordinal);
    private bool _isAskingDigest;
    private int _failures;

    /// <summary>Jobs that it follows, for the check that they are bounded.</summary>
    public int Followed => _followed.Count;

    /// <summary>Begins to follow what the master shows to all.</summary>
    public void Begin()
    {
        FollowQueue(0);
        FollowRoster(0);
    }

    private void FollowQueue(long known)
    {
        var asked = agenda.Now;
        farm.Network.Pull(builder, farm.Master, "queue", () => farm.Master.Queue, known, Wait, pulled =>
        {
            if (pulled.Value is { } queue)
            {
                builder.View = builder.View.WithQueue(queue, agenda.Now);
                builder.Step();
            }

            var isFailed = pulled.End is PullEnd.Failed or PullEnd.Missing;
            _failures = isFailed ? _failures + 1 : 0;
            var pause = isFailed ? Pause(_failures) : BetweenNews - (agenda.Now - asked);
            builder.Later(pause, () => FollowQueue(isFailed ? known : pulled.Version));
        });
    }

    private void FollowRoster(long known) =>
        farm.Network.Pull(builder, farm.Master, "builders", () => farm.Master.Roster, known, Wait, pulled =>
        {
            if (pulled.Value is { } roster)
            {
                var standing = new Standing(roster, builder.View.Standing.Digest);
                builder.View = builder.View.WithStanding(standing, builder.View.DigestAskedAt, agenda.Now);
                builder.Step();
            }

            var isFailed = pulled.End is PullEnd.Failed or PullEnd.Missing;
            var pause = isFailed ? Pause(3) : TimeSpan.FromSeconds(5);
            builder.Later(pause, () => FollowRoster(isFailed ? known : pulled.Version));
        });

    /// <summary>Follows what the master says of each job that is claimed or has a result here.</summary>
    public void FollowJobs()
    {
        foreach (var claim in builder.State.Claims)
        {
            if (claim.Phase != ClaimPhase.Reserved) FollowJob(claim.Job.Id);
        }

        foreach (var result in builder.State.Results) FollowJob(result.Job);
    }

    private void FollowJob(string id)
    {
        if (_followed.Add(id)) Ask(0, 0, 0);

        void Ask(long known, int missing, int failures) =>
            farm.Network.Pull(builder, farm.Master, "jobs", () => farm.Master.FindJob(id), known, Wait, pulled =>
            {
                if (!builder.IsNeeded(id))
                {
                    _followed.Remove(id);
                    builder.View = builder.View with { Jobs = builder.View.Jobs.Remove(id) };
                    return;
                }

                missing = pulled.End == PullEnd.Missing ? missing + 1 : 0;
                failures = pulled.End == PullEnd.Failed ? failures + 1 : 0;
                if (pulled.Value is not null || missing >= 3)
                {
                    var sighting = new JobSighting(agenda.Now, pulled.Value);
                    builder.View = builder.View with { Jobs = builder.View.Jobs.SetItem(id, sighting) };
                    builder.Step();
                }

                var pause = missing + failures > 0 ? Pause(missing + failures)
                    : builder.IsClaimed(id) ? BetweenNewsOfClaimed : BetweenNews;
                var next = pulled.Version == 0 ? known : pulled.Version;
                builder.Later(pause, () => Ask(next, missing, failures));
            });
    }

    /// <summary>Reads another builder, unless it is being read since a moment or later.</summary>
    public void ReadPeer(string key, TimeSpan after)
    {
        if (_asking.TryGetValue(key, out var since) && since >= after) return;
        var asked = agenda.Now;
        _asking[key] = asked;
        var peer = farm.BuilderByKey(key);
        farm.Network.Pull(builder, peer, "peers", () => peer.Document, 0, TimeSpan.Zero, pulled =>
        {
            if (_asking.GetValueOrDefault(key) == asked) _asking.Remove(key);
            if (builder.View.Peers.TryGetValue(key, out var known) && known.AskedAt > asked) return;
            builder.View = builder.View with
            {
                Peers = builder.View.Peers.SetItem(key, new PeerSighting(asked, agenda.Now, pulled.Value)),
            };
            builder.Step();
        });
    }

    /// <summary>Reads the master's digest, unless that is under way.</summary>
    public void ReadDigest()
    {
        if (_isAskingDigest) return;
        _isAskingDigest = true;
        var asked = agenda.Now;
        farm.Network.Pull(builder, farm.Master, "digest", () => farm.Master.FindDigest(), 0, TimeSpan.Zero, pulled =>
        {
            _isAskingDigest = false;
            // Without an answer what is known has to do for a while.
            builder.View = pulled.Value is { } standing
                ? builder.View.WithStanding(standing, asked, agenda.Now)
                : builder.View with { DigestAskedAt = asked };
            builder.Step();
        });
    }

    private TimeSpan Pause(int failures)
    {
        var doubled = FirstPause * Math.Pow(2, Math.Min(10, failures - 1));
        return (doubled < LongestPause ? doubled : LongestPause) * (0.5 + (dice.Next() / 2));
    }
}
