using System.Collections.Immutable;

namespace Quarters.Core.Documents;

/// <summary>Who a node is: <c>/v1/node.json</c>.</summary>
public sealed record NodeDocument
{
    /// <summary>Kind and version of this document.</summary>
    public string Schema { get; init; } = Schemas.Node;

    /// <summary><c>master</c> or <c>builder</c>.</summary>
    public required string Role { get; init; }

    /// <summary>The name that its owner gave it.</summary>
    public required string Name { get; init; }

    /// <summary>The node itself: <c>sha256:HEX</c> of its public key (SPKI).</summary>
    public required string PublicKey { get; init; }

    /// <summary>The software's version.</summary>
    public required string Version { get; init; }

    /// <summary>Architectures that it builds, or keeps repositories for.</summary>
    public ImmutableArray<string> Architectures { get => field.IsDefault ? [] : field; init; }

    /// <summary>Paths of its other documents, by name.</summary>
    public ImmutableSortedDictionary<string, string> Links
    {
        get => field ?? ImmutableSortedDictionary<string, string>.Empty;
        init;
    }
}
