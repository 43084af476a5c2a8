using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Quarters.Core;
using Quarters.Core.Sources;

namespace Quarters.Sources.Upstreams;

/// <summary>A package whose version is known only upstream.</summary>
internal sealed record FollowedPackage
{
    /// <summary>The package as its source has it, <see cref="SourcePackage"/> as JSON.</summary>
    public required JsonElement Source { get; init; }

    /// <summary>The commits that its version was found at, by <see cref="UpstreamSource.Key"/>.</summary>
    public required ImmutableSortedDictionary<string, string> Commits { get; init; }

    [JsonIgnore]
    internal SourcePackage Package => Source.Deserialize(QuartersJson.Default.SourcePackage)!;

    internal static FollowedPackage Of(SourcePackage package, IDictionary<string, string> commits) => new()
    {
        Source = JsonSerializer.SerializeToElement(package, QuartersJson.Default.SourcePackage),
        Commits = commits.ToImmutableSortedDictionary(StringComparer.Ordinal),
    };
}

/// <summary>What is remembered of upstreams between polls. When it is lost everything is asked anew.</summary>
internal sealed record FollowMemory
{
    /// <summary>The cursor of the report after which this was written.</summary>
    public required string Cursor { get; init; }

    /// <summary>When all of them were asked last.</summary>
    public required DateTimeOffset Asked { get; init; }

    /// <summary>By path in the source.</summary>
    public required ImmutableSortedDictionary<string, FollowedPackage> Packages { get; init; }

    internal static FollowMemory? Load(string path, string? cursor)
    {
        if (cursor is null || !File.Exists(path))
            return null;
        try
        {
            using var file = File.OpenRead(path);
            var memory = JsonSerializer.Deserialize(file, FollowJson.Default.FollowMemory);
            return memory?.Cursor == cursor
                ? memory with { Packages = memory.Packages.WithComparers(StringComparer.Ordinal) }
                : null;
        }
        catch (JsonException)
        {
            // Torn by a crash.
            return null;
        }
    }

    internal void Save(string path)
    {
        using (var file = File.Create(path + ".new"))
            JsonSerializer.Serialize(file, this, FollowJson.Default.FollowMemory);
        File.Move(path + ".new", path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(FollowMemory))]
internal sealed partial class FollowJson : JsonSerializerContext;
