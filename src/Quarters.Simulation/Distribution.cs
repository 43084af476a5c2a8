using System.Collections.Immutable;
using System.Globalization;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;
using Quarters.Simulation.World;

namespace Quarters.Simulation;

/// <summary>The packages of a simulated farm, as its master comes to know them.</summary>
internal static class Distribution
{
    private const string Architecture = "x86_64";
    private const string Repository = "core";
    private const string Seed = "seed";
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// A master that has everything before it: the repository of the seed holds an older version of every package, and
    /// the source has just been read for the first time.
    /// </summary>
    /// <param name="packages">Its packages.</param>
    /// <param name="settings">What its owner decided.</param>
    /// <param name="now">The master's clock.</param>
    public static MasterState Rebuild(
        IReadOnlyList<SimulatedPackage> packages, MasterSettings settings, DateTimeOffset now)
    {
        // What each costs is known from earlier builds.
        var costs = packages.ToImmutableDictionary(
            p => p.Name, p => new PackageRecord { Cost = new BuildCost(p.Seconds, 0, IsAny: false) },
            StringComparer.Ordinal);
        var state = MasterMachine.Restore(
            new MasterState { Settings = settings, Packages = costs }, _ => PackageIndex.Empty, now);
        state = MasterMachine.Apply(state, new Configured(settings), now).State;
        var index = PackageIndex.Of([.. packages.Select(p => new OfferedPackage(p.Name, "1-1", []))]);
        state = MasterMachine.Apply(
            state, new OutsidePinned(Seed, Architecture, new string('0', 64), 1) { Index = index }, now).State;
        return MasterMachine.Apply(
            state,
            new SourcePolled(new SourceReport
            {
                Source = "packages",
                Cursor = "1",
                Changed = [.. packages.Select((p, number) => Source(p, number))],
                Complete = true,
                Parsed = packages.Count,
                Total = packages.Count,
            }),
            now).State;
    }

    /// <summary>What the owner of the simulated master decided.</summary>
    /// <param name="builders">The builders that it lists.</param>
    /// <param name="independent">How many of them must build each package.</param>
    public static MasterSettings Settings(ImmutableArray<ValidatedBuilder> builders, int independent) => new()
    {
        Independent = independent > 1 ? [new IndependentBuilds(independent, ["*"])] : [],
        Architectures = [Architecture],
        Repositories = [Repository],
        Outside = [new OutsideRepository(Seed, ["file:///seed"])],
        Sources = ["packages"],
        Builders = builders,
        BasePackages = [],
    };

    /// <summary>A small distribution with everything that real ones have: layers, cycles, and packages that do not
    /// build.</summary>
    public static IReadOnlyList<SimulatedPackage> Random(Dice dice, int count, FaultLevel faults)
    {
        var packages = new List<SimulatedPackage>(count);
        for (var i = 0; i < count; i++)
        {
            packages.Add(new SimulatedPackage(
                NameOf(i), 5 + (dice.Until(TimeSpan.FromSeconds(60)).TotalSeconds), Some(i, 2), Some(i, 2), Some(i, 1))
            {
                IsBroken = faults != FaultLevel.None && dice.Chance(0.03),
                IsPoisonous = faults == FaultLevel.Terrible && dice.Chance(0.01),
            });
        }

        return packages;

        List<string> Some(int package, int most)
        {
            var needs = new HashSet<string>(StringComparer.Ordinal);
            for (var i = dice.Below(most + 1); i > 0; i--)
            {
                // Mostly what came before; now and then a cycle.
                var other = dice.Chance(0.04) ? dice.Below(count) : dice.Below(package + 1);
                if (other != package) needs.Add(NameOf(other));
            }

            return [.. needs.Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>The packages of a graph: each yields one package of its name, and needs what its edges say.</summary>
    public static IReadOnlyList<SimulatedPackage> Of(DependencyGraph graph)
    {
        var packages = new List<SimulatedPackage>(graph.Nodes.Length);
        for (var node = 0; node < graph.Nodes.Length; node++)
        {
            var needs = graph.Edges.AsSpan()[graph.NeedsOf(node)].ToArray();
            packages.Add(new SimulatedPackage(
                graph.Nodes[node].Name, graph.Nodes[node].Seconds, Needed(needs, DependencyKind.Run),
                Needed(needs, DependencyKind.Make), Needed(needs, DependencyKind.Check)));
        }

        return packages;

        List<string> Needed(GraphEdge[] needs, DependencyKind kind) =>
            [.. needs.Where(edge => edge.Kind == kind).Select(edge => graph.Nodes[edge.To].Name)];
    }

    private static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"p{number:0000}");

    private static SourcePackage Source(SimulatedPackage package, int number) => new()
    {
        Pkgbase = package.Name,
        Version = "2-1",
        Architectures = [Architecture],
        Dependencies = new BuildDependencies
        {
            Depends = [.. package.Depends],
            Makedepends = [.. package.Makedepends],
            Checkdepends = [.. package.Checkdepends],
        },
        Packages = [new PackageOutput { Name = package.Name, Architectures = [Architecture] }],
        Packager = "A Packager <packager@example.org>",
        Repository = Repository,
        Origin = new SourceOrigin
        {
            Source = "packages",
            Kind = "git",
            Location = "https://example.org/packages.git",
            Path = package.Name,
            Revision = "1",
            Time = Start,
        },
        TreeSha256 = $"{number:x64}",
        ArchiveSha256 = $"{number:x8}" + new string('0', 56),
        ArchiveBytes = 1,
    };
}
