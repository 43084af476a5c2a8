using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Simulation.Nodes;

namespace Quarters.Simulation.Checking;

/// <summary>Shows the checkers what happens, keeps what they find, and counts.</summary>
internal sealed class Watch(SimulatedFarm farm)
{
    private const int MaxFindings = 20;

    private readonly IChecker[] _checkers =
    [
        new BuildersDoNotRepeatEachOther(), new NothingAcceptedIsLost(), new NothingIsPublishedTwice(),
        new EverythingEnds(), new NoPhantoms(), new PollsAreBounded(), new MemoryIsBounded(), new HonestWorkCounts(),
    ];

    private readonly Dictionary<string, List<SimulatedBuilder>> _running = new(StringComparer.Ordinal);
    private readonly List<string> _findings = [];

    /// <summary>What was found, each with the moment.</summary>
    public IReadOnlyList<string> Findings => _findings;

    /// <summary>How many builds began.</summary>
    public int Builds { get; private set; }

    /// <summary>How many of them began while as many builders as were wanted built the same attempt.</summary>
    public int Duplicates { get; private set; }

    /// <summary>Results that entered the repository.</summary>
    public int Accepted { get; private set; }

    /// <summary>Seconds that builders spent building.</summary>
    public double BusySeconds { get; private set; }

    private readonly Dictionary<(int Builder, string Attempt), TimeSpan> _begun = [];

    /// <summary>Who builds this attempt now.</summary>
    public IReadOnlyList<SimulatedBuilder> RunningOn(string attemptName) =>
        _running.GetValueOrDefault(attemptName) ?? [];

    public void BuildBegan(SimulatedBuilder builder, QueueJob job)
    {
        Builds++;
        foreach (var checker in _checkers) Find(checker.BuildBegan(farm, builder, job));
        var name = JobId.AttemptName(job.Id, job.Attempt);
        if (_running.TryGetValue(name, out var others))
        {
            if (others.Count >= job.Wanted) Duplicates++;
            others.Add(builder);
        }
        else
        {
            _running[name] = [builder];
        }

        _begun[(builder.Number, name)] = farm.Now;
    }

    public void BuildEnded(SimulatedBuilder builder, string attemptName)
    {
        if (_begun.Remove((builder.Number, attemptName), out var since)) BusySeconds += (farm.Now - since).TotalSeconds;
        if (!_running.TryGetValue(attemptName, out var all)) return;
        all.Remove(builder);
        if (all.Count == 0) _running.Remove(attemptName);
    }

    public void BuildsEnded(SimulatedBuilder builder)
    {
        foreach (var (number, name) in _begun.Keys.Where(k => k.Builder == builder.Number).ToList())
            BuildEnded(builder, name);
    }

    public void Saw(MasterEvent happened, MasterState before, MasterStep step)
    {
        if (happened is ResultAccepted && !step.Publish.IsEmpty) Accepted++;
        foreach (var checker in _checkers) Find(checker.Happened(farm, happened, before, step));
    }

    public void Restarted()
    {
        foreach (var checker in _checkers) Find(checker.Restarted(farm));
    }

    public void MinutePassed()
    {
        foreach (var checker in _checkers) Find(checker.MinutePassed(farm));
    }

    public void Ended()
    {
        foreach (var checker in _checkers) Find(checker.Ended(farm));
    }

    private void Find(string? finding)
    {
        if (finding is not null && _findings.Count < MaxFindings)
            _findings.Add($"after {farm.Now.TotalSeconds:0.0} s: {finding}");
    }
}
