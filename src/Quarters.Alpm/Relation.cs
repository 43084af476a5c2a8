using System.Diagnostics.CodeAnalysis;

namespace Quarters.Alpm;

/// <summary>
/// One entry of depends, optdepends, provides, conflicts or replaces: <c>foo</c>, <c>foo&gt;=1:2.3-4</c>,
/// <c>libssl.so=3-64</c>, <c>foo: why one would want it</c>.
/// </summary>
/// <remarks>Read as libalpm's <c>alpm_dep_from_string</c> reads it. Names and versions may be whatever contains no
/// white space or comparison, since databases hold names that makepkg's lint never saw
/// (<c>lib:libz.so.1</c>).</remarks>
public sealed record Relation
{
    /// <summary>The longest accepted relation, with its description, in characters.</summary>
    public const int MaxLength = 4096;

    private Relation(string name, Comparison comparison, string? version, string? description)
    {
        Name = name;
        Comparison = comparison;
        Version = version;
        Description = description;
    }

    /// <summary>The package or what a package provides.</summary>
    public string Name { get; }

    /// <summary>How <see cref="Version"/> is compared; <see cref="Comparison.Any"/> when there is none.</summary>
    public Comparison Comparison { get; }

    /// <summary>The version, with or without release, as it is written; null exactly if any will do.</summary>
    public string? Version { get; }

    /// <summary>The text of an optional dependency; null for none.</summary>
    public string? Description { get; }

    /// <summary>Reads one relation.</summary>
    /// <exception cref="AlpmFormatException">It is not one.</exception>
    public static Relation Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryRead(text, out var relation) is { } problem
            ? throw new AlpmFormatException($"relation {AlpmFormatException.Quote(text)}", problem)
            : relation!;
    }

    /// <summary>Reads one relation; false if it is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Relation? relation)
    {
        relation = null;
        return text is not null && TryRead(text, out relation) is null;
    }

    /// <summary>Reads one relation, and returns what is wrong with it, or null.</summary>
    internal static string? TryRead(ReadOnlySpan<char> text, out Relation? relation)
    {
        relation = null;
        if (text.Length > MaxLength) return $"it is longer than {MaxLength} characters";

        // The space tells a description from an epoch.
        var colon = text.IndexOf(": ");
        var description = colon < 0 ? null : text[(colon + 2)..].ToString();
        if (colon >= 0) text = text[..colon];

        // Less is looked for first, then greater, then equal: libalpm's order.
        var at = text.IndexOf('<');
        if (at < 0) at = text.IndexOf('>');
        if (at < 0) at = text.IndexOf('=');
        if (CheckName(at < 0 ? text : text[..at]) is { } problem) return problem;
        if (description is not null && HasLineBreak(description)) return "its description has a control character";

        if (at < 0)
        {
            relation = new Relation(text.ToString(), Comparison.Any, null, description);
            return null;
        }

        var orEqual = text[at] != '=' && at + 1 < text.Length && text[at + 1] == '=';
        var comparison = text[at] switch
        {
            '<' => orEqual ? Comparison.LessOrEqual : Comparison.Less,
            '>' => orEqual ? Comparison.GreaterOrEqual : Comparison.Greater,
            _ => Comparison.Equal,
        };
        var version = text[(at + (orEqual ? 2 : 1))..];
        // An empty version is let pass, as makepkg does: PKGBUILDs compute them.
        if (!IsWord(version)) return "its version has white space or a second comparison";
        relation = new Relation(text[..at].ToString(), comparison, version.ToString(), description);
        return null;
    }

    /// <summary>Does a package of this name and version satisfy this dependency by itself?</summary>
    /// <remarks>A dependency without release ignores the package's.</remarks>
    public bool IsSatisfiedBy(string name, PackageVersion version)
    {
        ArgumentNullException.ThrowIfNull(version);
        return Name == name && Holds(version.ToString());
    }

    /// <summary>Does something provided satisfy this dependency?</summary>
    /// <remarks>A provision without version never satisfies a dependency on a version.</remarks>
    public bool IsSatisfiedBy(Relation provision)
    {
        ArgumentNullException.ThrowIfNull(provision);
        if (Name != provision.Name) return false;
        return Comparison == Comparison.Any
            || (provision.Comparison == Comparison.Equal && Holds(provision.Version!));
    }

    /// <summary>Does a package satisfy this dependency, by itself or by what it provides?</summary>
    public bool IsSatisfiedBy(string name, PackageVersion version, IEnumerable<Relation> provides)
    {
        ArgumentNullException.ThrowIfNull(provides);
        if (IsSatisfiedBy(name, version)) return true;
        foreach (var provision in provides)
        {
            if (IsSatisfiedBy(provision)) return true;
        }
        return false;
    }

    /// <summary>The relation without its description, as dependency resolution sees it.</summary>
    public Relation WithoutDescription() =>
        Description is null ? this : new Relation(Name, Comparison, Version, null);

    /// <summary>The text that was read.</summary>
    public override string ToString()
    {
        var symbol = Comparison switch
        {
            Comparison.Equal => "=",
            Comparison.Less => "<",
            Comparison.LessOrEqual => "<=",
            Comparison.Greater => ">",
            Comparison.GreaterOrEqual => ">=",
            _ => "",
        };
        return Description is null ? $"{Name}{symbol}{Version}" : $"{Name}{symbol}{Version}: {Description}";
    }

    private bool Holds(string version)
    {
        if (Comparison == Comparison.Any) return true;
        var order = VersionOrder.Compare(version, Version);
        return Comparison switch
        {
            Comparison.Equal => order == 0,
            Comparison.Less => order < 0,
            Comparison.LessOrEqual => order <= 0,
            Comparison.Greater => order > 0,
            _ => order >= 0,
        };
    }

    private static string? CheckName(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty) return "it has no name";
        // A name that looks like an option would be one on some command line.
        if (name[0] == '-') return "its name begins with a hyphen";
        return IsWord(name) && !name.Contains('=') ? null : "its name has white space or a second comparison";
    }

    private static bool IsWord(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (c is '<' or '>' || char.IsWhiteSpace(c) || char.IsControl(c)) return false;
        }
        return true;
    }

    private static bool HasLineBreak(string text)
    {
        foreach (var c in text)
        {
            if (c != '\t' && char.IsControl(c)) return true;
        }
        return false;
    }
}
