using System.Text.Json.Serialization.Metadata;

namespace Quarters.Node;

/// <summary>
/// Finds what a file has otherwise than its record. A misspelt key that were ignored would leave its owner with a
/// default he did not choose; and of a missing key or a wrong value the JSON library would speak as of its own types.
/// </summary>
internal sealed class TomlCheck
{
    private readonly string _file;
    private readonly List<string> _problems = [];

    private TomlCheck(string file) => _file = file;

    /// <summary>All that is wrong, a sentence each.</summary>
    internal static List<string> Find(TomlTree root, JsonTypeInfo type, string file)
    {
        var check = new TomlCheck(file);
        check.Look(root, type, "");
        return check._problems;
    }

    private void Look(TomlTree tree, JsonTypeInfo type, string path)
    {
        if (Fault(tree.Value, type) is { } fault)
        {
            _problems.Add($"{_file}:{tree.Place}: {path}: {fault}");
            return;
        }

        JsonTypeInfo Of(Type inner) => type.Options.GetTypeInfo(inner);
        if (type.Kind == JsonTypeInfoKind.Object)
            LookAtKeys(tree, type, path);
        else if (tree.List is { } list && type.ElementType is { } element)
            foreach (var (index, item) in list.Index()) Look(item, Of(element), $"{path}[{index}]");
        else if (tree.Table is { } table && type.ElementType is { } values)
            foreach (var (key, value) in table) Look(value, Of(values), Below(path, key));
    }

    private void LookAtKeys(TomlTree tree, JsonTypeInfo type, string path)
    {
        var isMisspelt = false;
        foreach (var (key, value) in tree.Table!)
        {
            var known = type.Properties.FirstOrDefault(property => property.Name == key);
            if (known is null)
            {
                isMisspelt = true;
                _problems.Add($"{_file}:{value.Place}: there is no key \"{key}\" here{Suggestion(key, type)}");
            }
            // A converter of its own says itself what it takes.
            else if (known.CustomConverter is null)
                Look(value, type.Options.GetTypeInfo(known.PropertyType), Below(path, key));
        }

        // What is missing may be what is misspelt.
        if (isMisspelt) return;
        var where = path.Length == 0 ? "" : path + ": ";
        foreach (var missing in type.Properties.Where(one => one.IsRequired && !tree.Table!.ContainsKey(one.Name)))
            _problems.Add($"{_file}:{tree.Place}: {where}the key \"{missing.Name}\" is missing");
    }

    private static string Below(string path, string key) => path.Length == 0 ? key : path + "." + key;

    private static string? Fault(object? value, JsonTypeInfo type)
    {
        if (type.Kind == JsonTypeInfoKind.Enumerable)
            return value is List<TomlTree> ? null : "it must be a list, in [ ]";
        if (type.Kind != JsonTypeInfoKind.None)
            return value is Dictionary<string, TomlTree> ? null : "it must be a table, with keys of its own";
        var wanted = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        if (wanted == typeof(string)) return value is string ? null : "it must be text, in quotes";
        if (wanted == typeof(bool)) return value is bool ? null : "it must be true or false";
        if ((wanted == typeof(int) || wanted == typeof(long)) && value is not long) return "it must be a whole number";
        if (wanted == typeof(int) && value is < (long)int.MinValue or > (long)int.MaxValue)
            return "the number is too large";
        if (wanted == typeof(double))
            return value is long || (value is double number && double.IsFinite(number)) ? null : "it must be a number";
        return null;
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
