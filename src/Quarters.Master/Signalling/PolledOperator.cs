namespace Quarters.Master.Signalling;

/// <summary>Somebody whose signals are obeyed from afar.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Url">The base URL below which <c>v1/signals.json</c> is.</param>
/// <param name="PublicKey">The key that it must be signed with, <c>sha256:HEX</c>.</param>
public sealed record PolledOperator(string Name, string Url, string PublicKey)
{
    /// <summary>The pause between two looks, when the server answers at once.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);
}
