namespace Quarters.Configuring;

/// <summary>Somebody whose signals are obeyed from afar.</summary>
internal sealed record OperatorSection
{
    /// <summary>Its name, shown where it is told who asked for what.</summary>
    public required string Name { get; set; }

    /// <summary>The base URL below which it publishes <c>v1/signals.json</c>.</summary>
    public required string Url { get; set; }

    /// <summary>The key that it signs with, <c>sha256:HEX</c>.</summary>
    public required string Key { get; set; }

    /// <summary>How often it is looked at.</summary>
    [System.Text.Json.Serialization.JsonConverter(typeof(DurationConverter))]
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(30);
}
