using System.Collections.Immutable;
using Quarters.Core.Documents;
using Quarters.Core.Sources;

namespace Quarters.Core.Master;

/// <summary>What a build must yield, and whether what arrived is that. Nothing that a builder says is believed.</summary>
public static class Acceptance
{
    /// <summary>The packages that a build for an architecture must yield; those of other architectures it must not.</summary>
    public static ImmutableArray<WantedPackage> Wanted(SourcePackage source, string architecture) =>
        [.. source.Packages
            .Where(p => p.Architectures.Contains("any") || p.Architectures.Contains(architecture))
            .Select(p => new WantedPackage(p.Name, p.Architectures.Contains("any") ? "any" : architecture))];
}
