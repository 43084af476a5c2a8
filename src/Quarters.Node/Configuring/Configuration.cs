using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Tomlyn;
using Tomlyn.Parsing;

namespace Quarters.Node;

/// <summary>
/// Reads a TOML file into a record. Tomlyn parses; the record's <see cref="JsonTypeInfo{T}"/> says which keys there
/// are and of which type, so that names, enumerations and required members follow the same rules as in every document.
/// A member with a default must have <c>set</c>: generated code gives a missing <c>init</c> member its type's default
/// instead of the one written in the record.
/// </summary>
public static class Configuration
{
    /// <summary>A larger file is refused: it is not a configuration.</summary>
    public const int BytesLimit = 1024 * 1024;

    /// <summary>Reads a configuration file.</summary>
    /// <exception cref="ConfigurationException">It is missing, not TOML, or not what is expected: all that is wrong
    /// with it, each with line and column.</exception>
    public static T Load<T>(string path, JsonTypeInfo<T> typeInfo)
    {
        string text;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > BytesLimit })
                throw new ConfigurationException([$"{path}: the file is larger than {BytesLimit} bytes"]);
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([$"{path}: the file cannot be read: {e.Message}"], e);
        }

        return Parse(text, path, typeInfo);
    }

    /// <summary>Reads a configuration from text.</summary>
    /// <param name="text">TOML.</param>
    /// <param name="name">What to call it in errors, mostly its path.</param>
    /// <param name="typeInfo">What it must be.</param>
    /// <exception cref="ConfigurationException">It is not TOML, or not what is expected.</exception>
    public static T Parse<T>(string text, string name, JsonTypeInfo<T> typeInfo)
    {
        var syntax = SyntaxParser.Parse(text, new TomlSerializerOptions(), name, validate: true);
        if (syntax.HasErrors)
            throw new ConfigurationException([.. syntax.Diagnostics.Select(found =>
                $"{name}:{found.Span.Start.Line + 1}:{found.Span.Start.Column + 1}: {found.Message}")]);

        var root = TomlTree.Read(text);
        var problems = TomlCheck.Find(root, typeInfo, name);
        if (problems.Count > 0)
            throw new ConfigurationException(problems);
        try
        {
            return JsonSerializer.Deserialize(root.ToJson(), typeInfo)
                ?? throw new ConfigurationException([$"{name}: the file says nothing"]);
        }
        catch (JsonException e)
        {
            throw new ConfigurationException([$"{name}:{root.At(e.Path)}: {Sentence(e)}"], e);
        }
    }

    // System.Text.Json ends its messages with a path and byte positions of a JSON text that nobody has seen.
    private static string Sentence(JsonException e)
    {
        var end = e.Message.IndexOf(" Path: ", StringComparison.Ordinal);
        var message = end < 0 ? e.Message : e.Message[..end];
        return e.Path is null or "$" ? message : $"{e.Path.TrimStart('$', '.')}: {message}";
    }
}

/// <summary>What is wrong with a configuration file: one sentence each, beginning with file, line and column.</summary>
public sealed class ConfigurationException(IReadOnlyList<string> problems, Exception? inner = null)
    : Exception(string.Join('\n', problems), inner)
{
    /// <summary>The sentences, at least one.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
