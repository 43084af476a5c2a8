using System.Collections.Immutable;

namespace Quarters.Core.Master;

/// <summary>What comes of a signal: the events of what it brings about, or why nothing is done.</summary>
/// <param name="Events">What it brings about; nothing when all is as it asks already.</param>
/// <param name="Refusal">Why nothing is done, in a sentence without its stop; null when it is done.</param>
internal sealed record Verdict(ImmutableArray<MasterEvent> Events, string? Refusal)
{
    /// <summary>What is to be told besides, a line each.</summary>
    public ImmutableArray<string> Details { get; init; } = [];

    public static Verdict Nothing { get; } = new([], null);

    public static Verdict Of(MasterEvent happens) => new([happens], null);

    public static Verdict Refuse(string reason) => new([], reason);
}
