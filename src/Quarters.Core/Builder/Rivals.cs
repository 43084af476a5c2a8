using Quarters.Core.Claims;
using Quarters.Core.Documents;

namespace Quarters.Core.Builder;

/// <summary>The other builders that claim one attempt, told apart by what their claims mean for ours.</summary>
internal sealed class Rivals(string attemptName, string publicKey)
{
    private readonly ulong _lot = Rendezvous.Lot(attemptName, publicKey);
    private readonly Dictionary<string, ClaimPhase> _phases = new(StringComparer.Ordinal);

    /// <summary>Who they are.</summary>
    public IEnumerable<string> Keys => _phases.Keys;

    /// <summary>How many build it, or have a result of it.</summary>
    public int Building => Count(ClaimPhase.Building, null);

    /// <summary>How many have claimed it and win against us.</summary>
    public int Better => Count(ClaimPhase.Claimed, true);

    /// <summary>How many have claimed it and lose against us.</summary>
    public int Worse => Count(ClaimPhase.Claimed, false);

    /// <summary>How many have reserved it and win against us.</summary>
    public int BetterReserved => Count(ClaimPhase.Reserved, true);

    /// <summary>How many have reserved it and lose against us.</summary>
    public int WorseReserved => Count(ClaimPhase.Reserved, false);

    /// <summary>Those that have claimed it and will yield.</summary>
    public IEnumerable<string> WorseOnes =>
        _phases.Where(r => r.Value == ClaimPhase.Claimed && !Wins(r.Key)).Select(r => r.Key);

    public void Add(string key, ClaimPhase phase)
    {
        if (!_phases.TryGetValue(key, out var known) || phase > known) _phases[key] = phase;
    }

    private int Count(ClaimPhase phase, bool? wins) =>
        _phases.Count(r => r.Value == phase && (wins is null || Wins(r.Key) == wins));

    private bool Wins(string other) =>
        Rendezvous.Wins(Rendezvous.Lot(attemptName, other), other, _lot, publicKey);
}
