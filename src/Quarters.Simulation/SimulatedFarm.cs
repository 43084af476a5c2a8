using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Quarters.Core.Claims;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Simulation.Checking;
using Quarters.Simulation.Nodes;
using Quarters.Simulation.World;

namespace Quarters.Simulation;

/// <summary>A whole farm in one process, on virtual time.</summary>
internal sealed class SimulatedFarm
{
    private readonly Agenda _agenda = new();
    private readonly Dictionary<string, SimulatedBuilder> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SimulatedBuilder> _byKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SimulatedPackage> _packages;
    private readonly Faults _faults;

    public SimulatedFarm(
        IReadOnlyList<SimulatedPackage> packages, ImmutableArray<double> weights, int independent, ulong seed,
        FaultLevel faults)
    {
        var dice = new Dice(seed);
        _packages = packages.ToDictionary(p => p.Name, StringComparer.Ordinal);
        Network = new Network(_agenda, dice.For("network"), faults);
        Scenario = new Scenario(_packages, dice.For("builds"), faults);
        Watch = new Watch(this);
        for (var number = 1; number <= weights.Length; number++) Add(number, weights[number - 1], dice, faults);
        Settings = Distribution.Settings([.. _byName.Values.Select(b => new ValidatedBuilder(
            b.Name, b.Listed.Url, b.Listed.PublicKey, b.Listed.Architectures))], independent);
        var skew = Skew(dice.For("master's clock"), faults);
        var known = Distribution.Rebuild(packages, Settings, SimulatedNode.Epoch + skew);
        Outlook = Projection.Outlook(known, SimulatedNode.Epoch + skew);
        Master = new SimulatedMaster(this, _agenda, dice.For("master"), skew, known);
        _faults = new Faults(this, _agenda, dice.For("faults"), faults);
    }

    public Network Network { get; }

    public Scenario Scenario { get; }

    public Watch Watch { get; }

    public SimulatedMaster Master { get; }

    public MasterSettings Settings { get; }

    public ClaimPace Pace { get; } = new();

    /// <summary>What a builder needs to fetch sources and dependencies, when it has not done so ahead.</summary>
    public TimeSpan FetchTime { get; } = TimeSpan.FromSeconds(2);

    public TimeSpan Now => _agenda.Now;

    /// <summary>How many things happened.</summary>
    public long Happened => _agenda.Happened;

    public IReadOnlyCollection<SimulatedBuilder> Builders => _byName.Values;

    public SimulatedBuilder Builder(string name) => _byName[name];

    public SimulatedBuilder? FindBuilder(string name) => _byName.GetValueOrDefault(name);

    public SimulatedBuilder BuilderByKey(string key) => _byKey[key];

    /// <summary>How long a job takes on a builder of weight 1, by its id.</summary>
    public double Estimate(string job) =>
        Master.State.Jobs.TryGetValue(job, out var known) ? known.EstimatedSeconds : 0;

    /// <summary>What there was to do at the beginning.</summary>
    public Outlook Outlook { get; }

    /// <summary>Runs the farm until it has nothing more to do.</summary>
    /// <param name="atMost">Virtual time after which it is called stuck.</param>
    /// <param name="progress">Told every minute.</param>
    public void Run(TimeSpan atMost, Action<SimulationProgress> progress)
    {
        Master.Start();
        foreach (var builder in _byName.Values) builder.Start();
        _faults.Begin();
        EachMinute(progress);
        _agenda.RunUntil(IsDone, atMost);
        Watch.Ended();
    }

    /// <summary>Kills a builder; it is started again after a while.</summary>
    public void Kill(SimulatedBuilder builder) => _faults.Kill(builder);

    private bool IsDone() =>
        Watch.Findings.Count > 0
        || (Master.IsUp && Master.IsIdle && Master.State.Ready.IsEmpty && Master.State.Building.IsEmpty
            && !_faults.AreOn);

    private void EachMinute(Action<SimulationProgress> progress) => _agenda.After(TimeSpan.FromMinutes(1), () =>
    {
        Watch.MinutePassed();
        progress(new SimulationProgress(Now, Watch.Accepted, _packages.Count));
        EachMinute(progress);
    });

    private void Add(int number, double weight, Dice dice, FaultLevel faults)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"builder{number:0000}");
        var key = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        var listed = new ListedBuilder
        {
            Name = name,
            Url = $"https://{name}.example.org/",
            PublicKey = key,
            Architectures = ["x86_64"],
            Weight = weight,
            Slots = 1,
        };
        var skew = Skew(dice.For("clock of " + name), faults);
        _byKey[key] = _byName[name] = new SimulatedBuilder(this, _agenda, dice.For(name), number, skew, listed);
    }

    private static TimeSpan Skew(Dice dice, FaultLevel faults) => faults == FaultLevel.None
        ? TimeSpan.Zero
        : dice.Between(TimeSpan.FromHours(-9), TimeSpan.FromHours(9));
}
