using System.Collections.Immutable;

namespace Quarters.Sources.Plugins;

/// <summary>A program of the operator's to take packages from: <c>docs/reference/plugins.md</c>.</summary>
public sealed record PluginSourceSettings : SourceSettings
{
    /// <summary>The program, and its arguments; no shell reads them.</summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>How long the program may run.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How much it may print, in bytes.</summary>
    public long MaxOutputBytes { get; init; } = 64L << 20;
}
