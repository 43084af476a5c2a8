using Quarters.Simulation.Nodes;
using Quarters.Simulation.World;

namespace Quarters.Simulation;

/// <summary>
/// What goes wrong in a simulated farm, and when. After a while it ends and all that was cut is mended, since the
/// promise that everything comes to an end is for farms that are left in peace for long enough; who left for good stays
/// away.
/// </summary>
internal sealed class Faults(SimulatedFarm farm, Agenda agenda, Dice dice, FaultLevel level)
{
    private static readonly TimeSpan Lasts = TimeSpan.FromHours(2);

    /// <summary>Whether something may still go wrong.</summary>
    public bool AreOn { get; private set; }

    private bool IsTerrible => level == FaultLevel.Terrible;

    /// <summary>Plans everything.</summary>
    public void Begin()
    {
        if (level == FaultLevel.None) return;
        AreOn = true;
        agenda.After(Lasts, End);
        foreach (var builder in farm.Builders)
        {
            Again(IsTerrible ? TimeSpan.FromMinutes(25) : TimeSpan.FromHours(2), () => Kill(builder));
            Again(IsTerrible ? TimeSpan.FromMinutes(40) : TimeSpan.FromHours(3), () => Sicken(builder));
        }

        if (!IsTerrible) return;
        Again(TimeSpan.FromMinutes(15), KillMaster);
        Again(TimeSpan.FromMinutes(3), CutSomething);
        // One in five leaves and never comes back; never all of them, nor so many that nobody is left to decide whose
        // build is right.
        var stay = farm.Settings.Independent.IsEmpty ? 1 : farm.Settings.MaxAttempts;
        foreach (var builder in farm.Builders.Skip(stay).Where(_ => dice.Chance(0.2)))
        {
            agenda.After(dice.Between(TimeSpan.Zero, Lasts), () =>
            {
                _gone.Add(builder.Number);
                if (builder.IsUp) builder.Crash();
            });
        }
    }

    /// <summary>A builder is killed; it is back after some seconds or minutes.</summary>
    public void Kill(SimulatedBuilder builder)
    {
        if (!builder.IsUp) return;
        builder.Crash();
        Restart(builder, dice.Chance(0.7) ? TimeSpan.FromSeconds(20) : TimeSpan.FromMinutes(10));
    }

    private readonly HashSet<int> _gone = [];

    private void Restart(SimulatedBuilder builder, TimeSpan mean) => agenda.After(dice.Until(mean), () =>
    {
        if (!builder.IsUp && !_gone.Contains(builder.Number)) builder.Start();
    });

    private void KillMaster()
    {
        if (!farm.Master.IsUp) return;
        farm.Master.Crash();
        agenda.After(dice.Until(TimeSpan.FromSeconds(40)), () =>
        {
            farm.Master.Start();
            farm.Watch.Restarted();
        });
    }

    private void Sicken(SimulatedBuilder builder)
    {
        builder.IsSick = true;
        agenda.After(dice.Until(TimeSpan.FromMinutes(8)), () => builder.IsSick = false);
    }

    /// <summary>Cuts one direction between two nodes, or everything between two halves of the farm.</summary>
    private void CutSomething()
    {
        var count = farm.Builders.Count + 1;
        var cuts = new List<(int From, int To)>();
        if (dice.Chance(0.3))
        {
            var side = Enumerable.Range(0, count).Select(_ => dice.Chance(0.5)).ToList();
            for (var a = 0; a < count; a++)
            {
                for (var b = 0; b < count; b++)
                {
                    if (side[a] != side[b]) cuts.Add((a, b));
                }
            }
        }
        else
        {
            cuts.Add((dice.Below(count), dice.Below(count)));
        }

        foreach (var (from, to) in cuts) farm.Network.Cut(from, to, isCut: true);
        agenda.After(dice.Until(TimeSpan.FromMinutes(4)), () =>
        {
            foreach (var (from, to) in cuts) farm.Network.Cut(from, to, isCut: false);
        });
    }

    private void End()
    {
        AreOn = false;
        farm.Network.MendAll();
        foreach (var builder in farm.Builders) builder.IsSick = false;
    }

    private void Again(TimeSpan mean, Action action) => agenda.After(dice.Until(mean), () =>
    {
        if (!AreOn) return;
        action();
        Again(mean, action);
    });
}
