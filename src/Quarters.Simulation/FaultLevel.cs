using System.Text.Json.Serialization;
using Quarters.Core;

namespace Quarters.Simulation;

/// <summary>How much goes wrong in a simulated farm.</summary>
[JsonConverter(typeof(CamelCase<FaultLevel>))]
public enum FaultLevel
{
    /// <summary>Nothing: for measuring.</summary>
    None,

    /// <summary>A bad day: lost answers, slow links, stale caches, a builder that dies now and then.</summary>
    Bad,

    /// <summary>Everything at once: crashes of master and builders, one-way cuts, clocks wrong by hours, sick machines,
    /// builders that leave for good.</summary>
    Terrible,
}
