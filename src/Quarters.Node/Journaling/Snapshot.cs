using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Quarters.Node;

/// <summary>A state and the event after which it was so.</summary>
internal sealed record Snapshot<TState>(long Seq, string Hash, DateTimeOffset Time, TState State);

/// <summary>The file of a snapshot: a line that says of what and proves the rest, and the state.</summary>
internal static class Snapshot
{
    internal static byte[] Bytes<TState>(long seq, string hash, DateTimeOffset time, TState state, JsonTypeInfo<TState> stateInfo)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(state, stateInfo);
        var head = new SnapshotHead(seq, hash, time, Convert.ToHexStringLower(SHA256.HashData(body)));
        return [.. JsonSerializer.SerializeToUtf8Bytes(head, JournalJson.Default.SnapshotHead), (byte)'\n', .. body];
    }

    /// <exception cref="JsonException">It is damaged, or of another kind.</exception>
    internal static Snapshot<TState> Read<TState>(byte[] bytes, JsonTypeInfo<TState> stateInfo)
    {
        var end = Array.IndexOf(bytes, (byte)'\n');
        if (end < 0)
            throw new JsonException("it has no first line");
        var head = JsonSerializer.Deserialize(bytes.AsSpan(0, end), JournalJson.Default.SnapshotHead);
        var body = bytes.AsSpan(end + 1);
        if (head is null || head.Sha256 != Convert.ToHexStringLower(SHA256.HashData(body)))
            throw new JsonException("its hash does not hold");
        return new Snapshot<TState>(head.Seq, head.Hash, head.Time,
            JsonSerializer.Deserialize(body, stateInfo) ?? throw new JsonException("it holds no state"));
    }
}

/// <summary>The first line of a snapshot.</summary>
internal sealed record SnapshotHead(long Seq, string Hash, DateTimeOffset Time, string Sha256);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SnapshotHead))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class JournalJson : JsonSerializerContext;
