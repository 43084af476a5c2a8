using System.Text.Json.Serialization;

namespace Quarters.Core.Documents;

/// <summary>Delete now what nothing needs any more and what the configuration does not keep.</summary>
public sealed record CollectGarbage : Signal
{
    /// <summary>The document's name for it.</summary>
    public const string Kind = "gc";

    /// <summary>Whether only to tell what would be deleted.</summary>
    public bool DryRun { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string KindName => Kind;
}
