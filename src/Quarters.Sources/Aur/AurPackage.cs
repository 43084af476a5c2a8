using System.Text.Json.Serialization;

namespace Quarters.Sources.Aur;

/// <summary>A package as the AUR describes it, in the RPC's answers and in the archive of all metadata alike: the
/// members that are looked at. Source: <c>https://aur.archlinux.org/rpc</c>, version 5.</summary>
internal sealed record AurPackage
{
    public string Name { get; init; } = "";

    public string PackageBase { get; init; } = "";

    public string Version { get; init; } = "";

    /// <summary>Seconds since 1970.</summary>
    public long LastModified { get; init; }

    public int NumVotes { get; init; }

    public string[]? Depends { get; init; }

    public string[]? MakeDepends { get; init; }

    public string[]? CheckDepends { get; init; }

    public string[]? Provides { get; init; }

    /// <summary>All that must be there before it is built.</summary>
    [JsonIgnore]
    internal IEnumerable<string> Dependencies =>
        (Depends ?? []).Concat(MakeDepends ?? []).Concat(CheckDepends ?? []);
}

/// <summary>An answer of the RPC.</summary>
internal sealed record AurAnswer
{
    [JsonPropertyName("type")]
    public string Type { get; init; } = "";

    [JsonPropertyName("error")]
    public string? Error { get; init; }

    [JsonPropertyName("results")]
    public AurPackage[]? Results { get; init; }
}

[JsonSerializable(typeof(AurAnswer))]
internal sealed partial class AurJson : JsonSerializerContext;
