using Quarters.Core.Documents;
using Quarters.Core.Planning;

namespace Quarters.Simulation.Checking;

/// <summary>
/// A job that is shown as being built is being built: a builder's own document at any moment, the master's word within
/// the time that it takes to notice.
/// </summary>
internal sealed class NoPhantoms : IChecker
{
    private static readonly TimeSpan TimeToNotice = TimeSpan.FromMinutes(3);

    // A master that was killed does not know since when a builder is silent: its lease begins anew.
    public string? Restarted(SimulatedFarm farm)
    {
        _notReal.Clear();
        return null;
    }

    public string? MinutePassed(SimulatedFarm farm)
    {
        foreach (var builder in farm.Builders.Where(b => b.IsUp))
        {
            foreach (var claim in builder.Document.Value?.Claims ?? [])
            {
                if (claim.Phase == ClaimPhase.Building
                    && builder.State.Claims.Any(c => c.Job.Id == claim.Job && c.Phase == ClaimPhase.Building)
                    && !builder.Running.Contains(JobId.AttemptName(claim.Job, claim.Attempt)))
                    return $"{builder.Name} shows that it builds {claim.Job}, and does not";
            }
        }

        if (!farm.Master.IsUp) return null;
        var state = farm.Master.State;
        var patience = TimeSpan.FromSeconds(state.Settings!.LeaseSeconds) + TimeToNotice;
        foreach (var id in state.Building)
        {
            var job = state.Jobs[id];
            var builder = farm.FindBuilder(job.Builder!);
            var name = JobId.AttemptName(id, job.Attempt);
            var isReal = builder is not null && (builder.Running.Contains(name)
                || builder.State.Results.Any(r => r.Job == id && r.Attempt == job.Attempt));
            if (isReal) _notReal.Remove(name);
            else if (!_notReal.TryAdd(name, farm.Now) && farm.Now - _notReal[name] > patience)
                return $"the master shows that {job.Builder} builds {name}, for longer than a lease after it ceased";
        }

        return null;
    }

    private readonly Dictionary<string, TimeSpan> _notReal = new(StringComparer.Ordinal);
}
