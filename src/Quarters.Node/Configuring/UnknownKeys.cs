using System.Text.Json.Serialization.Metadata;

namespace Quarters.Node;

/// <summary>
/// Finds keys that the record does not have: a misspelt key that were ignored would leave its owner with a default he
/// did not choose.
/// </summary>
internal static class UnknownKeys
{
    internal static void Find(TomlTree tree, JsonTypeInfo type, string file, List<string> problems)
    {
        if (tree.List is { } list && type.ElementType is { } element && type.Kind == JsonTypeInfoKind.Enumerable)
        {
            var elementType = type.Options.GetTypeInfo(element);
            list.ForEach(item => Find(item, elementType, file, problems));
        }

        if (tree.Table is not { } table)
            return;
        if (type.Kind == JsonTypeInfoKind.Dictionary && type.ElementType is { } values)
        {
            foreach (var value in table.Values)
                Find(value, type.Options.GetTypeInfo(values), file, problems);
        }

        if (type.Kind != JsonTypeInfoKind.Object)
            return;
        foreach (var (key, value) in table)
        {
            var known = type.Properties.FirstOrDefault(property => property.Name == key);
            if (known is not null)
                Find(value, type.Options.GetTypeInfo(known.PropertyType), file, problems);
            else
                problems.Add($"{file}:{value.Place}: there is no key \"{key}\" here{Suggestion(key, type)}");
        }
    }

    private static string Suggestion(string key, JsonTypeInfo type)
    {
        var names = type.Properties.Select(property => property.Name).ToList();
        var nearest = names.MinBy(name => Distance(key, name));
        if (nearest is not null && Distance(key, nearest) <= Math.Max(2, nearest.Length / 3))
            return $"; did you mean \"{nearest}\"?";
        return $"; the keys are {string.Join(", ", names.Order(StringComparer.Ordinal))}";
    }

    /// <summary>Levenshtein's distance, upper and lower case and separators alike.</summary>
    private static int Distance(string a, string b)
    {
        a = Plain(a);
        b = Plain(b);
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }

    private static string Plain(string key) =>
        string.Concat(key.Take(64).Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
