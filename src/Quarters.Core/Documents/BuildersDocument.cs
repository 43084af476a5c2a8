using System.Collections.Immutable;

namespace Quarters.Core.Documents;

/// <summary>
/// The validated builders: <c>/v1/builders.json</c>. Every builder reads it again whenever it moves, so that it holds
/// only what moves seldom: what they do is in <see cref="DigestDocument"/>.
/// </summary>
public sealed record BuildersDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Builders;

    /// <summary>Grows with every change of the list.</summary>
    public required long Revision { get; init; }

    /// <summary>Every builder whose results are looked at, by name.</summary>
    public required ImmutableArray<ListedBuilder> Builders { get; init; }
}

/// <summary>A validated builder, as the list and the builder itself describe it.</summary>
public record ListedBuilder
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its base URL.</summary>
    public required string Url { get; init; }

    /// <summary>The key it must prove: <c>sha256:HEX</c>.</summary>
    public required string PublicKey { get; init; }

    /// <summary>Architectures that it may build; empty before it was first seen.</summary>
    public ImmutableArray<string> Architectures { get => field.IsDefault ? [] : field; init; }

    /// <summary>How fast it is: 1 is a builder on which a job takes what it is estimated to, 2 one that needs
    /// half.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>How many builds it runs at once.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>The most memory that one build may use there, in bytes; 0 where it is not known.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Whether it takes nothing new: its owner's or an operator's wish.</summary>
    public bool Draining { get; init; }
}

/// <summary>A validated builder as the master last saw it, for people: in the master's <c>/v1/state.json</c>.</summary>
public sealed record BuilderStatus : ListedBuilder
{
    /// <summary>When it was last read; null if never.</summary>
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>Why it could not be read; null if it could.</summary>
    public string? Error { get; init; }

    /// <summary>What it said it does.</summary>
    public ImmutableArray<Claim> Claims { get => field.IsDefault ? [] : field; init; }
}
