using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Quarters.Node;

/// <summary>
/// A line of the journal: <c>{"seq":N,"time":"…","prev":"HASH","more":true,"event":{…},"hash":"HASH"}</c>.
/// <c>hash</c> is the SHA-256 of the line's bytes before <c>,"hash"</c>; <c>prev</c> is the hash of the line before (64
/// zeros in the first). So each line proves itself and all before it. <c>more</c> stands in every line but the last of
/// what was appended together: such lines count only together.
/// </summary>
internal readonly record struct JournalLine<TEvent>(long Seq, DateTimeOffset Time, string Prev, bool More,
    TEvent Event, string Hash)
{
    internal const string NoHash = "0000000000000000000000000000000000000000000000000000000000000000";

    private const int TailLength = 9 + 64 + 2; // ,"hash":"…"}

    /// <summary>Writes the line with its newline and returns its hash.</summary>
    internal static string Write(ArrayBufferWriter<byte> output, long seq, DateTimeOffset time, string prev, bool more,
        TEvent happened, JsonTypeInfo<TEvent> typeInfo)
    {
        var start = output.WrittenCount;
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteNumber("seq", seq);
            json.WriteString("time", time);
            json.WriteString("prev", prev);
            if (more)
                json.WriteBoolean("more", true);
            json.WritePropertyName("event");
            JsonSerializer.Serialize(json, happened, typeInfo);
            json.Flush();
            // The object stays open: its last member is the hash of all this.
            var hash = Convert.ToHexStringLower(SHA256.HashData(output.WrittenSpan[start..]));
            json.WriteString("hash", hash);
            json.WriteEndObject();
            json.Flush();
            output.Write("\n"u8);
            return hash;
        }
    }

    /// <summary>Reads a line (without its newline) whose hash holds.</summary>
    /// <exception cref="JsonException">It is not such a line; the message says why.</exception>
    internal static JournalLine<TEvent> Read(ReadOnlySpan<byte> line, JsonTypeInfo<TEvent> typeInfo)
    {
        var hash = CheckedHash(line);
        var reader = new Utf8JsonReader(line);
        reader.Read();
        long seq = 0;
        DateTimeOffset time = default;
        string? prev = null;
        var more = false;
        TEvent? happened = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            switch (name)
            {
                case "seq": seq = reader.GetInt64(); break;
                case "time": time = reader.GetDateTimeOffset(); break;
                case "prev": prev = reader.GetString(); break;
                case "more": more = reader.GetBoolean(); break;
                case "event": happened = JsonSerializer.Deserialize(ref reader, typeInfo); break;
                default: reader.Skip(); break;
            }
        }

        if (seq < 1 || prev is null || happened is null)
            throw new JsonException("it lacks seq, prev or event");
        return new JournalLine<TEvent>(seq, time, prev, more, happened, hash);
    }

    private static string CheckedHash(ReadOnlySpan<byte> line)
    {
        if (line.Length <= TailLength || !line[^TailLength..].StartsWith(",\"hash\":\""u8))
            throw new JsonException("it does not end with its hash");
        var computed = Convert.ToHexStringLower(SHA256.HashData(line[..^TailLength]));
        var written = Encoding.ASCII.GetString(line[^66..^2]);
        if (computed != written || !line.EndsWith("\"}"u8))
            throw new JsonException($"its content has the hash {computed}, but it says {written}");
        return written;
    }
}
