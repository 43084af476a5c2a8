using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Quarters.Core.Documents;

namespace Quarters.Core.Master;

/// <summary>A builder whose results are looked at.</summary>
public sealed record BuilderRecord
{
    /// <summary>The name it is known by here.</summary>
    public required string Name { get; init; }

    /// <summary>The base URL of its public tree.</summary>
    public required string Url { get; init; }

    /// <summary>The key that it must prove, <c>sha256:HEX</c>.</summary>
    public required string PublicKey { get; init; }

    /// <summary>Whether the configuration names it: then only another configuration removes it.</summary>
    public bool IsConfigured { get; init; }

    /// <summary>Whether an operator asked it to take nothing new.</summary>
    public bool Draining { get; init; }

    /// <summary>Since when it is listed.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>What it says of itself; before it was first seen, what the configuration does.</summary>
    public BuilderDescription Description { get; init; } = new();

    /// <summary>Whether it takes nothing new: its owner's or an operator's wish.</summary>
    [JsonIgnore]
    public bool TakesNothing => Draining || Description.Draining;
}

/// <summary>What a builder says of itself and seldom changes. Compared by what it says.</summary>
public sealed record BuilderDescription
{
    /// <summary>What it builds; empty before it was first seen.</summary>
    public ImmutableArray<string> Architectures { get => field.IsDefault ? [] : field; init; }

    /// <summary>How fast it is; see <see cref="ListedBuilder.Weight"/>.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>How many builds it runs at once.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>The most memory that one build may use, in bytes; 0 where it is not known.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Whether its owner drains it.</summary>
    public bool Draining { get; init; }

    /// <summary>What a builder's state says of it.</summary>
    public static BuilderDescription Of(BuilderStateDocument said) => new()
    {
        Architectures = said.Architectures,
        Weight = said.Weight,
        Slots = said.Slots,
        MemoryBytes = said.MemoryBytes,
        Draining = said.Draining,
    };

    /// <inheritdoc/>
    public bool Equals(BuilderDescription? other) =>
        other is not null && Architectures.SequenceEqual(other.Architectures) && Weight.Equals(other.Weight)
        && Slots == other.Slots && MemoryBytes == other.MemoryBytes && Draining == other.Draining;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Architectures.Length, Weight, Slots, MemoryBytes, Draining);
}

/// <summary>What became of a signal.</summary>
/// <param name="Signal">The signal.</param>
/// <param name="Settled">When it was settled.</param>
/// <param name="Refusal">Why nothing was done; null when it was done.</param>
public sealed record SignalOutcome(Signal Signal, DateTimeOffset Settled, string? Refusal)
{
    /// <summary>What is to be told of it besides, a line each.</summary>
    public ImmutableArray<string> Details { get => field.IsDefault ? [] : field; init; }
}

/// <summary>The last signal of an operator that was settled.</summary>
public sealed record SignalMark(DateTimeOffset Time, string Id)
{
    /// <summary>Whether a signal comes after it.</summary>
    public bool IsBefore(Signal signal) =>
        signal.Time > Time || (signal.Time == Time && string.CompareOrdinal(signal.Id, Id) > 0);
}
