using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Quarters.Core.Documents;

namespace Quarters.Core.Tests;

/// <summary>
/// Makes the JSON Schema of a document from its record: what the serializer reads and writes, and the words of the doc
/// comments.
/// </summary>
internal static partial class SchemaWriter
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NewLine = "\n",
    };

    private static readonly Dictionary<string, XElement> Comments = XDocument
        .Load(Path.ChangeExtension(typeof(QueueDocument).Assembly.Location, ".xml"))
        .Descendants("member")
        .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    /// <summary>The kind in <c>quarters/KIND/1</c>, and so the name of the file.</summary>
    internal static string Kind(string schema) => schema.Split('/')[1];

    internal static string Write(Type document, string schema)
    {
        var members = JsonSchemaExporter.GetJsonSchemaAsNode(
            QuartersJson.Default.Options,
            document,
            new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform })
            .AsObject();
        // A document of several kinds has the members of one of them.
        foreach (var kind in members["anyOf"]?.AsArray().Select(kind => kind!.AsObject()) ?? [members])
            NameSchema(kind, schema);

        var written = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = $"urn:{schema.Replace('/', ':')}",
            ["title"] = schema,
        };
        foreach (var (name, value) in members.ToList())
        {
            members.Remove(name);
            written[name] = value;
        }

        return written.ToJsonString(Readable) + "\n";
    }

    /// <summary>The first member of every document says what it is: a reader looks there first.</summary>
    private static void NameSchema(JsonObject members, string schema)
    {
        var properties = members["properties"]!.AsObject();
        properties["schema"] = new JsonObject
        {
            ["description"] = properties["schema"]?["description"]?.DeepClone(),
            ["type"] = "string",
            ["enum"] = new JsonArray(schema),
        };
        var required = members["required"] as JsonArray ?? [];
        members["required"] = new JsonArray(
            ["schema", .. required.Select(name => (JsonNode?)name!.GetValue<string>())]);
    }

    private static JsonNode Transform(JsonSchemaExporterContext context, JsonNode node)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        // A converter of its own is opaque to the exporter, which then allows everything.
        if (type.IsEnum)
        {
            var names = Enum.GetNames(type).Select(name => (JsonNode?)JsonNamingPolicy.CamelCase.ConvertName(name));
            node = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. names]) };
        }

        if (node is not JsonObject schema)
            return node;
        Narrow(schema);
        var said = context.PropertyInfo?.AttributeProvider is MemberInfo member
            ? Comment(member) ?? ParameterComment(member)
            : context.Path.IsEmpty ? Comment(type) : null;
        if (said is not null)
            schema.Insert(0, "description", said);
        return schema;
    }

    /// <summary>Says no more than what is written: no null, for it is left out, and no text for a number.</summary>
    private static void Narrow(JsonObject schema)
    {
        if (schema["type"] is JsonArray types)
        {
            var names = types.Select(type => type!.GetValue<string>()).Where(type => type != "null").ToList();
            if (names.Contains("string") && names.Exists(name => name is "integer" or "number"))
            {
                // Documents write numbers as numbers; that the reader is more lenient is no promise.
                names.Remove("string");
                schema.Remove("pattern");
            }

            schema["type"] = names is [var only] ? only : new JsonArray([.. names.Select(name => (JsonNode?)name)]);
        }
    }

    private static string? Comment(MemberInfo member) => Comment(member switch
    {
        Type type => $"T:{type.FullName}",
        _ => $"P:{member.DeclaringType!.FullName}.{member.Name}",
    });

    /// <summary>Members of a positional record are described with the record.</summary>
    private static string? ParameterComment(MemberInfo member) =>
        Comments.GetValueOrDefault($"T:{member.DeclaringType!.FullName}") is { } type
        && type.Elements("param").FirstOrDefault(p => p.Attribute("name")?.Value == member.Name) is { } parameter
            ? Text(parameter)
            : null;

    private static string? Comment(string id) =>
        Comments.GetValueOrDefault(id)?.Element("summary") is { } summary ? Text(summary) : null;

    private static string Text(XElement element) => Spaces().Replace(
        string.Concat(element.Nodes().Select(node => node switch
        {
            XElement { Name.LocalName: "see" } see => (see.Attribute("cref")?.Value ?? "").Split('.')[^1],
            XElement inner => inner.Value,
            _ => node.ToString(),
        })),
        " ").Trim();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
