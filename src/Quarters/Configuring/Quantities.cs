using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quarters.Configuring;

/// <summary>Bytes as people write them: <c>"8 GiB"</c>; a plain number counts bytes.</summary>
internal sealed class BytesConverter : JsonConverter<long>
{
    private static readonly Dictionary<string, long> Units = new(StringComparer.OrdinalIgnoreCase)
    {
        ["B"] = 1,
        ["KiB"] = 1L << 10,
        ["MiB"] = 1L << 20,
        ["GiB"] = 1L << 30,
        ["TiB"] = 1L << 40,
    };

    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var bytes = Quantity.Read(ref reader, Units, "a size such as \"8 GiB\" (B, KiB, MiB, GiB or TiB)");
        return bytes <= long.MaxValue / 2 ? (long)bytes : throw new JsonException("the size is too large");
    }

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture) + " B");
}

/// <summary>A duration as people write it: <c>"30 min"</c>; a plain number counts seconds.</summary>
internal sealed class DurationConverter : JsonConverter<TimeSpan>
{
    private static readonly Dictionary<string, long> Units = new(StringComparer.OrdinalIgnoreCase)
    {
        ["s"] = 1,
        ["min"] = 60,
        ["h"] = 3600,
        ["d"] = 86400,
    };

    private const int MaxDays = 365;

    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var seconds = Quantity.Read(ref reader, Units, "a duration such as \"30 min\" (s, min, h or d)");
        return seconds is > 0 and <= MaxDays * 86400.0
            ? TimeSpan.FromSeconds(seconds)
            : throw new JsonException($"the duration must be more than nothing and at most {MaxDays} days");
    }

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.TotalSeconds.ToString(CultureInfo.InvariantCulture) + " s");
}

/// <summary>A number and a unit.</summary>
internal static class Quantity
{
    /// <exception cref="JsonException">It is something else; the message says what was expected.</exception>
    internal static double Read(ref Utf8JsonReader reader, Dictionary<string, long> units, string expected)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var plain) && plain >= 0)
            return plain;
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()!.Trim() : "";
        var unit = 0;
        while (unit < text.Length && (char.IsAsciiDigit(text[unit]) || text[unit] == '.'))
            unit++;
        if (double.TryParse(text[..unit], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && units.TryGetValue(text[unit..].Trim(), out var size))
            return number * size;
        throw new JsonException($"it must be {expected}");
    }
}
