using System.Globalization;
using System.Text.Json;
using Tomlyn;
using Tomlyn.Parsing;

namespace Quarters.Node;

/// <summary>A value of a TOML file with the place where it stands.</summary>
internal sealed class TomlTree
{
    private TomlTree(object? value, string place)
    {
        Value = value;
        Place = place;
    }

    /// <summary>A table, a list, or a scalar.</summary>
    internal object? Value { get; private set; }

    /// <summary>Line and column of the key, or of the value in a list, as <c>3:1</c>.</summary>
    internal string Place { get; private set; }

    internal Dictionary<string, TomlTree>? Table => Value as Dictionary<string, TomlTree>;

    internal List<TomlTree>? List => Value as List<TomlTree>;

    /// <summary>Reads text that was found to be valid TOML.</summary>
    internal static TomlTree Read(string text)
    {
        var parser = TomlParser.Create(text, new TomlSerializerOptions());
        while (parser.MoveNext())
        {
            if (parser.Current.Kind == TomlParseEventKind.StartTable)
                return new TomlTree(ReadTable(parser), "1:1");
        }

        return new TomlTree(new Dictionary<string, TomlTree>(StringComparer.Ordinal), "1:1");
    }

    /// <summary>The same as JSON.</summary>
    internal byte[] ToJson()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
            Write(json);
        return bytes.ToArray();
    }

    /// <summary>The place of what System.Text.Json calls <c>$.a[0].b</c>; the nearest that exists above it.</summary>
    internal string At(string? path)
    {
        var at = this;
        foreach (var step in (path ?? "").Split('.', '[', ']'))
        {
            if (at.Table?.GetValueOrDefault(step.Trim('\'')) is { } member)
                at = member;
            else if (at.List is { } list && int.TryParse(step, CultureInfo.InvariantCulture, out var index)
                && index < list.Count)
                at = list[index];
        }

        return at.Place;
    }

    private static Dictionary<string, TomlTree> ReadTable(TomlParser parser)
    {
        var table = new Dictionary<string, TomlTree>(StringComparer.Ordinal);
        while (parser.MoveNext() && parser.Current.Kind != TomlParseEventKind.EndTable)
        {
            var key = parser.Current.PropertyName ?? parser.GetPropertyName();
            var place = PlaceOf(parser);
            parser.MoveNext();
            var value = new TomlTree(ReadValue(parser), place);
            if (table.TryGetValue(key, out var before))
                before.Merge(value);
            else
                table.Add(key, value);
        }

        return table;
    }

    // [a], [c], [a.b]: the parser tells of `a` twice; that this is allowed was checked before.
    private void Merge(TomlTree later)
    {
        if (List is { } list && later.List is { } more)
            list.AddRange(more);
        foreach (var (key, value) in later.Table ?? [])
        {
            // [[a]], [c], [a.b]: `b` belongs to the last table of the list.
            var into = Table ?? List?[^1].Table;
            if (into is null || into.TryAdd(key, value))
                continue;
            into[key].Merge(value);
        }
    }

    private static object? ReadValue(TomlParser parser)
    {
        switch (parser.Current.Kind)
        {
            case TomlParseEventKind.StartTable:
                return ReadTable(parser);
            case TomlParseEventKind.StartArray:
                var list = new List<TomlTree>();
                while (parser.MoveNext() && parser.Current.Kind != TomlParseEventKind.EndArray)
                {
                    var place = PlaceOf(parser);
                    var item = new TomlTree(ReadValue(parser), place);
                    if (place.StartsWith('0') && item.Table?.Values.FirstOrDefault() is { } first)
                        item.Place = first.Place;
                    list.Add(item);
                }

                return list;
            case TomlParseEventKind.Integer:
                return parser.Current.GetInt64();
            case TomlParseEventKind.Float:
                return parser.Current.GetDouble();
            case TomlParseEventKind.Boolean:
                return parser.Current.GetBoolean();
            case TomlParseEventKind.DateTime:
                return parser.Current.GetTomlDateTime().ToString();
            default:
                return parser.GetString();
        }
    }

    private static string PlaceOf(TomlParser parser) =>
        string.Create(CultureInfo.InvariantCulture, $"{parser.Current.Line}:{parser.Current.Column}");

    private void Write(Utf8JsonWriter json)
    {
        switch (Value)
        {
            case Dictionary<string, TomlTree> table:
                json.WriteStartObject();
                foreach (var (key, value) in table)
                {
                    json.WritePropertyName(key);
                    value.Write(json);
                }

                json.WriteEndObject();
                break;
            case List<TomlTree> list:
                json.WriteStartArray();
                list.ForEach(item => item.Write(json));
                json.WriteEndArray();
                break;
            case long number: json.WriteNumberValue(number); break;
            case bool truth: json.WriteBooleanValue(truth); break;
            case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
            // JSON knows no infinity: as a string it fails where a number is wanted, with the place.
            default: json.WriteStringValue(Convert.ToString(Value, CultureInfo.InvariantCulture)); break;
        }
    }
}
