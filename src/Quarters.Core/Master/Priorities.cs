using Quarters.Core.Planning;

namespace Quarters.Core.Master;

/// <summary>
/// What blocks the longest chain of expected work goes first. A job's priority hangs on those who wait for it: when one
/// of those comes or goes it is reckoned anew, and with it all that it waits for itself. A job that is done was waited
/// for by others and waits for nothing, so that this changes nobody's priority.
/// </summary>
internal static class Priorities
{
    /// <summary>Reckons anew for the open jobs of these package bases, and for all that they wait for.</summary>
    public static void Update(Transition transition, IEnumerable<string> pkgbases)
    {
        var order = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var path = new Stack<(string Job, IEnumerator<Job> Awaited)>();
        foreach (var root in pkgbases.Order(StringComparer.Ordinal)
            .SelectMany(pkgbase => Waits.OpenJobsOf(transition, pkgbase)))
        {
            Enter(root);
            while (path.TryPeek(out var top))
            {
                if (top.Awaited.MoveNext())
                {
                    Enter(top.Awaited.Current);
                    continue;
                }

                order.Add(path.Pop().Job);
            }
        }

        // Those who wait come before those whom they wait for.
        for (var index = order.Count - 1; index >= 0; index--)
        {
            var job = transition.FindJob(order[index])!;
            var longest = 0.0;
            foreach (var waiter in Waits.WaitersFor(transition, job)) longest = Math.Max(longest, waiter.Priority);
            transition.SetPriority(job, job.EstimatedSeconds + longest);
        }

        void Enter(Job job)
        {
            if (seen.Add(job.Id)) path.Push((job.Id, Waits.AwaitedBy(transition, job).GetEnumerator()));
        }
    }
}
