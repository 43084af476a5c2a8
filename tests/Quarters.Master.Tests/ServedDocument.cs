using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using NJsonSchema;

namespace Quarters.Master.Tests;

/// <summary>A document that a live node serves, held against schema/.</summary>
internal static class ServedDocument
{
    /// <summary>What is wrong with a document by the schema that it names; nothing if it is valid.</summary>
    internal static async Task<IReadOnlyList<string>> ErrorsAsync(byte[] document, CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetString(document);
        var kind = JsonNode.Parse(text)!["schema"]!.GetValue<string>().Split('/')[1];
        var schema = await JsonSchema.FromFileAsync(Path.Combine(Folder(), kind + ".json"), cancellationToken);
        return [.. schema.Validate(text).Select(error => $"{kind}: {error}")];
    }

    private static string Folder([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "schema"));
}
