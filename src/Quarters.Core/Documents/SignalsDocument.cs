using System.Collections.Immutable;

namespace Quarters.Core.Documents;

/// <summary>What an operator asks of a master from afar: <c>/v1/signals.json</c> below the operator's URL.</summary>
public sealed record SignalsDocument
{
    /// <summary>More signals than so many are not read; an operator leaves the newest.</summary>
    public const int MaxSignals = 1000;

    /// <summary>No such document is larger, in bytes.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Signals;

    /// <summary>Grows with every change.</summary>
    public required long Revision { get; init; }

    /// <summary>The signals, in any order.</summary>
    public ImmutableArray<Signal> Signals { get => field.IsDefault ? [] : field; init; }
}
