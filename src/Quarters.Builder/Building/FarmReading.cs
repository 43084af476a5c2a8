using System.Text.Json.Serialization.Metadata;
using Quarters.Builder.Fetching;
using Quarters.Core;
using Quarters.Core.Builder;
using Quarters.Core.Documents;
using Quarters.Node;

namespace Quarters.Builder.Building;

/// <summary>
/// Reads what claims are decided from: the master's queue, list of builders, digest and jobs, and other builders. What
/// comes goes into the <see cref="FarmView"/>.
/// </summary>
internal sealed class FarmReading(
    BuilderOptions options, Ledger ledger, MasterLink master, Neighbours neighbours, FarmView farm,
    Action<Func<CancellationToken, Task>> spawn)
{
    private const string QueuePath = "v1/queue.json";
    private const string BuildersPath = "v1/builders.json";
    private const string DigestPath = "v1/digest.json";
    private const int MaxListBytes = 64 << 20;
    private const int MaxJobBytes = 16 << 20;

    /// <summary>A job that was just planned may be in the queue a moment before it has a document of its own.</summary>
    private const int UnknownTimes = 3;

    /// <summary>News are not asked for more often: in a large farm the queue changes all the time.</summary>
    private static readonly TimeSpan BetweenNews = TimeSpan.FromSeconds(2);

    /// <summary>But of a job that is claimed, and waits for the master to have seen that.</summary>
    private static readonly TimeSpan BetweenNewsOfClaimed = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly HashSet<string> _followed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _asked = new(StringComparer.Ordinal);
    private bool _isAskingDigest;

    /// <summary>Follows what is always followed.</summary>
    internal void Begin()
    {
        spawn(FollowQueueAsync);
        spawn(FollowBuildersAsync);
    }

    /// <summary>Follows the documents of the jobs that are claimed or have results here.</summary>
    internal void FollowJobs(BuilderState state)
    {
        foreach (var claim in state.Claims)
        {
            if (claim.Phase != ClaimPhase.Reserved)
                FollowJob(claim.Job.Id);
        }

        foreach (var result in state.Results)
            FollowJob(result.Job);
    }

    /// <summary>Reads a builder, unless an answer to a question that was asked late enough is on its way.</summary>
    internal void ReadPeer(string key, TimeSpan after)
    {
        var now = farm.Now;
        lock (_gate)
        {
            if (_asked.TryGetValue(key, out var since) && since >= after)
                return;
            _asked[key] = now;
        }

        var roster = farm.View.Standing.Roster;
        if (roster.IndexOf(key) is var index && index < 0)
            return;
        spawn(async token =>
        {
            var said = await neighbours.ReadAsync(roster.Builders[index], token);
            lock (_gate)
            {
                if (_asked.GetValueOrDefault(key) == now)
                    _asked.Remove(key);
            }

            farm.Learn(known => known.Peers.TryGetValue(key, out var newer) && newer.AskedAt > now
                ? known
                : known with { Peers = known.Peers.SetItem(key, new PeerSighting(now, farm.Now, said)) });
        });
    }

    /// <summary>Reads the digest, unless it is being read.</summary>
    internal void ReadDigest()
    {
        lock (_gate)
        {
            if (_isAskingDigest)
                return;
            _isAskingDigest = true;
        }

        var now = farm.Now;
        spawn(async token =>
        {
            DigestDocument? digest = null;
            try
            {
                digest = MasterLink.Parse(
                    await master.GetDocumentAsync(DigestPath, MaxListBytes, token), QuartersJson.Default.DigestDocument,
                    read => read.Schema, Schemas.Digest, DigestPath);
                ledger.SetTrouble(Trouble.Queue, null);
            }
            catch (FetchException unreadable)
            {
                ledger.SetTrouble(Trouble.Queue, unreadable.Message);
                // The next question comes when this one's answer would be old.
                await Task.Delay(options.Pace.DigestFreshFor, options.Time, token);
            }

            lock (_gate)
                _isAskingDigest = false;
            farm.Learn(digest, now);
        });
    }

    private async Task FollowQueueAsync(CancellationToken cancellationToken)
    {
        await foreach (var result in master.FollowAsync(QueuePath, MaxListBytes, () => BetweenNews, cancellationToken))
        {
            ledger.SetTrouble(Trouble.Master, result is PullResult.Failed failed ? Explain(failed.Failure) : null);
            if (result is PullResult.Document document
                && Read(document.Bytes, QuartersJson.Default.QueueDocument, q => q.Schema, Schemas.Queue, QueuePath)
                    is { } queue)
                Take(queue);
        }
    }

    private void Take(QueueDocument queue)
    {
        var faults = queue.Jobs.Select(job => job is null ? "that is null" : QueueJobCheck.FindFault(job)).ToList();
        ledger.SetTrouble(Trouble.Queue, faults.Find(fault => fault is not null) is { } first
            ? $"The master's queue holds {faults.Count(fault => fault is not null)} jobs that are not taken, "
                + $"the first one a job {first}."
            : null);
        // A front that caches may answer with an older one; a new master begins anew, and then tags differ too.
        var sane = queue with { Jobs = [.. queue.Jobs.Where((_, index) => faults[index] is null)] };
        farm.Learn(known => known.WithQueue(sane, farm.Now));
    }

    private async Task FollowBuildersAsync(CancellationToken cancellationToken)
    {
        var versions = master.FollowAsync(BuildersPath, MaxListBytes, () => BetweenNews, cancellationToken);
        await foreach (var result in versions)
        {
            if (result is not PullResult.Document document
                || Read(document.Bytes, QuartersJson.Default.BuildersDocument, b => b.Schema, Schemas.Builders,
                    BuildersPath) is not { } list)
                continue;
            var sane = list.Builders.Where(b => b is { Weight: > 0 and < 1000, Slots: >= 0 }).ToList();
            farm.Learn([.. sane]);
            var key = ledger.Terms.PublicKey;
            ledger.SetTrouble(Trouble.Unlisted, sane.Exists(b => b.PublicKey == key)
                ? null
                : $"The master does not list this builder, so nothing is taken. Its operator adds it with "
                    + $"`quarters builders add {options.Name} URL {key}`.");
        }
    }

    private void FollowJob(string id)
    {
        lock (_gate)
        {
            if (!_followed.Add(id))
                return;
        }

        spawn(async token =>
        {
            var path = $"v1/jobs/{id}.json";
            var unknown = 0;
            await foreach (var result in master.FollowAsync(path, MaxJobBytes, () => PauseAfterNewsOf(id), token))
            {
                if (!IsNeeded(id))
                    break;
                unknown = result is PullResult.Failed { Failure.Status: 404 } ? unknown + 1 : 0;
                if (unknown >= UnknownTimes)
                    Learn(id, null);
                else if (result is PullResult.Document document
                    && Read(document.Bytes, QuartersJson.Default.JobDocument, j => j.Schema, Schemas.Job, path)
                        is { } job && job.Job.Id == id)
                    Learn(id, job);
            }

            lock (_gate)
                _followed.Remove(id);
            farm.Learn(known => known with { Jobs = known.Jobs.Remove(id) });
        });
    }

    private void Learn(string id, JobDocument? job) => farm.Learn(known => known with
    {
        Jobs = known.Jobs.SetItem(id, new JobSighting(farm.Now, job)),
    });

    private TimeSpan PauseAfterNewsOf(string id) =>
        ledger.State.Claims.Any(c => c.Job.Id == id && c.Phase == ClaimPhase.Claimed)
            ? BetweenNewsOfClaimed
            : BetweenNews;

    private bool IsNeeded(string id)
    {
        var state = ledger.State;
        return state.Claims.Any(c => c.Job.Id == id && c.Phase != ClaimPhase.Reserved)
            || state.Results.Any(r => r.Job == id);
    }

    /// <summary>Makes a document of bytes; null, and told, when they are none.</summary>
    private T? Read<T>(byte[] bytes, JsonTypeInfo<T> typeInfo, Func<T, string> schemaOf, string schema, string path)
        where T : class
    {
        try
        {
            return MasterLink.Parse(bytes, typeInfo, schemaOf, schema, path);
        }
        catch (FetchException unreadable)
        {
            ledger.SetTrouble(Trouble.Queue, unreadable.Message);
            return null;
        }
    }

    private string Explain(PullFailure failure) => failure.Kind switch
    {
        PullFailureKind.WrongKey => $"{failure.Sentence}. If the master was made anew, ask its owner for its key and "
            + "put it into this builder's configuration; otherwise somebody else answers at that address.",
        PullFailureKind.Unreachable or PullFailureKind.Timeout =>
            $"{failure.Sentence}. Does the master run, and can this machine reach {options.MasterUrl}? "
            + "It is tried again.",
        _ => $"{failure.Sentence}.",
    };
}
