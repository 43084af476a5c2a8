using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Quarters.Core.Documents;

namespace Quarters.Core.Tests;

/// <summary>schema/ holds the JSON Schema of every document, made from the records.</summary>
public sealed class SchemaTests
{
    private static readonly Dictionary<string, Type> Documents = typeof(Schemas).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(Schemas).Namespace
            && type.Name.EndsWith("Document", StringComparison.Ordinal) && type != typeof(SignalDocument))
        .Select(type => (Name: type.Name[..^"Document".Length], Type: type))
        .Append((Name: nameof(Schemas.Signal), Type: typeof(Signal)))
        .Append((Name: nameof(Schemas.SignalOutcome), Type: typeof(SignalDocument)))
        .ToDictionary(pair => pair.Name, pair => pair.Type, StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. Fields.Select(constant => constant.Name)];

    private static FieldInfo[] Fields => typeof(Schemas).GetFields(BindingFlags.Public | BindingFlags.Static);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_schema_is_that_of_the_record(string name)
    {
        var schema = (string)typeof(Schemas).GetField(name)!.GetRawConstantValue()!;
        var made = SchemaWriter.Write(Documents[name], schema);
        var file = Path.Combine(Folder(), SchemaWriter.Kind(schema) + ".json");
        if (Environment.GetEnvironmentVariable("QUARTERS_UPDATE") == "1")
        {
            Directory.CreateDirectory(Folder());
            File.WriteAllText(file, made);
        }

        Assert.True(File.Exists(file), $"{file} is missing: run this test with QUARTERS_UPDATE=1");
        Assert.True(
            File.ReadAllText(file) == made,
            $"{file} is not what the record says: run this test with QUARTERS_UPDATE=1 and see what changed");
    }

    [Fact]
    public void Every_document_has_a_schema_and_every_schema_a_document()
    {
        Assert.Equal(
            Documents.Keys.Order(StringComparer.Ordinal),
            Fields.Select(constant => constant.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            Fields.Select(constant => SchemaWriter.Kind((string)constant.GetRawConstantValue()!) + ".json")
                .Order(StringComparer.Ordinal),
            Directory.GetFiles(Folder()).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_schema_says_of_every_member_what_it_may_be(string name)
    {
        var schema = (string)typeof(Schemas).GetField(name)!.GetRawConstantValue()!;
        Assert.Empty(Vague(JsonNode.Parse(SchemaWriter.Write(Documents[name], schema))!, name));
    }

    /// <summary>Schemas in this one that allow everything, by their place.</summary>
    private static IEnumerable<string> Vague(JsonNode? schema, string place)
    {
        if (schema is not JsonObject node
            || !(node.ContainsKey("type") || node.ContainsKey("$ref") || node.ContainsKey("const")))
        {
            yield return place;
            yield break;
        }

        var inner = (node["properties"] as JsonObject ?? [])
            .Concat(node.Where(pair => pair.Key is "items" or "additionalProperties"))
            .Concat((node["anyOf"] as JsonArray ?? [])
                .Select((kind, i) => KeyValuePair.Create($"anyOf[{i}]", Kind(kind))));
        foreach (var found in inner.SelectMany(pair => Vague(pair.Value, $"{place}.{pair.Key}"))) yield return found;
    }

    /// <summary>A kind of a polymorphic document: an object, as is said where the kinds are listed.</summary>
    private static JsonNode? Kind(JsonNode? kind)
    {
        var copy = kind?.DeepClone();
        copy?["type"] = "object";
        return copy;
    }

    private static string Folder([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "schema"));
}
