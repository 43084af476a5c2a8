using System.Collections.Immutable;

namespace Quarters.Core.Documents;

/// <summary>
/// What the builders do as the master last saw it: <c>/v1/digest.json</c>. For builders that cannot reach each other,
/// and for whoever must expect when a builder will be free.
/// </summary>
public sealed record DigestDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Digest;

    /// <summary>Grows with every change; never goes back.</summary>
    public required long Revision { get; init; }

    /// <summary>The master's clock when it wrote this. All times in here are of that clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Every validated builder, in the order of <c>builders.json</c>.</summary>
    public required ImmutableArray<DigestBuilder> Builders { get; init; }
}

/// <summary>One builder as the master last saw it.</summary>
public sealed record DigestBuilder
{
    /// <summary>Who it is: <c>sha256:HEX</c>.</summary>
    public required string PublicKey { get; init; }

    /// <summary>The revision of the state document that this was read from; 0 if it was never read.</summary>
    public required long Revision { get; init; }

    /// <summary>When it was last read; null if never.</summary>
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>Whether it was silent for longer than its lease: nobody waits for it.</summary>
    public bool Lost { get; init; }

    /// <summary>How many more builds it could begin now.</summary>
    public int FreeSlots { get; init; }

    /// <summary>Since when it has had a free slot, or when the next is expected to be free, what it has reserved
    /// included; null when it was never read.</summary>
    public DateTimeOffset? FreeAt { get; init; }

    /// <summary>What it said it does; the times are when the master first saw it.</summary>
    public ImmutableArray<Claim> Claims { get => field.IsDefault ? [] : field; init; }
}
