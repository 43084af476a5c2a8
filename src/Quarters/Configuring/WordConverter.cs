using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quarters.Configuring;

/// <summary>One of a few words: the names of an enumeration in small letters. A word that is none of them is answered
/// with those that there are.</summary>
internal sealed class WordConverter<TWord> : JsonConverter<TWord>
    where TWord : struct, Enum
{
    private static readonly Dictionary<string, TWord> Words =
        Enum.GetValues<TWord>().ToDictionary(Of, StringComparer.Ordinal);

    /// <summary>How a value is written.</summary>
    internal static string Of(TWord value) => value.ToString().ToLowerInvariant();

    public override TWord Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Words.TryGetValue(reader.GetString()!, out var value)
            ? value
            : throw new JsonException($"it must be one of \"{string.Join("\", \"", Words.Keys)}\"");

    public override void Write(Utf8JsonWriter writer, TWord value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Of(value));
}
