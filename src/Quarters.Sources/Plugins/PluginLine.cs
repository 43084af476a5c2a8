using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quarters.Sources.Plugins;

/// <summary>One line that a plug-in prints. It says one of three things: <c>package</c>, <c>removed</c> or
/// <c>cursor</c>.</summary>
internal sealed record PluginLine
{
    /// <summary>The path of a package that is new or changed.</summary>
    public string? Package { get; init; }

    /// <summary>Where its files are: absolute, or relative to the directory that the plug-in works in.</summary>
    public string? Directory { get; init; }

    public string? Revision { get; init; }

    public DateTimeOffset? Time { get; init; }

    /// <summary>Who made the change, <c>Name &lt;address&gt;</c>; the address may be left out.</summary>
    public string? Author { get; init; }

    /// <summary>The path of a package that is no more.</summary>
    public string? Removed { get; init; }

    /// <summary>Where the next poll goes on; stands in the last line.</summary>
    public string? Cursor { get; init; }

    /// <summary>With the cursor: what was not printed is no more.</summary>
    public bool Complete { get; init; }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PluginLine))]
internal sealed partial class PluginJson : JsonSerializerContext;
