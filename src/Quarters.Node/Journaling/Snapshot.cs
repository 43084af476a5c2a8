using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Quarters.Node;

/// <summary>A state and the event after which it was so.</summary>
internal sealed record Snapshot<TState>(long Seq, string Hash, DateTimeOffset Time, TState State);

/// <summary>The file of a snapshot, three lines: the SHA-256 of the other two, of what it is, the state.</summary>
internal static class Snapshot
{
    internal static byte[] Bytes<TState>(long seq, string hash, DateTimeOffset time, TState state,
        JsonTypeInfo<TState> stateInfo)
    {
        var head =
            JsonSerializer.SerializeToUtf8Bytes(new SnapshotHead(seq, hash, time), JournalJson.Default.SnapshotHead);
        byte[] proven = [.. head, (byte)'\n', .. JsonSerializer.SerializeToUtf8Bytes(state, stateInfo), (byte)'\n'];
        return [.. JsonSerializer.SerializeToUtf8Bytes(ProofOf(proven), JournalJson.Default.SnapshotProof), (byte)'\n',
            .. proven];
    }

    /// <exception cref="JsonException">It is damaged, or of another kind.</exception>
    internal static Snapshot<TState> Read<TState>(byte[] bytes, JsonTypeInfo<TState> stateInfo)
    {
        var first = Line(bytes);
        var proven = bytes.AsSpan(first.Length + 1);
        if (JsonSerializer.Deserialize(first, JournalJson.Default.SnapshotProof) != ProofOf(proven))
            throw new JsonException("its hash does not hold");
        var second = Line(proven);
        var head = JsonSerializer.Deserialize(second, JournalJson.Default.SnapshotHead);
        var state = JsonSerializer.Deserialize(proven[(second.Length + 1)..], stateInfo);
        return head is null || state is null
            ? throw new JsonException("it holds no state")
            : new Snapshot<TState>(head.Seq, head.Hash, head.Time, state);
    }

    private static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> bytes) =>
        bytes.IndexOf((byte)'\n') is >= 0 and var end ? bytes[..end] : throw new JsonException("it ends too early");

    private static SnapshotProof ProofOf(ReadOnlySpan<byte> bytes) =>
        new(Convert.ToHexStringLower(SHA256.HashData(bytes)));
}

/// <summary>The first line of a snapshot.</summary>
internal sealed record SnapshotProof(string Sha256);

/// <summary>The second line of a snapshot: the last event that is in the state, its hash and time.</summary>
internal sealed record SnapshotHead(long Seq, string Hash, DateTimeOffset Time);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SnapshotProof))]
[JsonSerializable(typeof(SnapshotHead))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class JournalJson : JsonSerializerContext;
