using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;

namespace Quarters.Master;

/// <summary>
/// The cycles of the farm's packages. To find them costs up to a second in a large farm, and anybody may ask: they are
/// found once for what the sources hold and for the architectures, by one who asks while the others wait.
/// </summary>
internal sealed class KnownCycles
{
    private readonly Lock _finding = new();
    private ImmutableArray<string> _architectures = [];
    private ImmutableArray<string> _sources = [];
    private ImmutableArray<PackageCycle> _cycles = [];

    /// <summary>The cycles as the sources are in a state.</summary>
    public CyclesDocument Of(MasterState state)
    {
        lock (_finding)
        {
            ImmutableArray<string> sources =
            [
                .. state.Packages.Values.Select(record => record.Source?.ArchiveSha256).OfType<string>()
                    .Order(StringComparer.Ordinal),
            ];
            var architectures = state.Settings?.Architectures ?? [];
            if (!sources.AsSpan().SequenceEqual(_sources.AsSpan())
                || !architectures.AsSpan().SequenceEqual(_architectures.AsSpan()))
            {
                _cycles = CycleSurvey.Of(FarmGraph.Of(state));
                (_sources, _architectures) = (sources, architectures);
            }

            return new CyclesDocument { Revision = state.Revision, Packages = sources.Length, Cycles = _cycles };
        }
    }
}
