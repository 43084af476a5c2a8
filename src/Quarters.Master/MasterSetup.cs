using Quarters.Core.Master;
using Quarters.Master.Polling;
using Quarters.Master.Signalling;

namespace Quarters.Master;

/// <summary>What a configuration decides and a running master can take over without a stop.</summary>
/// <param name="Settings">The owner's decisions.</param>
/// <param name="Sources">The sources of packages.</param>
/// <param name="Operators">Whose signed signals are obeyed.</param>
public sealed record MasterSetup(
    MasterSettings Settings, IReadOnlyList<PolledSource> Sources, IReadOnlyList<PolledOperator> Operators);
