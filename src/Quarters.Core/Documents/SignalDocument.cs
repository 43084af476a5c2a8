using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary>What became of a signal: <c>/v1/signals/ID.json</c>.</summary>
public sealed record SignalDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.SignalOutcome;

    /// <summary>The signal's id.</summary>
    public required string Id { get; init; }

    /// <summary>What it asked for.</summary>
    public required string Kind { get; init; }

    /// <summary>Whether it was done.</summary>
    public required SignalEnd Outcome { get; init; }

    /// <summary>Why it was refused, in a sentence; null when it was done.</summary>
    public string? Reason { get; init; }

    /// <summary>What is to be told besides, a line each: of a move that was refused, all that it would have
    /// broken.</summary>
    public ImmutableArray<string> Details { get => field.IsDefault ? [] : field; init; }

    /// <summary>When it was settled, by the master's clock.</summary>
    public required DateTimeOffset Settled { get; init; }
}

/// <summary>How a signal ended.</summary>
[JsonConverter(typeof(CamelCase<SignalEnd>))]
public enum SignalEnd
{
    /// <summary>It was done.</summary>
    Done,

    /// <summary>Nothing was done.</summary>
    Refused,
}
