namespace Quarters.Alpm;

/// <summary>One section of a .SRCINFO: a name and the fields set there, in the order they were met.</summary>
public sealed class SrcInfoSection
{
    private readonly OrderedDictionary<string, IReadOnlyList<string>> _fields = new(StringComparer.Ordinal);

    /// <summary>A section of these fields.</summary>
    /// <param name="name">The pkgbase or pkgname.</param>
    /// <param name="fields">A field that is set to nothing, which only makes sense in a package, has an empty
    /// list.</param>
    /// <exception cref="AlpmFormatException">The name is not one that makepkg accepts, or a single-valued field has
    /// several.</exception>
    public SrcInfoSection(string name, IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        Name = PackageName.Check(name);
        foreach (var (field, values) in fields)
        {
            if (SrcInfoText.IsSingle(field) && values.Count > 1)
                throw new AlpmFormatException($".SRCINFO of {name}", $"the field {field} has several values");
            // One empty string and nothing at all are printed alike.
            _fields.Add(field, values is [""] ? [] : values);
        }
    }

    /// <summary>The pkgbase or pkgname.</summary>
    public string Name { get; }

    /// <summary>The fields in the order they were met; empty strings among the values are kept.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Fields => _fields;

    /// <summary>Is the field set here, be it to nothing?</summary>
    public bool Has(string field) => _fields.ContainsKey(field);

    /// <summary>The values set here; empty strings, which mean nothing to makepkg, are left out.</summary>
    public IReadOnlyList<string> Values(string field) =>
        !_fields.TryGetValue(field, out var values) ? []
        : values.Contains("") ? [.. values.Where(value => value.Length > 0)]
        : values;

    /// <summary>The single value set here; null if there is none.</summary>
    public string? Value(string field) => Values(field) is [var value, ..] ? value : null;
}
