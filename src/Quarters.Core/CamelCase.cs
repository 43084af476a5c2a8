using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quarters.Core;

/// <summary>Writes an enumeration by name in the spelling of all members of our documents.</summary>
public sealed class CamelCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
