using System.Collections;

namespace Quarters.Sources;

/// <summary>The environment that tools run in: this process's, but for what would steer them.</summary>
internal static class InheritedEnvironment
{
    /// <summary>All variables but those whose names begin so; the caller adds its own.</summary>
    internal static Dictionary<string, string> Without(params string[] prefixes) =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => (Name: (string)variable.Key, Value: (string)variable.Value!))
            .Where(one => !prefixes.Any(prefix => one.Name.StartsWith(prefix, StringComparison.Ordinal)))
            .ToDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal);
}
