using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Core.Claims;

/// <summary>
/// The builders and what they do, as the master last saw it: the roster with a digest laid over it. It only advises who
/// had better begin what; who may build is decided between the posted claims alone.
/// </summary>
public sealed class Standing
{
    /// <summary>A builder that the master has not read for so long is not counted on.</summary>
    private static readonly TimeSpan NotCountedOn = TimeSpan.FromSeconds(90);

    private readonly bool[] _isFree;
    private readonly DateTimeOffset?[] _freeAt;
    private readonly bool[] _isThere;

    // (job, attempt) -> who is said to claim it
    private readonly Dictionary<string, ImmutableArray<(int Builder, ClaimPhase Phase)>> _claims =
        new(StringComparer.Ordinal);

    /// <summary>Lays a digest over a roster; without one everybody is there and free.</summary>
    public Standing(Roster roster, DigestDocument? digest)
    {
        Roster = roster;
        Digest = digest;
        var count = roster.Builders.Length;
        (_isFree, _freeAt, _isThere) = (new bool[count], new DateTimeOffset?[count], new bool[count]);
        if (digest is null)
        {
            Array.Fill(_isFree, true);
            Array.Fill(_isThere, true);
        }

        foreach (var seen in digest?.Builders ?? [])
        {
            var at = roster.IndexOf(seen.PublicKey);
            if (at < 0) continue;
            _isThere[at] = !seen.Lost && seen.LastSeen is { } last && digest!.Time - last < NotCountedOn;
            _isFree[at] = _isThere[at] && seen.FreeSlots > 0;
            _freeAt[at] = seen.FreeAt;
            foreach (var claim in seen.Claims)
            {
                var name = JobId.AttemptName(claim.Job, claim.Attempt);
                _claims[name] = _claims.GetValueOrDefault(name, []).Add((at, claim.Phase));
            }
        }

        FreeCount = _isFree.Count(free => free);
    }

    /// <summary>The builders.</summary>
    public Roster Roster { get; }

    /// <summary>What it was made of; null when nothing is known of what they do.</summary>
    public DigestDocument? Digest { get; }

    /// <summary>How many are free.</summary>
    public int FreeCount { get; }

    /// <summary>Whether a builder can be counted on.</summary>
    public bool IsThere(int builder) => _isThere[builder];

    /// <summary>Whether a builder has a free slot.</summary>
    public bool IsFree(int builder) => _isFree[builder];

    /// <summary>Since when a builder has a free slot, or when it is expected to; null when nothing is known.</summary>
    public DateTimeOffset? FreeAt(int builder) => _freeAt[builder];

    /// <summary>The builders in the order of their expected ends, at the moment of the digest.</summary>
    internal FinishOrder ByFinish => field ??= new FinishOrder(
        Roster,
        [.. Enumerable.Range(0, Roster.Builders.Length).Select(b => _isThere[b] ? SecondsUntilFree(b) : double.NaN)]);

    private double SecondsUntilFree(int builder) =>
        Digest is { } digest && _freeAt[builder] is { } at && at > digest.Time ? (at - digest.Time).TotalSeconds : 0;

    /// <summary>Who was last seen to claim an attempt.</summary>
    public ImmutableArray<(int Builder, ClaimPhase Phase)> ClaimsOn(string attemptName) =>
        _claims.GetValueOrDefault(attemptName, []);
}
